package netsim

import (
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/wire"
)

const (
	reassemblyTime = 30 * time.Second // RFC 1122 section 3.3.2 asks for a fixed time
	maxReassembly  = 64               // packets at once
)

// reassembly puts the client's fragments together, as the nodes would have to
// do that look into packets. The network then carries the whole packet.
type reassembly struct{ packets []*partial }

// partial is a packet of which fragments are awaited.
type partial struct {
	key     partialKey
	since   time.Time
	pieces  []piece
	end     int // length of what is fragmented; 0: not known yet
	largest int // of the fragments, with its header
}

type partialKey struct {
	addresses [32]byte
	proto     uint8
	id        uint32
}

type piece struct {
	offset int
	whole  packet
}

// add takes a fragment, and returns the whole packet when it was the last one.
func (r *reassembly) add(now time.Time, p packet) (packet, bool) {
	p.b = slices.Clone(p.b)
	key, offset, more := p.fragment()
	r.packets = slices.DeleteFunc(r.packets, func(q *partial) bool { return now.Sub(q.since) > reassemblyTime })
	i := slices.IndexFunc(r.packets, func(q *partial) bool { return q.key == key })
	if i < 0 {
		if len(r.packets) == maxReassembly {
			r.packets = slices.Delete(r.packets, 0, 1)
		}
		r.packets = append(r.packets, &partial{key: key, since: now})
		i = len(r.packets) - 1
	}
	q := r.packets[i]
	q.pieces = append(q.pieces, piece{offset, p})
	q.largest = max(q.largest, len(p.b))
	if !more {
		q.end = offset + len(p.transport())
	}
	whole, ok := q.assemble()
	if ok {
		r.packets = slices.Delete(r.packets, i, i+1)
	}
	return whole, ok
}

// fragment returns what a fragment says about itself.
func (p *packet) fragment() (key partialKey, offset int, more bool) {
	key.proto = p.proto
	if !p.v6 {
		var head wire.IPv4
		_ = head.Parse(p.b) // it was parsed before
		copy(key.addresses[:], p.b[12:20])
		key.id = uint32(head.ID)
		return key, head.FragmentOffset, head.MoreFragments
	}
	var upper wire.UpperLayer
	_ = upper.Find(p.b[6], p.b[wire.IPv6HeaderLen:])
	copy(key.addresses[:], p.b[8:40])
	key.id = upper.FragmentID
	return key, upper.FragmentOffset, upper.MoreFragments
}

// assemble returns the whole packet if there are no gaps. It has no IPv6
// extension headers any more.
func (q *partial) assemble() (packet, bool) {
	if q.end == 0 || q.end > maxPacket-wire.IPv4MaxHeaderLen {
		return packet{}, false
	}
	slices.SortStableFunc(q.pieces, func(a, b piece) int { return a.offset - b.offset })
	body := make([]byte, 0, q.end)
	for _, piece := range q.pieces {
		if piece.offset > len(body) {
			return packet{}, false
		}
		if t := piece.whole.transport(); piece.offset+len(t) > len(body) {
			body = append(body, t[len(body)-piece.offset:]...)
		}
	}
	if len(body) != q.end {
		return packet{}, false
	}
	first := &q.pieces[0].whole
	p := packet{v6: first.v6, proto: first.proto, l4: first.headerLen(), largest: q.largest}
	p.b = append(slices.Clone(first.b[:p.l4]), body...)
	if p.v6 {
		p.b[6] = p.proto
	} else {
		p.b[6] &^= 0x20 // more fragments
	}
	p.setLength()
	return p, true
}
