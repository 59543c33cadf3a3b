package netlab

import (
	"errors"
	"net/netip"
	"testing"
)

const etherMTU = 1500

// build makes one namespace after the other, and connects it with the last one.
func build(t testing.TB, routers int) {
	t.Helper()
	in := func(f func() error) error { return f() } // the namespace that was connected last
	for i := range routers + 1 {
		next, l := NewNamespace(t), linkOf(i)
		mtu := etherMTU
		if i == routers {
			mtu = ChainMTU
		}
		if err := in(func() error { return l.extend(next, mtu) }); err != nil {
			t.Fatal(err)
		}
		if err := next.Do(l.receive); err != nil {
			t.Fatal(err)
		}
		in = next.Do
	}
	for _, target := range linkOf(routers).far.addresses {
		if err := awaitHost(target); err != nil {
			t.Fatal(err)
		}
	}
}

// extend leads from the namespace it runs in to the next one, and with it
// everything that is known to go nowhere else.
func (l *link) extend(next *Namespace, mtu int) error {
	if err := AddVeth(l.near.name, l.far.name); err != nil {
		return err
	}
	if err := SetMTU(l.near.name, mtu); err != nil {
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
