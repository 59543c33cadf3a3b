// Package standin lets package icmptest put a network of its own under a Prober
// of icmplib, which never imports a simulated one: programs that import the
// library do not carry it.
package standin

import (
	"context"
	"net/netip"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/sockets"
)

// Network stands in for the system.
type Network interface {
	// Listen opens sockets.
	Listen(s sockets.Spec) (engine.Medium, error)
	// LookupNetIP is as that of net.Resolver.
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Put has a *icmplib.Prober, which has sent nothing yet, send through n. It is
// set by package icmplib.
var Put func(prober any, n Network)
