// Package trouble traces the route to a host when that ceases to answer, and says what
// is different from when all was well.
package trouble

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"github.com/goicmp/icmplib"
)

// Change is what a probe changes about a host.
type Change uint8

// The changes.
const (
	None Change = iota
	Up          // it answers, for the first time or again
	Down        // it has ceased to answer, or never did
)

// Detector tells from the fates of probes when a host goes down and comes back.
//
//  1. It is down when so many probes in a row were lost, from the first one on, too.
//  2. It is up with the first reply.
//  3. Each change is told once.
type Detector struct {
	Losses int // in a row, that make it down

	lost     int
	up, down bool
}

// Note takes the fate of a probe, in their order.
func (d *Detector) Note(answered bool) Change {
	switch {
	case answered && d.up:
		d.lost = 0
		return None
	case answered:
		d.lost, d.up, d.down = 0, true, false
		return Up
	}
	if d.lost++; d.lost < d.Losses || d.down {
		return None
	}
	d.up, d.down = false, true
	return Down
}

// atOnce is how many traces run side by side: when a router fails, everything behind it
// goes down.
const atOnce = 4

// Tracer traces routes in the background: that of a host that is up, to compare with,
// and that of one that went down, at once.
type Tracer struct {
	trace func(ctx context.Context, host netip.Addr) (*icmplib.Route, error)
	tell  func(Finding)

	places  chan struct{}
	running sync.WaitGroup

	mu   sync.Mutex
	good map[netip.Addr]*icmplib.Route
	busy map[netip.Addr]bool
}

// Finding is what a trace of a host in trouble has found.
type Finding struct {
	Name string
	Host netip.Addr
	Now  *icmplib.Route
	Good *icmplib.Route // as it was when the host was up; nil: it was never traced then
}

// String says in a line what is different.
func (f Finding) String() string {
	return fmt.Sprintf("%s is down: %s", f.Name, Compare(f.Good, f.Now))
}

// New returns a Tracer that tells each finding.
func New(trace func(ctx context.Context, host netip.Addr) (*icmplib.Route, error), tell func(Finding)) *Tracer {
	return &Tracer{
		trace: trace, tell: tell, places: make(chan struct{}, atOnce),
		good: map[netip.Addr]*icmplib.Route{}, busy: map[netip.Addr]bool{},
	}
}

// Take acts on a change of a host. It does not wait: a host that is being traced already
// is not traced twice.
func (t *Tracer) Take(ctx context.Context, name string, host netip.Addr, change Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if change == None || t.busy[host] {
		return
	}
	t.busy[host] = true
	t.running.Go(func() {
		route := t.run(ctx, host)
		t.mu.Lock()
		delete(t.busy, host)
		good := t.good[host]
		if change == Up && route != nil && route.Reached {
			t.good[host] = route
		}
		t.mu.Unlock()
		if change == Down && route != nil {
			t.tell(Finding{name, host, route, good})
		}
	})
}

func (t *Tracer) run(ctx context.Context, host netip.Addr) *icmplib.Route {
	select {
	case t.places <- struct{}{}:
		defer func() { <-t.places }()
	case <-ctx.Done():
		return nil
	}
	route, _ := t.trace(ctx, host) // what there is of it is what can be told
	return route
}

// Wait waits until no trace runs any more.
func (t *Tracer) Wait() { t.running.Wait() }

// Compare says in words where a route differs from a good one, nil if there is none.
func Compare(good, now *icmplib.Route) string {
	last := lastAnswering(now)
	if now.Reached {
		return "the trace reached it, " + difference(good, now)
	}
	where := "nobody on the way answers"
	if last > 0 {
		where = fmt.Sprintf("the trace gets as far as hop %d (%s)", last, addressAt(now, last))
	}
	where += ", " + now.End.String()
	if good == nil {
		return where
	}
	return where + "; " + difference(good, now)
}

// difference says where the hops differ.
func difference(good, now *icmplib.Route) string {
	if good == nil {
		return "and there is no route to compare with"
	}
	for distance := 1; distance <= max(len(good.Hops), len(now.Hops)); distance++ {
		was, is := addressAt(good, distance), addressAt(now, distance)
		if !was.IsValid() || was == is || isAmong(now, distance, was) {
			continue
		}
		who := "nobody"
		if is.IsValid() {
			who = is.String()
		}
		return fmt.Sprintf("at hop %d answers %s, where %s did", distance, who, strings.Join(rest(good, distance), ", "))
	}
	return "the way is as it was"
}

// rest are the addresses of a hop and of those behind it, three at the most.
func rest(r *icmplib.Route, from int) (addresses []string) {
	for distance := from; distance <= len(r.Hops) && len(addresses) < 3; distance++ {
		if a := addressAt(r, distance); a.IsValid() {
			addresses = append(addresses, a.String())
		}
	}
	return addresses
}

func addressAt(r *icmplib.Route, distance int) netip.Addr {
	for i := range r.Hops {
		if r.Hops[i].Distance == distance && !r.Hops[i].IsSilent() {
			return r.Hops[i].Responders[0].Address
		}
	}
	return netip.Addr{}
}

// isAmong reports whether an address is one of those that answer at a distance.
func isAmong(r *icmplib.Route, distance int, addr netip.Addr) bool {
	for i := range r.Hops {
		if r.Hops[i].Distance != distance {
			continue
		}
		for j := range r.Hops[i].Responders {
			if r.Hops[i].Responders[j].Address == addr {
				return true
			}
		}
	}
	return false
}

// lastAnswering returns the distance of the last hop that answers, 0 for none.
func lastAnswering(r *icmplib.Route) int {
	last := 0
	for i := range r.Hops {
		if !r.Hops[i].IsSilent() {
			last = r.Hops[i].Distance
		}
	}
	return last
}
