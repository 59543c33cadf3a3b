package engine

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/service"
	"github.com/goicmp/icmplib/internal/transport"
)

// likeness is how far the payload of a reply agrees with that of the probe.
type likeness uint8

const (
	unlike likeness = iota // it does not prove that the reply answers the probe
	unsure                 // the reply answers one of several probes, and does not identify it
	partly                 // it proves that, but the rest of the payload changed
	wholly                 // it is the payload of the probe
	bare                   // the quoted part agrees, but any host could have guessed it
	alone                  // the reply does not identify a probe, but there is only this one
)

// match finds the probe that a message is about. Everything that was sent and came back
// must agree. If the message is about no probe of ours, match returns nil.
func (c *core) match(r *icmp.Reply) (uint16, *slot, likeness) {
	switch {
	case r.Kind() == icmp.KindEchoReply:
		return c.matchReply(r)
	case r.Type.IsError():
		return c.matchError(r)
	}
	return 0, nil, unlike
}

// matchReply matches family, id and sequence, and compares the payload. (The
// socket belongs to one family.) A reply with the nonce answers our probe, whatever
// its source: a host may answer from another of its addresses. Without a nonce, and
// if the operation requires it, the source must be the probed address, unless that
// stands for many hosts.
func (c *core) matchReply(r *icmp.Reply) (uint16, *slot, likeness) {
	s := c.table.lookup(r.Sequence)
	if s == nil || r.ID != c.id {
		return 0, nil, unlike
	}
	op := c.ops.get(s.op)
	dst := s.addr()
	sourced := dst == r.Source.WithZone("") || dst.IsMulticast() || op != nil && op.cfg.Group
	if op == nil {
		if !sourced {
			return 0, nil, unlike
		}
		return r.Sequence, s, wholly // the operation has ended
	}
	proven, whole := op.payload.compare(r.Payload, s.nonce, r.Sequence)
	switch {
	case !sourced && (op.cfg.Sourced || !proven || !op.payload.hasNonce()):
		return 0, nil, unlike
	case whole:
		return r.Sequence, s, wholly
	case proven:
		return r.Sequence, s, partly
	}
	return r.Sequence, s, unlike
}

// matchError matches the quoted packet: family, destination, protocol, type, id,
// sequence and the quoted part of the payload. Of 8 quoted bytes, only the checksum
// covers the nonce. A checksum that differs does not disprove the error, because some
// address translators do not restore it, but then nothing proves the error.
func (c *core) matchError(r *icmp.Reply) (uint16, *slot, likeness) {
	q := &r.Quote
	s := c.table.lookup(q.Sequence)
	if s == nil || q.ID != c.id || !q.Type.IsEchoRequest() || q.Destination.WithZone("") != s.addr() {
		return 0, nil, unlike
	}
	op := c.ops.get(s.op)
	if op == nil {
		return q.Sequence, s, wholly
	}
	switch agrees, proven := op.payload.agrees(q.Payload, s.nonce, q.Sequence); {
	case !agrees:
		return 0, nil, unlike
	case proven, op.payload.summed(r, c.id, s.nonce):
		return q.Sequence, s, wholly
	}
	return q.Sequence, s, bare
}

// soleLimit bounds the search for the only probe to a host.
const soleLimit = 4096

// matchSole finds the probe for an answer that identifies none: the only probe to its
// host that waits for an answer. A probe that was recently given up also waits, because
// its answer may be late. If two probes wait, matchSole does not guess. Nor does it if a
// probe with another TTL was just answered that way: networks duplicate packets, and this
// may be the same answer again.
func (c *core) matchSole(peer netip.Addr, arrival time.Duration) (uint16, *slot, likeness) {
	if c.table.inFlight > soleLimit {
		return 0, nil, unlike
	}
	var seq uint16
	var sole *slot
	waiting, flying := 0, 0
	least, most := 256, -1 // TTL of those that were answered just now
	c.table.each(peer, func(number uint16, s *slot) {
		switch {
		case s.state == inFlight:
			seq, sole = number, s
			waiting++
			flying++
		case s.state == silent && arrival < s.forgotten():
			waiting++
		case (s.state == answered || s.state == failed) && arrival < s.repeated():
			least, most = min(least, int(s.ttl)), max(most, int(s.ttl))
		}
	})
	switch {
	case flying == 0:
		return 0, nil, unlike
	case waiting > 1, most >= 0 && (least != int(sole.ttl) || most != int(sole.ttl)):
		return 0, nil, unsure
	}
	return seq, sole, alone
}

