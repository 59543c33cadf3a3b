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
	seq, s, like := c.matchArrival(a, arrival)
	if s == nil {
		c.counters.Foreign++
		if like == unsure {
			c.tellUnclear(a)
		}
		return
	}
	c.credit(seq, s, &heard{&a.Reply, arrival, like, a.Segment.Kind, a.Retransmitted})
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

// matchUDP goes by the payload as far as it came back, and by the checksum where
// only that did. Where the nonce came back it has to agree. Where neither did,
// as in 8 quoted bytes of which the system hands out no header, the probe has to
// be the only one; a number or a checksum that is not ours is that of no probe.
func (c *core) matchUDP(a *transport.Arrival, peer netip.Addr, arrival time.Duration) (uint16, *slot, likeness) {
	direct := a.Segment.Kind != transport.None
	payload := a.Quote.Payload
	if direct {
		payload = a.Segment.Payload
	}
	seq := numberIn(a)
	s := c.table.lookup(seq)
	if s == nil || s.addr() != peer {
		return c.matchUnnumbered(a, peer, arrival)
	}
	op := c.ops.get(s.op)
	if op == nil {
		return seq, s, wholly
	}
	if !op.payload.numbered {
		return c.matchUnnumbered(a, peer, arrival)
	}
	if direct {
		if proven, whole := op.payload.compare(payload, s.nonce, seq); proven && whole {
			return seq, s, wholly
		}
		return c.matchUnnumbered(a, peer, arrival)
	}
	switch agrees, proven := op.payload.agrees(payload, s.nonce, seq); {
	case !agrees:
		return 0, nil, unlike
	case proven:
		return seq, s, wholly
	}
	return seq, s, bare
}

// matchUnnumbered finds the only probe to a host for what bears the number of
// none: what a service answers, which need not be what it was sent, and errors
// about payloads of a caller's, as far as they agree. An error about a numbered
// probe that quotes a number has quoted another one.
func (c *core) matchUnnumbered(a *transport.Arrival, peer netip.Addr, arrival time.Duration) (uint16, *slot, likeness) {
	seq, s, like := c.matchSole(peer, arrival)
	if s == nil || a.Segment.Kind != transport.None {
		return seq, s, like
	}
	if op := c.ops.get(s.op); op != nil && !op.mayBeAbout(a, s.nonce, seq) {
		return 0, nil, unlike
	}
	return seq, s, like
}

// mayBeAbout reports whether a UDP error that quotes no number that was sent can
// be about a probe of the operation.
func (op *Op) mayBeAbout(a *transport.Arrival, n nonce, seq uint16) bool {
	agrees, _ := op.payload.agrees(a.Quote.Payload, n, seq)
	return agrees && (!op.payload.numbered || numberIn(a) == 0)
}

// numberIn returns the number of the probe that something about a datagram
// brings back: at the beginning of the payload, or as the quoted checksum; 0 where
// it brings none.
func numberIn(a *transport.Arrival) uint16 {
	payload, number := a.Quote.Payload, a.Quote.Checksum
	if a.Segment.Kind != transport.None {
		payload, number = a.Segment.Payload, 0
	}
	if len(payload) >= numberSize {
		return binary.BigEndian.Uint16(payload)
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
