package netsim

import (
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/internal/wire"
)

// decode reads a packet into an arrival as the sockets would, and tells whether
// it is one to hand out.
func (c *TransportConn) decode(p *packet, a *transport.Arrival) bool {
	a.Source, a.Destination = c.join(p.source()), p.destination()
	a.TTL, a.TrafficClass = int(p.ttl()), p.trafficClass()
	if c.opts.Datagram {
		return c.decodeUnprivileged(p, a)
	}
	var ok, wellFormed bool
	if p.isICMP() {
		ok, wellFormed = a.ParseError(c.version, p.transport(), c.first, c.count)
		if !ok && wellFormed {
			c.counted.Foreign++
		}
	} else {
		ok, wellFormed = a.ParseSegment(p.transport())
	}
	if !wellFormed {
		c.counted.Malformed++
	}
	return ok
}

// decodeUnprivileged makes what ordinary sockets and their error queues give.
func (c *TransportConn) decodeUnprivileged(p *packet, a *transport.Arrival) bool {
	switch {
	case p.isICMP():
		return c.decodeQueued(p, a)
	case c.connects():
		return c.decodeConnection(p, a)
	}
	t := p.transport()
	a.Segment = transport.Segment{
		Kind: transport.Datagram, SourcePort: get16(t), DestinationPort: get16(t[2:]), Payload: t[wire.UDPHeaderLen:],
	}
	return true
}

// decodeQueued makes an error that came through an error queue. The kernel acts
// upon redirects and source quenches by itself, and upon packets that are too
// big: it tells of these only where a UDP socket does not let it fragment.
func (c *TransportConn) decodeQueued(p *packet, a *transport.Arrival) bool {
	upper, ok := decodeQueued(p.transport(), p.v6, &a.Message)
	switch kind := a.Kind(); {
	case !ok || kind == icmp.KindRedirect || kind == icmp.KindSourceQuench:
		return false
	case kind == icmp.KindPacketTooBig && (c.connects() || !c.opts.DontFragment):
		return false
	}
	q := &a.Quote
	quote := p.transport()[icmpHeader:]
	q.Version, q.Destination = c.version, c.join(quotedDestination(quote, p.v6))
	if len(upper) < icmpHeader {
		return false
	}
	if !c.connects() {
		payload := upper[wire.UDPHeaderLen:]
		q.Protocol, q.SourcePort, q.DestinationPort = icmp.UDP, get16(upper), get16(upper[2:])
		q.Transport, q.Payload = payload, payload
		return true
	}
	// A connection is found by all its addresses and ports, and its error queue
	// does not tell how the error came.
	if quotedSource(quote, p.v6) != c.local {
		return false
	}
	a.TTL, a.TrafficClass, a.Destination = 0, 0, netip.Addr{}
	key := streamKey{q.Destination.WithZone(""), get16(upper[2:]), get16(upper)}
	if a.Identity, ok = c.end(key, get32(upper[4:]), a.Time); !ok {
		return false
	}
	a.Identified = true
	return q.ParseTransport(icmp.TCP, upper) == nil
}

// decodeConnection makes what becomes of a connection: it is accepted, at a time
// that the kernel knows, or refused, at the time of reading.
func (c *TransportConn) decodeConnection(p *packet, a *transport.Arrival) bool {
	arrived, queued := a.Time, a.Queued
	if ok, _ := a.ParseSegment(p.transport()); !ok || !a.Identified {
		return false
	}
	key := streamKey{p.source(), a.Segment.SourcePort, a.Segment.DestinationPort}
	kind := a.Segment.Kind
	identity, ok := c.end(key, a.Identity, arrived)
	if !ok {
		return false
	}
	*a = transport.Arrival{Protocol: icmp.TCP, Identity: identity, Identified: true}
	a.Source, a.Time, a.Queued, a.Stamped = c.join(p.source()), arrived, queued, true
	if kind == transport.RST {
		a.Time, a.Queued, a.Stamped, a.Noticed = arrived.Add(queued), 0, false, true
	}
	a.Segment = transport.Segment{Kind: kind, SourcePort: key.toPort, DestinationPort: key.fromPort}
	return true
}
