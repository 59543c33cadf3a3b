package icmplib

import (
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// The tag of a probe names its trace's place, which trace it is that has the
// place, the hop, and the ordinal of the probe among those to the hop.
const (
	tracePlaceBits      = 16
	traceSeqBits        = 12 // twice maxTracerouteCount: see traceCare
	traceHopBits        = 8
	traceGenerationBits = 64 - tracePlaceBits - traceSeqBits - traceHopBits
)

// traceRef names a trace in flight. What outlives the trace finds another
// generation in its place.
type traceRef struct{ place, generation uint32 }

func (r traceRef) tag(hop, seq int) uint64 {
	return uint64(r.generation)<<(64-traceGenerationBits) | uint64(r.place)<<(traceHopBits+traceSeqBits) |
		uint64(hop)<<traceSeqBits | uint64(seq)
}

func splitTraceTag(tag uint64) (r traceRef, hop, seq int) {
	r.generation = uint32(tag >> (64 - traceGenerationBits))
	r.place = uint32(tag >> (traceHopBits + traceSeqBits) & (1<<tracePlaceBits - 1))
	return r, int(tag >> traceSeqBits & (1<<traceHopBits - 1)), int(tag & (1<<traceSeqBits - 1))
}

// sweptTrace is a trace in flight.
type sweptTrace struct {
	route *Route
	plan  tracePlan
	pool  *engine.Pool
	turn  *traceTurn // nil while it has none
	index int        // of the target

	opened  int  // hops that are known to the sweep
	last    int  // the last of them that mattered when they were looked at
	queued  int  // probes that wait among the ready ones
	careful bool // probes leave one by one, as the plan says
	growing bool // a timer is set for the window

	generation uint32
}

func (t *sweptTrace) ref(place uint32) traceRef { return traceRef{place, t.generation} }

// patience is for how long a trace waits for answers until it probes farther
// than they tell it to: what is sent in vain is at the cost of the other traces.
func (t *sweptTrace) patience() time.Duration {
	return max(growAfter(t.plan.opts), fastPatience, 2*t.plan.slow)
}

// tracePlaces is the places of the traces in flight.
type tracePlaces struct {
	places []sweptTrace
	free   []uint32
	spare  [][]planHop // of plans that are done, for others
}

func (p *tracePlaces) len() int { return len(p.places) - len(p.free) }

// usualHops is how many hops a plan has memory for at first: those of a usual way,
// and what is probed ahead.
const usualHops = 12 + traceAhead

// hops returns memory for the hops of a plan.
func (p *tracePlaces) hops() []planHop {
	n := len(p.spare)
	if n == 0 {
		return make([]planHop, 0, usualHops)
	}
	hops := p.spare[n-1]
	p.spare = p.spare[:n-1]
	return hops
}

// add gives a trace a place.
func (p *tracePlaces) add(t sweptTrace) uint32 {
	n := len(p.free)
	if n == 0 {
		p.places = append(p.places, t)
		return uint32(len(p.places) - 1)
	}
	place := p.free[n-1]
	p.free = p.free[:n-1]
	t.generation = p.places[place].generation
	p.places[place] = t
	return place
}

// remove frees a place.
func (p *tracePlaces) remove(place uint32) {
	t := &p.places[place]
	clear(t.plan.hops)
	p.spare = append(p.spare, t.plan.hops[:0])
	*t = sweptTrace{generation: (t.generation + 1) & (1<<traceGenerationBits - 1)}
	p.free = append(p.free, place)
}

// find returns a trace, nil if it is not in flight any more.
func (p *tracePlaces) find(r traceRef) *sweptTrace {
	if int(r.place) >= len(p.places) {
		return nil
	}
	if t := &p.places[r.place]; t.route != nil && t.generation == r.generation {
		return t
	}
	return nil
}
