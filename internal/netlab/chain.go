package netlab

import (
	"net/netip"
	"testing"
)

// Chain is a row of routers, each a kernel in a namespace of its own, with a
// host behind the last of them. Unlike a simulated network it does nothing on
// purpose: it is what the kernel does.
type Chain struct {
	// Routers are the routers' addresses that are nearer to the test, from
	// which their errors come: one of IPv4 and one of IPv6 each.
	Routers [][2]netip.Addr

	// Target is the host behind them.
	Target [2]netip.Addr
}

// NewChain connects the namespace with a row of up to 250 routers by pairs of
// virtual interfaces, and sends there what goes anywhere. It is used where
// [Carry] is, and skips the test where the system forbids namespaces.
func NewChain(t testing.TB, routers int) *Chain {
	t.Helper()
	return newChain(t, routers)
}
