package engine

import (
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// soleLimit bounds the search for the only probe to a host.
const soleLimit = 4096

// matchSole finds the probe that something without a mark of it must be about:
// the only one to its host that waits for an answer. One that was given up not
// long ago waits too, for its answer may be late: with two of them nothing is
// guessed. Nor is it where a probe with another TTL was answered without a mark
// just now: networks duplicate packets, and what comes may be the same again.
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

// RepeatedWithin is how long after an answer without a mark it may come once
// more, and would be taken for that to another probe to the same host.
const RepeatedWithin = 50 * time.Millisecond

// answeredBy notes, in place of the deadline, which has served, when a probe was
// answered without a mark.
func (s *slot) answeredBy(h *heard) {
	s.deadline = -RepeatedWithin
	if h.like == alone {
		s.deadline = h.at
	}
}

// repeated is until when the answer to an answered probe may come once more.
func (s *slot) repeated() time.Duration { return s.deadline + RepeatedWithin }

// forgotten is when a silent probe stops to be a candidate for what comes
// without a mark: when its time has passed twice. See [ForgottenAfter].
func (s *slot) forgotten() time.Duration { return s.sent + ForgottenAfter(s.deadline-s.sent) }

// ForgottenAfter is how long after its sending an unanswered probe stands in the
// way of another to the same host whose answers have no mark.
func ForgottenAfter(timeout time.Duration) time.Duration { return 2 * timeout }

// tellUnclear tells the operations that want to know that something came about
// one of several probes, and nobody can say of which.
func (c *core) tellUnclear(a *transport.Arrival) {
	var told []*Op
	c.table.each(peerOf(a), func(seq uint16, s *slot) {
		op := c.ops.get(s.op)
		if op == nil || s.state != inFlight || !op.unclear || slices.Contains(told, op) {
			return
		}
		if a.Protocol == icmp.UDP && a.Segment.Kind == transport.None && !op.mayBeAbout(a, s.nonce, seq) {
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
