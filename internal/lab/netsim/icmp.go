package netsim

import (
	"net/netip"

	"github.com/goicmp/icmplib/internal/wire"
)

// The ICMP types and codes that the network sends (RFC 792, RFC 4443).
const (
	echoReply4, echoRequest4 = 0, 8
	echoReply6, echoRequest6 = 129, 128
	redirect4, redirect6     = 5, 137
)

var (
	timeExceeded    = [2]Code{{11, 0}, {3, 0}}
	portUnreachable = [2]Code{{3, 3}, {1, 4}}
	protoUnknown    = [2]Code{{3, 2}, {4, 1}}
	tooBig          = [2]Code{{3, 4}, {2, 0}}
)

const (
	icmpHeader = 8

	// Errors are to be no longer than what every link or host takes: RFC 1812
	// section 4.3.2.3, RFC 4443 section 2.4 (c).
	maxError4 = 576
	maxError6 = 1280
)

// fault is what an ICMP error says.
type fault struct {
	code    Code
	rest    uint32     // the second word of the message: MTU, pointer, gateway
	from    netip.Addr // zero: the node's address
	gateway netip.Addr
	cause   string
}

// fail sends an error about a packet, if the node does so.
func (w *walk) fail(n *node, f *flight, ordinal int, e fault) {
	switch {
	case !mayFail(f, e.code):
		w.note(n, Dropped, e.cause+", of which no error may tell", f.at)
	case n.Answer.Silent.covers(&f.p, ordinal, n.random):
		w.note(n, Dropped, e.cause+", silently", f.at)
	case !n.limiter.allow(w.now.Add(f.at)):
		w.note(n, Dropped, e.cause+", rate limited", f.at)
	default:
		w.respond(n, ordinal, w.errorPacket(n, f, e), f.at, e.cause)
	}
}

// mayFail reports whether there may be an error about a packet: not about an
// error, and of a packet to a group only what the sender has to know (RFC 1122
// section 3.2.2, RFC 4443 section 2.4 (e)).
func mayFail(f *flight, c Code) bool {
	if f.group && !(f.p.v6 && c.Type == tooBig[1].Type) {
		return false
	}
	t := f.p.transport()
	return !f.p.isICMP() || len(t) == 0 || !isError(f.p.v6, t[0])
}

func isError(v6 bool, icmpType uint8) bool {
	if v6 {
		return icmpType < 128
	}
	switch icmpType {
	case 3, 4, 5, 11, 12:
		return true
	}
	return false
}

// errorPacket makes the error e about the packet of f.
func (w *walk) errorPacket(n *node, f *flight, e fault) packet {
	v6 := f.p.v6
	quote := n.quote(&f.p)
	room := maxError4 - wire.IPv4MinHeaderLen - icmpHeader
	if v6 {
		room = maxError6 - wire.IPv6HeaderLen - icmpHeader
	}
	var body []byte
	switch {
	case v6 && e.code.Type == redirect6:
		body = redirectBody(f.to.As16(), e.gateway.As16(), quote[:min(len(quote), room-redirectHead)])
	case hasExtensions(v6, e.code.Type) && len(n.Answer.Ext.Objects) > 0:
		body = w.extend(n, v6, quote, room, &e.rest)
	default:
		body = quote[:min(len(quote), room)]
	}
	from := e.from
	if !from.IsValid() {
		from = n.address(f)
	}
	p := w.datagram(from, f.p.source(), icmpProtocol(v6), icmpHeader+len(body), n)
	t := p.transport()
	t[0], t[1], t[2], t[3] = e.code.Type, e.code.Code, 0, 0
	put32(t[4:], e.rest)
	copy(t[icmpHeader:], body)
	p.seal()
	return p
}

func icmpProtocol(v6 bool) uint8 {
	if v6 {
		return wire.ProtocolICMPv6
	}
	return wire.ProtocolICMP
}

// quote returns what the node quotes of a packet. It is valid until the next
// quote.
func (n *node) quote(p *packet) []byte {
	q := &n.Answer.Quote
	size := len(p.b)
	if q.Limit {
		size = min(size, p.headerLen()+q.Size)
	}
	if !q.SetTTL && !q.SetClass {
		return p.b[:size]
	}
	c := packet{b: append([]byte(nil), p.b[:size]...), v6: p.v6}
	if q.SetTTL {
		c.setTTL(q.TTL)
	}
	if q.SetClass {
		c.setTrafficClass(q.TrafficClass)
	}
	return c.b
}

// address is the one that the node answers a packet from.
func (n *node) address(f *flight) netip.Addr {
	if a := pick(n.Addresses, f.p.v6); a.IsValid() && !n.owns(f.to) {
		return a
	}
	return f.to
}

// datagram makes an IP packet of the node's own with room for an upper layer of
// size bytes, which hold anything.
func (w *walk) datagram(from, to netip.Addr, protocol uint8, size int, n *node) packet {
	ttl := uint8(64)
	if n.Answer.TTL > 0 {
		ttl = uint8(n.Answer.TTL)
	}
	if from.Is6() {
		b := w.n.memory.take(wire.IPv6HeaderLen + size)
		h := wire.IPv6{NextHeader: protocol, HopLimit: ttl, Source: from, Destination: to}
		h.Append(b[:0], size)
		return packet{b: b, v6: true, proto: protocol, l4: wire.IPv6HeaderLen}
	}
	b := w.n.memory.take(wire.IPv4MinHeaderLen + size)
	n.ipID++
	h := wire.IPv4{ID: n.ipID, TTL: ttl, Protocol: protocol, Source: from, Destination: to}
	h.Append(b[:0], size)
	return packet{b: b, proto: protocol, l4: wire.IPv4MinHeaderLen}
}

func version(v6 bool) int {
	if v6 {
		return 1
	}
	return 0
}
