package netsim

import (
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

// admits reports whether the kernel gives a packet to this socket: an echo reply
// with its id, or an error that quotes a packet with its id. Raw sockets have a
// filter for that, which does not look closely: see package socket.
func (c *Conn) admits(p *packet) bool {
	t := p.transport()
	if p.v6 != (c.version == icmp.V6) || !p.isICMP() || len(t) < icmpHeader {
		return false
	}
	// Only raw sockets of IPv4 are given messages before the kernel has
	// verified them.
	if (c.opts.Datagram || p.v6) && !p.verify() {
		return false
	}
	switch {
	case !p.v6 && t[0] == echoReply4, p.v6 && t[0] == echoReply6:
		return get16(t[4:]) == c.id
	case !isError(p.v6, t[0]):
		return false
	}
	proto, upper, ok := quoted(t[icmpHeader:], p.v6)
	if !c.opts.Datagram && p.v6 && len(t) >= icmpHeader+wire.IPv6HeaderLen && isExtension(t[icmpHeader+6]) {
		return true
	}
	if !ok || proto != p.proto || len(upper) < icmpHeader || get16(upper[4:]) != c.id {
		return false
	}
	return !c.opts.Datagram || upper[0] == echoRequest4 || upper[0] == echoRequest6
}

// quoted finds the upper layer of a quoted packet, which may be cut.
func quoted(b []byte, v6 bool) (proto uint8, upper []byte, ok bool) {
	if !v6 {
		var head wire.IPv4
		if head.Parse(b) != nil || head.FragmentOffset > 0 {
			return 0, nil, false
		}
		return head.Protocol, b[head.HeaderLen:], true
	}
	var head wire.IPv6
	var u wire.UpperLayer
	if head.Parse(b) != nil || u.Find(head.NextHeader, b[wire.IPv6HeaderLen:]) != nil || u.FragmentOffset > 0 {
		return 0, nil, false
	}
	return u.Protocol, b[wire.IPv6HeaderLen+u.Offset:], true
}

// isExtension reports whether a next header is an extension header that may
// stand before ICMPv6.
func isExtension(next uint8) bool {
	switch next {
	case wire.ProtocolHopByHop, wire.ProtocolRouting, wire.ProtocolFragment,
		wire.ProtocolAuthentication, wire.ProtocolDestinationOptions:
		return true
	}
	return false
}