// RepeatedWithin is how long after an answer without a mark a copy of it may arrive,
// which would count as the answer to another probe to the same host.
const RepeatedWithin = 50 * time.Millisecond

// answeredBy notes when a probe was answered without a mark. It uses the field of the
// deadline, which is no longer needed.
func (s *slot) answeredBy(h *heard) {
	s.deadline = -RepeatedWithin
	if h.like == alone {
		s.deadline = h.at
	}
}

// repeated returns the time until which a copy of the answer to the probe may arrive.
func (s *slot) repeated() time.Duration { return s.deadline + RepeatedWithin }

// forgotten returns the time from which an answer without a mark no longer counts as one
// to this silent probe: after twice its timeout. See [ForgottenAfter].
func (s *slot) forgotten() time.Duration { return s.sent + ForgottenAfter(s.deadline-s.sent) }

// ForgottenAfter returns how long after its sending an unanswered probe makes answers
// without a mark from the same host ambiguous.
func ForgottenAfter(timeout time.Duration) time.Duration { return 2 * timeout }

// tellUnclear informs the operations with OpConfig.Unclear of an answer to one of several
// probes that does not identify it.
func (c *core) tellUnclear(a *transport.Arrival) {
	var told []*Op
	c.table.each(peerOf(a), func(seq uint16, s *slot) {
		op := c.ops.get(s.op)
		if op == nil || s.state != inFlight || !op.cfg.Unclear || slices.Contains(told, op) {
			return
		}
		if a.Protocol == icmp.UDP && !op.mayBeAbout(a, s, seq) {
			return
		}
		told = append(told, op)
		o := &Outcome{Fate: Unclear, Tag: s.tag}
		o.describe(&a.Reply)
		op.deliver(o)
	})
}

// each calls f with the probes to a host that are in the table.
func (t *table) each(peer netip.Addr, f func(seq uint16, s *slot)) {
	dst := peer.As16()
	for i, p := range t.pages {
		if p == nil {
			continue
		}
		for j := range p.slots {
			if s := &p.slots[j]; s.state != free && s.dst == dst {
				f(uint16(i*pageSize+j), s)
			}
		}
	}
}

// receiveArrival takes an arrival about a UDP, TCP or SCTP probe, with its time.
func (c *core) receiveArrival(a *transport.Arrival, arrival time.Duration) {
	seq, s, like := c.matchArrival(a, arrival)
	if s == nil {
		c.counters.Foreign++
		if like == unsure {
			c.tellUnclear(a)
		}
		return
	}
	c.credit(seq, s, &heard{&a.Reply, arrival, like, a.Segment.Kind, a.Retransmitted, a.Noticed})
}

// matchArrival finds the probe that an arrival is about.
func (c *core) matchArrival(a *transport.Arrival, arrival time.Duration) (uint16, *slot, likeness) {
	peer := peerOf(a)
	if a.Protocol == icmp.UDP {
		return c.matchUDP(a, peer, arrival)
	}
	if !a.Identified {
		return c.matchSole(peer, arrival)
	}
	seq := uint16(a.Identity)
	s := c.table.lookup(seq)
	if s == nil || s.addr() != peer || identity(seq, s.nonce) != a.Identity {
		return 0, nil, unlike
	}
	return seq, s, wholly
}

// matchUDP matches the part of the payload that came back, or the checksum if only that
// came back. If the nonce came back, it must agree. If neither came back, as in 8 quoted
// bytes of which the system hands out no header, the probe must be the only one. A number
// or a checksum that is not ours belongs to no probe. The probe knows whether its payload
// is for a service.
func (c *core) matchUDP(a *transport.Arrival, peer netip.Addr, arrival time.Duration) (uint16, *slot, likeness) {
	for kind := range service.Kinds {
		if seq, s, like := c.matchNumbered(a, service.Kind(kind), peer); s != nil {
			return seq, s, like
		}
	}
	return c.matchUnnumbered(a, peer, arrival)
}

