package netlab

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
)

// link is what connects two namespaces of a chain.
type link struct{ near, far end }

// end is an interface with its addresses.
type end struct {
	name      string
	addresses [2]netip.Addr
}

func newChain(t testing.TB, routers int) *Chain {
	t.Helper()
	c := &Chain{}
	in := func(f func() error) error { return f() } // the namespace that was connected last
	for i := range routers + 1 {
		next, l := NewNamespace(t), linkOf(i)
		if err := in(func() error { return l.extend(next) }); err != nil {
			t.Fatal(err)
		}
		if err := next.Do(l.receive); err != nil {
			t.Fatal(err)
		}
		if c.Target = l.far.addresses; i < routers {
			c.Routers = append(c.Routers, l.far.addresses)
		}
		in = next.Do
	}
	return c
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

// extend leads from the namespace it runs in to the next one, and with it
// everything that is known to go nowhere else.
func (l *link) extend(next *Namespace) error {
	if err := AddVeth(l.near.name, l.far.name); err != nil {
		return err
	}
	if err := errors.Join(next.Take(l.far.name), l.near.up()); err != nil {
		return err
	}
	return errors.Join(
		AddRoute(netip.PrefixFrom(netip.IPv4Unspecified(), 0), l.far.addresses[0], l.near.name),
		AddRoute(netip.PrefixFrom(netip.IPv6Unspecified(), 0), l.far.addresses[1], l.near.name),
	)
}

// receive makes the namespace it runs in the far end of the link, and a router.
// Kernels limit their errors (RFC 4443 section 2.4 (f)); this one does not.
func (l *link) receive() error {
	err := set(
		setting{"ipv4/ip_forward", "1"}, setting{"ipv6/conf/all/forwarding", "1"},
		setting{"ipv4/icmp_ratelimit", "0"}, setting{"ipv6/icmp/ratelimit", "0"},
	)
	if err != nil {
		return err
	}
	if err := l.far.up(); err != nil {
		return err
	}
	for i, test := range linkOf(0).near.addresses {
		if test == l.near.addresses[i] {
			continue // who is at the other end needs no route
		}
		if err := AddRoute(netip.PrefixFrom(test, test.BitLen()), l.near.addresses[i], l.far.name); err != nil {
			return err
		}
	}
	return nil
}

// up sets the interface up with its addresses, each in a network of four.
func (e *end) up() error {
	if err := set(setting{"ipv6/conf/" + e.name + "/accept_dad", "0"}); err != nil {
		return err
	}
	if err := LinkUp(e.name); err != nil {
		return err
	}
	for _, a := range e.addresses {
		if err := AddAddress(e.name, netip.PrefixFrom(a, a.BitLen()-2)); err != nil {
			return err
		}
	}
	return nil
}
