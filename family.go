package icmplib

import (
	"fmt"
	"net/netip"
	"strconv"
)

// Family is the IP version that a name is to be resolved to, and that a probe
// is sent with. Its values are those versions. The zero value is [AnyFamily].
type Family uint8

const (
	// AnyFamily takes a name's IPv4 addresses where this host has a route to
	// them, else its IPv6 addresses. A Packet.Source decides for its own family.
	// (The function [Resolve], which sends nothing, takes the IPv4 addresses
	// wherever there are any.)
	AnyFamily Family = 0

	// IPv4 takes IPv4 addresses only.
	IPv4 Family = 4

	// IPv6 takes IPv6 addresses only.
	IPv6 Family = 6
)

// String returns "any", "IPv4" or "IPv6", and "Family(n)" for any other value.
func (f Family) String() string {
	switch f {
	case AnyFamily:
		return "any"
	case IPv4:
		return "IPv4"
	case IPv6:
		return "IPv6"
	}
	return "Family(" + strconv.Itoa(int(f)) + ")"
}

// MarshalText returns "any", "IPv4" or "IPv6", for JSON and its like. Any other
// value is an error.
func (f Family) MarshalText() ([]byte, error) {
	if err := validateFamily(f); err != nil {
		return nil, err
	}
	return []byte(f.String()), nil
}

// UnmarshalText sets f to the family whose word is given, as [Family.String] has
// it. An unknown word is an error.
func (f *Family) UnmarshalText(word []byte) error {
	for _, family := range []Family{AnyFamily, IPv4, IPv6} {
		if string(word) == family.String() {
			*f = family
			return nil
		}
	}
	return fmt.Errorf("unknown family %q: any, IPv4 and IPv6 are known", word)
}

// includes reports whether addr belongs to f. An IPv4-mapped IPv6 address is
// an IPv4 address: that is what travels on the wire.
func (f Family) includes(addr netip.Addr) bool {
	switch f {
	case AnyFamily:
		return addr.IsValid()
	case IPv4, IPv6:
		return familyOf(addr) == f
	}
	return false
}

// familyOf returns the family of addr, [AnyFamily] where addr is the zero Addr.
func familyOf(addr netip.Addr) Family {
	switch {
	case !addr.IsValid():
		return AnyFamily
	case addr.Unmap().Is4():
		return IPv4
	}
	return IPv6
}
