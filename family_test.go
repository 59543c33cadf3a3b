package icmplib

import (
	"net/netip"
	"testing"
)

func TestFamilyIncludes(t *testing.T) {
	v4 := netip.MustParseAddr("192.0.2.1")
	v6 := netip.MustParseAddr("2001:db8::1")
	mapped := netip.AddrFrom16(v4.As16())
	tests := []struct {
		name   string
		family Family
		addr   netip.Addr
		want   bool
	}{
		{"any family includes an IPv4 address", AnyFamily, v4, true},
		{"any family includes an IPv6 address", AnyFamily, v6, true},
		{"no family includes the zero address", AnyFamily, netip.Addr{}, false},
		{"IPv4 includes an IPv4 address", IPv4, v4, true},
		{"IPv4 includes an IPv4-mapped address, which travels as IPv4", IPv4, mapped, true},
		{"IPv4 excludes an IPv6 address", IPv4, v6, false},
		{"IPv6 includes an IPv6 address", IPv6, v6, true},
		{"IPv6 includes a link-local address with its zone", IPv6, netip.MustParseAddr("fe80::1%lo"), true},
		{"IPv6 excludes an IPv4-mapped address", IPv6, mapped, false},
		{"an unknown family includes nothing", Family(5), v4, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.family.includes(tt.addr); got != tt.want {
				t.Errorf("%v.includes(%v) = %v, want %v", tt.family, tt.addr, got, tt.want)
			}
		})
	}
}

func TestFamilyString(t *testing.T) {
	for family, want := range map[Family]string{
		AnyFamily: "any", IPv4: "IPv4", IPv6: "IPv6", Family(5): "Family(5)",
	} {
		if got := family.String(); got != want {
			t.Errorf("Family(%d).String() = %q, want %q", uint8(family), got, want)
		}
	}
}
