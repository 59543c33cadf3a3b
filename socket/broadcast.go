package socket

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
)

// IsBroadcast reports whether addr is the limited broadcast address, or the broadcast
// address of a network that this host is on (RFC 919 section 7).
func IsBroadcast(addr netip.Addr) bool { return slices.Contains(broadcastAddrs(), addr) }

// broadcastAddrs returns the limited broadcast address, and the broadcast addresses
// of the networks that this host is on.
func broadcastAddrs() []netip.Addr {
	all := []netip.Addr{netip.AddrFrom4([4]byte{255, 255, 255, 255})}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return all
	}
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && prefix.Addr().Is4() && prefix.Bits() < 31 {
			all = append(all, lastAddr4(prefix))
		}
	}
	return all
}

func lastAddr4(p netip.Prefix) netip.Addr {
	first := p.Masked().Addr().As4()
	last := binary.BigEndian.Uint32(first[:]) | 0xffffffff>>p.Bits()
	binary.BigEndian.PutUint32(first[:], last)
	return netip.AddrFrom4(first)
}
