// Package standin lets package icmptest put a network of its own under a Prober
// of icmplib, which never imports a simulated one: programs that import the
// library do not carry it.
package standin

import (
	"context"
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/socket"
)

// Network stands in for the system.
type Network interface {
	// Listen opens sockets.
	Listen(s Socket) (engine.Medium, error)
	// LookupNetIP is as that of net.Resolver.
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Socket is what packets of one socket have in common.
type Socket struct {
	Version      icmp.Version
	Protocol     icmp.Protocol // icmp.ICMP also stands for ICMPv6
	Mode         socket.Mode
	ID           uint16     // of echo requests; 0: any
	Source       netip.Addr // the zero Addr: any
	Interface    string     // "": any
	Mark         uint32
	DontFragment bool
	FirstPort    uint16 // 0: any
	Ports        int    // how many; 0: 1
}

// Put has a *icmplib.Prober, which has sent nothing yet, send through n. It is
// set by package icmplib.
var Put func(prober any, n Network)
