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

// matchUDP goes by the payload as far as it came back, and by the checksum
// where only that did.
func (c *core) matchUDP(a *transport.Arrival, peer netip.Addr, arrival time.Duration) (uint16, *slot, likeness) {
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
		return c.matchSole(peer, arrival)
	}
	op := c.ops.get(s.op)
	switch {
	case op == nil:
		return seq, s, wholly
	case !op.payload.numbered:
		return c.matchSole(peer, arrival)
	case !direct && op.payload.agrees(payload, s.nonce, seq):
		return seq, s, wholly
	}
	if proven, whole := op.payload.compare(payload, s.nonce, seq); proven && whole {
		return seq, s, wholly
	}
	return c.matchSole(peer, arrival)
}

// peerOf returns the address that the probe was sent to.
func peerOf(a *transport.Arrival) netip.Addr {
	peer := a.Source
	if a.Segment.Kind == transport.None {
		peer = a.Quote.Destination
	}
	return peer.WithZone("").Unmap()
}
