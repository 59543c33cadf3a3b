package drive

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// waiting is a probe that waits to leave.
type waiting struct {
	Ref
	probe plan.Probe
}

// ready holds the probes that wait to leave. They leave in order, those of tasks that have
// begun before those of fresh tasks, because the former have a time to keep; with routers
// to wait for, they leave as the routers allow.
type ready struct {
	len     int
	again   ring[waiting]
	fresh   ring[waiting]
	routers *routers
}

func (r *ready) push(w waiting, begun bool) {
	r.len++
	switch {
	case r.routers != nil:
		h := r.routers.hop(w.probe.TTL)
		h.probes = append(h.probes, w)
	case begun:
		r.again.push(w)
	default:
		r.fresh.push(w)
	}
}

// pop takes out a probe that may leave.
func (r *ready) pop(now time.Time) (w waiting, ok bool) {
	switch {
	case r.len == 0:
		return w, false
	case r.routers != nil:
		if w, ok = r.routers.pop(now); !ok {
			return w, false
		}
	case r.again.len() > 0:
		w = r.again.pop()
	default:
		w = r.fresh.pop()
	}
	r.len--
	return w, true
}

// next returns when the routers allow a probe to leave, if there is one.
func (r *ready) next(now time.Time) (at time.Time, ok bool) {
	if r.routers != nil {
		return r.routers.next(now)
	}
	return now, r.len > 0
}

// take notes that a packet leaves whose TTL ends at a distance.
func (r *ready) take(ttl int, now time.Time) {
	if r.routers != nil {
		r.routers.hop(ttl).gate.take(now)
	}
}

// heard notes the router that answered a packet whose TTL ended at a distance.
func (r *ready) heard(ttl int, router netip.Addr) {
	if r.routers != nil {
		r.routers.hop(ttl).gate.heard(router)
	}
}

// Routers limits the packets whose TTL ends at one router.
type Routers struct {
	Rate int    // packets per second whose TTL ends at one router; 0: no limit
	Seed uint64 // of the order in which probes leave
}

// routers holds the probes that wait for the routers at which their TTL ends, by distance.
// They leave in random order, among all distances whose routers may be probed, so that a
// router which many traces share sees them spread over time, and the probes of one trace
// leave among those of all others.
type routers struct {
	hops  []routersHop  // by TTL
	limit time.Duration // between two packets at a router; 0: none
	rng   *rand.Rand
	open  []*routersHop // of pop
}

type routersHop struct {
	probes []waiting
	gate   gate
}

func newRouters(cfg *Routers) *routers {
	r := &routers{rng: rand.New(rand.NewPCG(cfg.Seed, cfg.Seed>>1))}
	if cfg.Rate > 0 {
		r.limit = time.Second / time.Duration(cfg.Rate)
	}
	return r
}

func (r *routers) hop(ttl int) *routersHop {
	for len(r.hops) <= ttl {
		r.hops = append(r.hops, routersHop{gate: newGate(r.limit)})
	}
	return &r.hops[ttl]
}

// pop takes out one of the probes that may leave.
func (r *routers) pop(now time.Time) (w waiting, ok bool) {
	open := 0
	r.open = r.open[:0]
	for i := range r.hops {
		if h := &r.hops[i]; len(h.probes) > 0 && h.gate.open(now) {
			open += len(h.probes)
			r.open = append(r.open, h)
		}
	}
	if open == 0 {
		return w, false
	}
	n := r.rng.IntN(open)
	for _, h := range r.open {
		if n >= len(h.probes) {
			n -= len(h.probes)
			continue
		}
		last := len(h.probes) - 1
		w, h.probes[n] = h.probes[n], h.probes[last]
		h.probes = h.probes[:last]
		break
	}
	return w, true
}

// next returns when a probe may leave, if there is any. Routers are not examined more often
// than every gateTick.
func (r *routers) next(now time.Time) (at time.Time, ok bool) {
	for i := range r.hops {
		h := &r.hops[i]
		if len(h.probes) > 0 && (!ok || h.gate.next.Before(at)) {
			at, ok = h.gate.next, true
		}
	}
	if soon := now.Add(gateTick); ok && at.After(now) && at.Before(soon) {
		at = soon
	}
	return at, ok
}

// gate keeps the rate of packets at the routers of one distance.
//
// Which router answers a probe is known only afterwards. But probes leave in random order,
// so a router's share of the probes equals its share of the answers: the busiest router of
// a distance stays within its limit if the distance stays within the limit divided by that
// share. While nothing is known, all traces are assumed to share one router, because near
// this host they do.
type gate struct {
	limit time.Duration // between two packets at a router; 0: none
	pause time.Duration // between two packets at the distance
	next  time.Time     // when the next may leave

	recent []netip.Addr // a ring of the routers that answered
	head   int
	counts map[netip.Addr]int // how often each is in recent
	fresh  int                // answers since pause was set
}

const (
	// gateMemory is the number of answers from which a router's share is computed;
	// gateLearn is the number of answers that this needs at least, and after which it is
	// repeated.
	gateMemory = 256
	gateLearn  = 32

	// gateBurst limits how much of a pause is made up for; gateTick is how often probes
	// that wait for a router are examined.
	gateBurst = 10 * time.Millisecond
	gateTick  = 2 * time.Millisecond
)

func newGate(limit time.Duration) gate { return gate{limit: limit, pause: limit} }

func (g *gate) open(now time.Time) bool { return !g.next.After(now) }

// take notes that a packet leaves.
func (g *gate) take(now time.Time) {
	if g.limit == 0 {
		return
	}
	if earliest := now.Add(-gateBurst); g.next.Before(earliest) {
		g.next = earliest
	}
	g.next = g.next.Add(g.pause)
}

// heard notes the router that answered.
func (g *gate) heard(router netip.Addr) {
	if g.limit == 0 {
		return
	}
	if g.counts == nil {
		g.counts = map[netip.Addr]int{}
	}
	if len(g.recent) < gateMemory {
		g.recent = append(g.recent, router)
	} else {
		old := g.recent[g.head]
		if g.counts[old]--; g.counts[old] == 0 {
			delete(g.counts, old)
		}
		g.recent[g.head] = router
		g.head = (g.head + 1) % gateMemory
	}
	g.counts[router]++
	if g.fresh++; g.fresh < gateLearn {
		return
	}
	g.fresh = 0
	most := 0
	for _, n := range g.counts {
		most = max(most, n)
	}
	g.pause = g.limit * time.Duration(most) / time.Duration(len(g.recent))
}
