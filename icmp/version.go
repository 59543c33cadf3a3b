package icmp

import (
	"net/netip"
	"strconv"
)

// Version is the IP version that an ICMP message belongs to.
type Version uint8

// The versions: ICMP for IPv4 is RFC 792, ICMPv6 is RFC 4443.
const (
	V4 Version = 4
	V6 Version = 6
)

// VersionOf returns the version of an address. An IPv4-mapped IPv6 address
// counts as IPv4, because that is how its packets travel.
func VersionOf(a netip.Addr) Version {
	if a.Unmap().Is4() {
		return V4
	}
	return V6
}

// Unspecified returns the unspecified address, 0.0.0.0 or ::.
func (v Version) Unspecified() netip.Addr {
	if v == V4 {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// String returns "IPv4" or "IPv6".
func (v Version) String() string {
	switch v {
	case V4:
		return "IPv4"
	case V6:
		return "IPv6"
	}
	return "IP version " + strconv.Itoa(int(v))
}
