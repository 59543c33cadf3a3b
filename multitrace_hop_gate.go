package icmplib

import (
	"net/netip"
	"time"
)

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
