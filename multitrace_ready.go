package icmplib

import (
	"math/rand/v2"
	"time"
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