// matchNumbered finds the probe whose number a datagram or a quoted datagram brings back,
// if the probe is of the given kind and everything agrees.
func (c *core) matchNumbered(a *transport.Arrival, kind service.Kind, peer netip.Addr) (uint16, *slot, likeness) {
	number := numberIn(a, kind, peer)
	s := c.table.lookup(number)
	if s == nil || s.addr() != peer {
		return 0, nil, unlike
	}
	op := c.ops.get(s.op)
	switch {
	case op == nil && kind == service.None:
		return number, s, wholly // the operation has ended
	case op == nil, !op.payload.numbered, op.payload.kind() != kind:
		return 0, nil, unlike
	}
	own := op.payload.number(number, peer)
	if a.Segment.Kind != transport.None {
		if proven, whole := op.payload.compare(a.Segment.Payload, s.nonce, own); !proven || !whole {
			return 0, nil, unlike
		}
		return number, s, wholly
	}
	switch agrees, proven := op.payload.agrees(a.Quote.Payload, s.nonce, own); {
	case !agrees:
		return 0, nil, unlike
	case proven:
		return number, s, wholly
	}
	return number, s, bare
}

// matchUnnumbered finds the only probe to a host for an arrival without the number of a
// probe: the answer of a service, which need not echo the payload, or an error about a
// caller's payload, if it agrees. An error that quotes a number, or a header without one,
// is not about a numbered probe of ours.
func (c *core) matchUnnumbered(a *transport.Arrival, peer netip.Addr, arrival time.Duration) (uint16, *slot, likeness) {
	seq, s, like := c.matchSole(peer, arrival)
	if s == nil {
		return seq, s, like
	}
	if op := c.ops.get(s.op); op != nil && !op.mayBeAbout(a, s, seq) {
		return 0, nil, unlike
	}
	return seq, s, like
}

// mayBeAbout reports whether a UDP error that quotes no number of ours, or a datagram that
// brings none back, can be about a probe of the operation. A datagram in the form of the
// service's answer cannot, because it would bring back the mark of the probe.
func (op *Op) mayBeAbout(a *transport.Arrival, s *slot, seq uint16) bool {
	kind := op.payload.kind()
	if a.Segment.Kind != transport.None {
		_, answers := service.MarkOfAnswer(kind, a.Segment.Payload)
		return !answers
	}
	peer := s.addr()
	agrees, _ := op.payload.agrees(a.Quote.Payload, s.nonce, op.payload.number(seq, peer))
	return agrees && (!op.payload.numbered || numberIn(a, kind, peer) == 0 && !showsHeader(a))
}

// showsHeader reports whether an error quotes the UDP header, whose checksum is the number
// of the probe. In an error queue, it does not.
func showsHeader(a *transport.Arrival) bool { return len(a.Quote.Transport) > len(a.Quote.Payload) }

// numberIn returns the sequence number of the probe that an arrival brings back, in the
// payload or as the quoted checksum, for probes of the given kind; 0 if there is none.
func numberIn(a *transport.Arrival, kind service.Kind, peer netip.Addr) uint16 {
	payload, number := a.Quote.Payload, a.Quote.Checksum
	direct := a.Segment.Kind != transport.None
	if direct {
		payload, number = a.Segment.Payload, 0
	}
	switch mark, ok := uint16(0), false; {
	case kind == service.None && len(payload) >= numberSize:
		return binary.BigEndian.Uint16(payload)
	case kind == service.None:
		return number
	case direct:
		if mark, ok = service.MarkOfAnswer(kind, payload); ok {
			return service.Mark(mark, peer)
		}
	default:
		if mark, ok = service.MarkOfQuote(kind, payload); ok {
			return service.Mark(mark, peer)
		}
	}
	return number
}

// peerOf returns the address that the probe was sent to.
func peerOf(a *transport.Arrival) netip.Addr {
	peer := a.Source
	if a.Segment.Kind == transport.None {
		peer = a.Quote.Destination
	}
	return peer.WithZone("").Unmap()
}
