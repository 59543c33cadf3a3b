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

// owns tells whether a message is about a request of this socket's id.
func (c *Conn) owns(m *icmp.Message) bool {
	switch {
	case m.Kind() == icmp.KindEchoReply:
		return m.ID == c.id
	case m.Type.IsError():
		return m.Quote.Type.IsEchoRequest() && m.Quote.ID == c.id
	}
	return false
}

// decodeQueued makes an error that came through Linux's error queue: without
// the IP header of the quoted packet, but for its destination, and with
// extensions only in the form that RFC 4884 wants. The quote keeps the padding
// before them. A redirect's gateway is not told.
func (c *Conn) decodeQueued(t []byte, v6 bool, reply *icmp.Reply) bool {
	m := &reply.Message
	m.Type, m.Code = icmp.MakeType(c.version, t[0]), t[1]
	word := get32(t[4:])
	switch m.Kind() {
	case icmp.KindPacketTooBig:
		m.MTU = int(word)
		if !v6 {
			m.MTU &= 0xffff
		}
	case icmp.KindParameterProblem:
		m.Pointer = int(word)
		if !v6 {
			m.Pointer >>= 24
		}
	}
	quote := t[icmpHeader:]
	proto, upper, ok := quoted(quote, v6)
	if !ok {
		return false
	}
	if size := statedQuote(t, v6); size > 0 && size <= len(quote) {
		if m.Extensions.Parse(quote[size:]) == nil {
			m.Extensions.Compliant = true
		}
		upper = upper[:max(0, len(upper)-(len(quote)-size))]
	}
	m.Quote.Version, m.Quote.Destination = c.version, c.join(quotedDestination(quote, v6))
	return m.Quote.ParseTransport(icmp.Protocol(proto), upper) == nil
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

func quotedDestination(quote []byte, v6 bool) netip.Addr {
	if v6 {
		return netip.AddrFrom16([16]byte(quote[24:40]))
	}
	return netip.AddrFrom4([4]byte(quote[16:20]))
}
