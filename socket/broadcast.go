package socket

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// IsBroadcast tells whether addr is the limited broadcast address or that of a
// network that this host is on (RFC 919 section 7).
func IsBroadcast(addr netip.Addr) bool {
	if addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && prefix.Addr().Is4() && prefix.Bits() < 31 && addr == lastAddr4(prefix) {
			return true
		}
	}
	return false
}

func lastAddr4(p netip.Prefix) netip.Addr {
	first := p.Masked().Addr().As4()
	last := binary.BigEndian.Uint32(first[:]) | 0xffffffff>>p.Bits()
	binary.BigEndian.PutUint32(first[:], last)
	return netip.AddrFrom4(first)
}
