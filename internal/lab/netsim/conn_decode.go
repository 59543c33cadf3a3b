package netsim

import (
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
)

// decode reads a packet into reply as the socket would, and tells whether it is
// one to hand out.
func (c *Conn) decode(p *packet, reply *icmp.Reply) bool {
	t := p.transport()
	reply.Source, reply.Destination = c.join(p.source()), p.destination()
	reply.TTL, reply.TrafficClass = int(p.ttl()), p.trafficClass()
	var ok bool
	if c.opts.Datagram && isError(p.v6, t[0]) {
		ok = c.decodeQueued(t, p.v6, reply)
	} else {
		reply.Size = len(t)
		ok = p.verify() && reply.Parse(c.version, t) == nil
	}
	if !ok {
		c.counted.Malformed++
		return false
	}
	if !c.owns(&reply.Message) {
		c.counted.Foreign++
		return false
	}
	return true
}

// owns reports whether a message is about a request of this socket's id.
func (c *Conn) owns(m *icmp.Message) bool {
	switch {
	case m.Kind() == icmp.KindEchoReply:
		return m.ID == c.id
	case m.Type.IsError():
		return m.Quote.Type.IsEchoRequest() && m.Quote.ID == c.id
	}
	return false
}

// decodeQueued makes an error that came through the error queue of a ping
// socket.
func (c *Conn) decodeQueued(t []byte, v6 bool, reply *icmp.Reply) bool {
	upper, ok := decodeQueued(t, v6, &reply.Message)
	if !ok {
		return false
	}
	q := &reply.Quote
	q.Version, q.Destination = c.version, c.join(quotedDestination(t[icmpHeader:], v6))
	protocol := icmp.ICMP
	if v6 {
		protocol = icmp.ICMPv6
	}
	return q.ParseTransport(protocol, upper) == nil
}

// statedQuote is the length of the quote in an error that has extensions; 0: it
// has none.
func statedQuote(t []byte, v6 bool) int {
	size := int(t[5]) * 4
	if v6 {
		size = int(t[4]) * 8
	}
	if !hasExtensions(v6, t[0]) || size < minQuote {
		return 0
	}
	return size
}

func quotedSource(quote []byte, v6 bool) netip.Addr {
	if v6 {
		return netip.AddrFrom16([16]byte(quote[8:24]))
	}
	return netip.AddrFrom4([4]byte(quote[12:16]))
}

func quotedDestination(quote []byte, v6 bool) netip.Addr {
	if v6 {
		return netip.AddrFrom16([16]byte(quote[24:40]))
	}
	return netip.AddrFrom4([4]byte(quote[16:20]))
}
