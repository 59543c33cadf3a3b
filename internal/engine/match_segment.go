package engine

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// receiveArrival takes what came about a UDP, TCP or SCTP probe at a moment.
func (c *core) receiveArrival(a *transport.Arrival, arrival time.Duration) {
	seq, s, like := c.matchArrival(a)
	if s == nil {
		c.counters.Foreign++
		return
	}
	c.credit(seq, s, like, a, arrival)
}

// credit settles the probe that an arrival is about, if it is open.
func (c *core) credit(seq uint16, s *slot, like likeness, a *transport.Arrival, arrival time.Duration) {
	if s.state == inFlight && arrival > s.deadline {
		c.silence(seq, s)
	}
	fate := judgeArrival(a, s, like)
	switch fate {
	case Replied, Failed:
		c.table.settle(seq, s, answered)
	case Late:
		s.state = answered
	}
	c.report(s, &Outcome{
		Fate:           fate,
		RTT:            max(0, arrival-s.sent),
		PayloadChanged: like == partly,
		Answer:         a.Segment.Kind,
		Retransmitted:  a.Retransmitted,
	}, &a.Reply)
}

// judgeArrival is judge, for other protocols than ICMP.
func judgeArrival(a *transport.Arrival, s *slot, like likeness) Fate {
	direct := a.Segment.Kind != transport.None
	if fate := judge(&a.Reply, s, like); !direct || fate != Failed {
		return fate
	}
	return Replied
}

// matchArrival finds the probe that an arrival is about.
func (c *core) matchArrival(a *transport.Arrival) (uint16, *slot, likeness) {
	peer := a.Source
	if a.Segment.Kind == transport.None {
		peer = a.Quote.Destination
	}
	peer = peer.WithZone("").Unmap()
	if a.Protocol == icmp.UDP {
		return c.matchUDP(a, peer)
	}
	if !a.Identified {
		return c.matchSole(peer)
	}
	seq := uint16(a.Identity)
	s := c.table.lookup(seq)
	if s == nil || s.addr() != peer || identity(seq, s.nonce) != a.Identity {
		return 0, nil, unlike
	}
	return seq, s, wholly
}

// matchUDP goes by the payload as far as it came back, and by the checksum
// where only that did.
func (c *core) matchUDP(a *transport.Arrival, peer netip.Addr) (uint16, *slot, likeness) {
	direct := a.Segment.Kind != transport.None
	payload := a.Quote.Payload
	seq := a.Quote.Checksum
	if direct {
		payload, seq = a.Segment.Payload, 0
	}
	if len(payload) >= numberSize {
		seq = binary.BigEndian.Uint16(payload)
	}
	s := c.table.lookup(seq)
	if s == nil || s.addr() != peer {
		return c.matchSole(peer)
	}
	op := c.ops.get(s.op)
	switch {
	case op == nil:
		return seq, s, wholly
	case !op.payload.numbered:
		return c.matchSole(peer)
	case !direct && op.payload.agrees(payload, s.nonce, seq):
		return seq, s, wholly
	}
	if proven, whole := op.payload.compare(payload, s.nonce, seq); proven && whole {
		return seq, s, wholly
	}
	return c.matchSole(peer)
}

// soleLimit bounds the search for the only probe to a host.
const soleLimit = 4096

// matchSole finds the probe that something without a mark of it must be about:
// the only one to its host, in flight or settled not long ago. With two of them
// nothing is guessed.
func (c *core) matchSole(peer netip.Addr) (uint16, *slot, likeness) {
	if c.table.inFlight > soleLimit {
		return 0, nil, unlike
	}
	var seq uint16
	var sole *slot
	dst := peer.As16()
	for i, p := range c.table.pages {
		if p == nil {
			continue
		}
		for j := range p.slots {
			s := &p.slots[j]
			if s.state == free || s.dst != dst {
				continue
			}
			if sole != nil {
				return 0, nil, unlike
			}
			seq, sole = uint16(i*pageSize+j), s
		}
	}
	if sole == nil || sole.state != inFlight {
		return 0, nil, unlike
	}
	return seq, sole, wholly
}
