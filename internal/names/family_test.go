package names

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
)

func TestAnAddressThatCanBeReachedIsPreferred(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	failed := errors.New("no such name")
	for _, tt := range []struct {
		name   string
		family Family
		has    map[Family]netip.Addr
		routed bool
		want   netip.Addr
	}{
		{"both.example", Any, map[Family]netip.Addr{Any: four, IPv6: six}, true, four},
		{"both.example", Any, map[Family]netip.Addr{Any: four, IPv6: six}, false, six},
		{"both.example", IPv4, map[Family]netip.Addr{IPv4: four, IPv6: six}, false, four},
		{"four.example", Any, map[Family]netip.Addr{Any: four}, false, four},
		{"six.example", Any, map[Family]netip.Addr{Any: six, IPv6: six}, false, six},
		{"192.0.2.1", Any, map[Family]netip.Addr{Any: four, IPv6: six}, false, four},
		{"none.example", Any, nil, true, netip.Addr{}},
	} {
		addrs, err := Reachable(tt.name, tt.family, func(f Family) ([]netip.Addr, error) {
			if addr, ok := tt.has[f]; ok {
				return []netip.Addr{addr}, nil
			}
			return nil, failed
		}, func(addr netip.Addr) bool { return tt.routed && addr == four })
		if err != nil && (tt.want.IsValid() || err != failed) || err == nil && addrs[0] != tt.want {
			t.Errorf("%s, %v, routed %t: %v, %v", tt.name, tt.family, tt.routed, addrs, err)
		}
	}
}

func TestALiteralNeedsNoLookUp(t *testing.T) {
	for text, want := range map[string]bool{"192.0.2.1": true, "::ffff:192.0.2.1": true, "2001:db8::1": false, "fe80::1%eth0": false, "a.example": false, "": false} {
		if addr, ok := Literal(text, IPv4); ok != want || ok != addr.IsValid() {
			t.Errorf("%q: %v, %t", text, addr, ok)
		}
	}
	if _, ok := Literal("fe80::1%eth0", Any); ok {
		t.Error("a zone is taken as it is")
	}
}

func TestWhatACallersLookUpFoundIsOfOneFamily(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for _, tt := range []struct {
		family Family
		found  []netip.Addr
		want   []netip.Addr
	}{
		{Any, []netip.Addr{{}, four, six, netip.MustParseAddr("::ffff:192.0.2.2")}, []netip.Addr{four, four.Next()}},
		{Any, []netip.Addr{six, four}, []netip.Addr{six}},
		{IPv4, []netip.Addr{six, four}, []netip.Addr{four}},
		{IPv4, []netip.Addr{six}, nil},
		{Any, nil, nil},
	} {
		got, err := Usable("svc", tt.family, tt.found)
		dns, failed := errors.AsType[*net.DNSError](err)
		if !slices.Equal(got, tt.want) || failed != (tt.want == nil) || failed && !dns.IsNotFound {
			t.Errorf("%v of %v: %v, %v", tt.family, tt.found, got, err)
		}
	}
}
