package netlab

import (
	"fmt"
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

	// Target is the host behind them. It is a router too, and knows no way to
	// anywhere else.
	Target [2]netip.Addr
}

// ChainMTU is how large a packet the link to the target takes. The others take
// 1,500 bytes.
const ChainMTU = 1400

// ChainOf describes a chain of up to 250 routers. Its addresses are always the
// same.
func ChainOf(routers int) *Chain {
	c := &Chain{}
	for i := range routers {
		c.Routers = append(c.Routers, linkOf(i).far.addresses)
	}
	c.Target = linkOf(routers).far.addresses
	return c
}

// Build connects the namespace with the routers, by pairs of virtual
// interfaces, and sends there what goes anywhere. It is used where [Carry] is,
// and skips the test where the system forbids namespaces.
func (c *Chain) Build(t testing.TB) {
	t.Helper()
	build(t, len(c.Routers))
}

// link is what connects two namespaces of a chain.
type link struct{ near, far end }

// end is an interface with its addresses.
type end struct {
	name      string
	addresses [2]netip.Addr
}

// linkOf describes the link with a number.
func linkOf(i int) *link {
	endOf := func(name string, host byte) end {
		return end{fmt.Sprintf("%s%d", name, i), [2]netip.Addr{
			netip.AddrFrom4([4]byte{198, 18, byte(i), host}),                            // RFC 2544
			netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0xcc, byte(i), 15: host}), // RFC 3849
		}}
	}
	return &link{near: endOf("ahead", 1), far: endOf("back", 2)}
}
