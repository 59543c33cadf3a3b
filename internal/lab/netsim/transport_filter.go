package netsim

import "github.com/goicmp/icmplib/icmp"

// admits reports whether the kernel gives a packet to the connection's sockets:
// a direct answer to one of its ports, or an error that quotes a packet from
// one. The filter of raw ICMPv6 sockets does not look behind extension headers.
func (c *TransportConn) admits(p *packet) bool {
	t := p.transport()
	switch {
	case p.v6 != (c.version == icmp.V6) || len(t) < icmpHeader:
		return false
	case p.proto == uint8(c.protocol):
		return (c.opts.Datagram || c.owns(get16(t[2:]))) && c.admitsSegment(p)
	case !p.isICMP() || !isError(p.v6, t[0]):
		return false
	case (c.opts.Datagram || p.v6) && !p.verify():
		return false // only raw sockets of IPv4 are given it before it is verified
	}
	raw := !c.opts.Datagram
	if raw && p.v6 && len(t) > icmpHeader+6 && isExtension(t[icmpHeader+6]) {
		return true
	}
	proto, upper, ok := quoted(t[icmpHeader:], p.v6)
	if !ok || proto != uint8(c.protocol) || len(upper) < 4 {
		return false
	}
	if raw {
		return c.owns(get16(upper))
	}
	// Errors whose quote is shorter than RFC 792 wants are for nobody.
	return len(upper) >= icmpHeader && (c.connects() || c.owns(get16(upper)))
}

// admitsSegment reports whether a direct answer is one that the kernel gives out.
// Ordinary sockets get what it has verified.
func (c *TransportConn) admitsSegment(p *packet) bool {
	if !c.opts.Datagram {
		return true
	}
	return p.verify() && (c.connects() || c.owns(get16(p.transport()[2:])))
}
