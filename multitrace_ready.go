package icmplib

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// readyProbes is the probes that are due, by distance. They leave in random
// order, among all distances whose routers may be asked: so a router that many
// traces share sees them spread over time, and the probes of one trace take turns
// with those of all others.
type readyProbes struct {
	hops  []readyHop // by the index of the hop
	len   int
	limit time.Duration // between two packets at a router; 0: none
	rng   *rand.Rand
}

type readyHop struct {
	probes []traceRef
	gate   hopGate
}

func newReadyProbes(hopRate int, seed uint64) readyProbes {
	r := readyProbes{rng: rand.New(rand.NewPCG(seed, seed>>1))}
	if hopRate > 0 {
		r.limit = time.Second / time.Duration(hopRate)
	}
	return r
}

func (r *readyProbes) hop(index int) *readyHop {
	for len(r.hops) <= index {
		r.hops = append(r.hops, readyHop{gate: newHopGate(r.limit)})
	}
	return &r.hops[index]
}

func (r *readyProbes) push(t traceRef, index int) {
	h := r.hop(index)
	h.probes = append(h.probes, t)
	r.len++
}

// pop takes out one of the probes that may leave.
func (r *readyProbes) pop(now time.Time) (t traceRef, index int, ok bool) {
	open := 0
	for i := range r.hops {
		if h := &r.hops[i]; h.gate.open(now) {
			open += len(h.probes)
		}
	}
	if open == 0 {
		return t, 0, false
	}
	n := r.rng.IntN(open)
	for i := range r.hops {
		h := &r.hops[i]
		switch {
		case !h.gate.open(now):
			continue
		case n >= len(h.probes):
			n -= len(h.probes)
			continue
		}
		last := len(h.probes) - 1
		t, h.probes[n] = h.probes[n], h.probes[last]
		h.probes = h.probes[:last]
		r.len--
		return t, i, true
	}
	return t, 0, false
}

// next returns when a probe may leave as far as routers are concerned, if there
// is any. They are not looked at more often than hopTick.
func (r *readyProbes) next(now time.Time) (at time.Time, ok bool) {
	for i := range r.hops {
		h := &r.hops[i]
		if len(h.probes) > 0 && (!ok || h.gate.next.Before(at)) {
			at, ok = h.gate.next, true
		}
	}
	if soon := now.Add(hopTick); ok && at.After(now) && at.Before(soon) {
		at = soon
	}
	return at, ok
}

// hopGate keeps the rate of packets at the routers of one distance.
//
// Who will answer a probe is known only afterwards. But probes leave in random
// order, so what part of them one router gets is what part of the answers is its
// own: the busiest router of a distance keeps to its limit when the distance
// keeps to the limit divided by that part. While nothing is known, all traces
// are taken to share one router, as near to us they do.
type hopGate struct {
	limit time.Duration // between two packets at a router; 0: none
	pause time.Duration // between two packets at the distance
	next  time.Time     // when the next may leave

	recent []netip.Addr // a ring of those who answered
	head   int
	counts map[netip.Addr]int // how often each is in it
	fresh  int                // answers since pause was set
}

const (
	// hopMemory is how many answers the part of a router is taken from, hopLearn
	// how many there have to be, and after how many it is taken anew.
	hopMemory = 256
	hopLearn  = 32

	// hopBurst bounds how much of a pause is made up for, hopTick is how often
	// probes that wait for a router are looked at.
	hopBurst = 10 * time.Millisecond
	hopTick  = 2 * time.Millisecond
)

func newHopGate(limit time.Duration) hopGate {
	return hopGate{limit: limit, pause: limit}
}

func (g *hopGate) open(now time.Time) bool { return !g.next.After(now) }

// take notes that a packet leaves.
func (g *hopGate) take(now time.Time) {
	if g.limit == 0 {
		return
	}
	if earliest := now.Add(-hopBurst); g.next.Before(earliest) {
		g.next = earliest
	}
	g.next = g.next.Add(g.pause)
}

// heard notes who answered.
func (g *hopGate) heard(router netip.Addr) {
	if g.limit == 0 {
		return
	}
	if g.counts == nil {
		g.counts = map[netip.Addr]int{}
	}
	if len(g.recent) < hopMemory {
		g.recent = append(g.recent, router)
	} else {
		old := g.recent[g.head]
		if g.counts[old]--; g.counts[old] == 0 {
			delete(g.counts, old)
		}
		g.recent[g.head] = router
		g.head = (g.head + 1) % hopMemory
	}
	g.counts[router]++
	if g.fresh++; g.fresh < hopLearn {
		return
	}
	g.fresh = 0
	most := 0
	for _, n := range g.counts {
		most = max(most, n)
	}
	g.pause = g.limit * time.Duration(most) / time.Duration(len(g.recent))
}

// traceTimers is a heap of what is to be looked at again, the next first. A
// trace that is gone, or a hop that needs nothing any more, is found out then.
type traceTimers []traceTimer

type traceTimer struct {
	at    time.Time
	trace traceRef
	index int // of the hop; wakeTrace: the trace as a whole
}

const wakeTrace = -1

func (h traceTimers) first() (at time.Time, ok bool) {
	if len(h) == 0 {
		return at, false
	}
	return h[0].at, true
}

func (h *traceTimers) push(t traceTimer) {
	*h = append(*h, t)
	all := *h
	for i := len(all) - 1; i > 0; {
		parent := (i - 1) / 2
		if !all[i].at.Before(all[parent].at) {
			return
		}
		all[i], all[parent] = all[parent], all[i]
		i = parent
	}
}

// pop takes out the first if it is due.
func (h *traceTimers) pop(now time.Time) (t traceTimer, ok bool) {
	all := *h
	if len(all) == 0 || all[0].at.After(now) {
		return t, false
	}
	t = all[0]
	last := len(all) - 1
	all[0] = all[last]
	all = all[:last]
	*h = all
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return t, true
		}
		if child+1 < last && all[child+1].at.Before(all[child].at) {
			child++
		}
		if !all[child].at.Before(all[i].at) {
			return t, true
		}
		all[i], all[child] = all[child], all[i]
		i = child
	}
}

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
