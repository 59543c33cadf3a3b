// Package trouble traces the route to a host when that ceases to answer or loses packets,
// and says what is different from when all was well.
package trouble

import (
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/goicmp/icmplib"
)

// Change is what probes change about a host.
type Change uint8

// The changes.
const (
	None  Change = iota
	Up           // it answers, for the first time or again
	Down         // it has ceased to answer, or never did
	Lossy        // more of its probes are lost than may be
)

// String returns the change in a word: "none", "up", "down" or "loss".
func (c Change) String() string { return [...]string{"none", "up", "down", "loss"}[c] }

// Detector detects from the results of probes when a host goes down and comes back.
//
//  1. It is down after this many lost probes in a row, also at the start.
//  2. It is up with the first reply.
//  3. Each change is reported once.
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

// Loss tells when more than a part of the probes is lost.
//
//  1. The part is that of the last 64 probes, once there were 20.
//  2. It is told once, and again only after it was half as large.
type Loss struct {
	Bound float64 // the part that may be lost; 0: it is never told

	lost  uint64 // a bit for each of the last probes
	n     int
	above bool
}

const (
	lossProbes  = 64
	leastProbes = 20
)

// Note takes the fate of a probe, and returns Lossy when the bound is crossed.
func (l *Loss) Note(answered bool) Change {
	l.lost <<= 1
	if !answered {
		l.lost |= 1
	}
	l.n = min(l.n+1, lossProbes)
	part := float64(bits.OnesCount64(l.lost)) / float64(l.n)
	switch {
	case l.Bound == 0 || l.n < leastProbes:
	case l.above:
		l.above = part > l.Bound/2
	case part > l.Bound:
		l.above = true
		return Lossy
	}
	return None
}

// Options are those of the trace of a host in trouble, with probes such as its own: each
// hop is asked twice, and for no longer than needed.
func Options(packet icmplib.Packet) *icmplib.TracerouteOptions {
	packet.TTL, packet.Broadcast = 0, false
	return &icmplib.TracerouteOptions{Count: 2, Fast: true, GapLimit: 4, Timeout: time.Second, Packet: packet}
}

// Finding is what a trace of a host in trouble has found.
type Finding struct {
	Why  Change // Down or Lossy
	Now  *icmplib.Route
	Good *icmplib.Route // as it was when the host was up; nil: it was never traced then
}

// Text says in a line what is different, of a host that has a name.
func (f Finding) Text(name string) string {
	if f.Why == Lossy {
		return fmt.Sprintf("%s loses packets: %s", name, f.Difference())
	}
	return fmt.Sprintf("%s is down: %s", name, f.Difference())
}

// Difference says where the route differs from the good one.
func (f Finding) Difference() string { return Compare(f.Good, f.Now) }

// Outcome returns "unknown" where there is no good route to compare with, "same" where
// the route is as it was, and else "changed".
func (f Finding) Outcome() string {
	switch {
	case f.Good == nil:
		return "unknown"
	case firstDifference(f.Good, f.Now) == 0:
		return "same"
	}
	return "changed"
}

// Tracer traces routes in the background: to a host that is up, for comparison, and to
// one in trouble, at once.
//
//  1. At most Config.AtOnce traces run at once, at most half of them to hosts that are
//     up. Hosts in trouble come first.
//  2. A host has one trace at a time. Changes in the meantime are handled afterwards.
//  3. At most Config.Hosts are known. Others are left out, and counted.
type Tracer[K comparable] struct {
	cfg Config[K]
	ctx context.Context

	running sync.WaitGroup

	mu           sync.Mutex
	hosts        map[K]*traced
	urgent, calm []K
	runs, calms  int // traces that run, and those of hosts that are up
	leftOut      uint64
}

// Config says how a Tracer works.
type Config[K comparable] struct {
	Trace func(ctx context.Context, host K) (*icmplib.Route, error)
	Tell  func(host K, f Finding)        // is told each finding
	Good  func(host K, r *icmplib.Route) // is told each route of a host that is up; nil: nobody is

	AtOnce, Hosts int // 0: 4, and any number
}

// traced is a host that is known.
type traced struct {
	good    *icmplib.Route
	waits   Change // what is to be looked into; None: nothing
	queued  bool
	running bool
}

// New returns a Tracer that works until ctx ends.
func New[K comparable](ctx context.Context, cfg Config[K]) *Tracer[K] {
	cfg.AtOnce = cmp.Or(cfg.AtOnce, 4)
	return &Tracer[K]{cfg: cfg, ctx: ctx, hosts: map[K]*traced{}}
}

// Take acts on a change of a host. It does not wait.
func (t *Tracer[K]) Take(host K, change Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.hosts[host]
	switch {
	case change == None:
		return
	case h == nil && t.cfg.Hosts > 0 && len(t.hosts) >= t.cfg.Hosts:
		t.leftOut++
		return
	case h == nil:
		h = &traced{}
		t.hosts[host] = h
	case h.waits != None && (change == Up || h.waits != Up):
		return // trouble that is still to be looked into comes first
	}
	h.queued = h.queued && change == Up // else it waits among those that are up
	h.waits = change
	t.queue(host, h)
	t.start()
}

// queue has a host wait for its turn.
func (t *Tracer[K]) queue(host K, h *traced) {
	switch {
	case h.queued || h.running:
		return
	case h.waits == Up:
		t.calm = append(t.calm, host)
	default:
		t.urgent = append(t.urgent, host)
	}
	h.queued = true
}

// start has traces run while there is room for them.
func (t *Tracer[K]) start() {
	for t.runs < t.cfg.AtOnce && t.ctx.Err() == nil {
		host, ok := t.next()
		if !ok {
			return
		}
		h := t.hosts[host]
		why := h.waits
		h.waits, h.queued, h.running = None, false, true
		t.runs++
		if why == Up {
			t.calms++
		}
		t.running.Go(func() { t.run(host, h, why) })
	}
}

// next takes the host whose turn it is.
func (t *Tracer[K]) next() (host K, ok bool) {
	for len(t.urgent) > 0 {
		host, t.urgent = t.urgent[0], t.urgent[1:]
		if h := t.hosts[host]; h != nil && h.queued && h.waits != Up {
			return host, true
		}
	}
	for len(t.calm) > 0 && t.calms < max(t.cfg.AtOnce/2, 1) {
		host, t.calm = t.calm[0], t.calm[1:]
		if h := t.hosts[host]; h != nil && h.queued && h.waits == Up {
			return host, true
		}
	}
	return host, false
}

// run traces a host.
func (t *Tracer[K]) run(host K, h *traced, why Change) {
	route, _ := t.cfg.Trace(t.ctx, host) // what there is of it is what can be told
	t.mu.Lock()
	good, known := h.good, t.hosts[host] == h
	isGood := known && why == Up && route != nil && route.Reached
	if isGood {
		h.good = route
	}
	t.mu.Unlock()
	switch {
	case isGood && t.cfg.Good != nil:
		t.cfg.Good(host, route)
	case known && why != Up && route != nil:
		t.cfg.Tell(host, Finding{why, route, good})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs--
	if why == Up {
		t.calms--
	}
	if h.running = false; h.waits != None {
		t.queue(host, h)
	}
	t.start()
}

// Forget lets go of a host, of which nothing is told any more.
func (t *Tracer[K]) Forget(host K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.hosts, host)
}

// LeftOut returns how often a host was left out because there are too many.
func (t *Tracer[K]) LeftOut() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.leftOut
}

// Wait waits until no trace runs any more.
func (t *Tracer[K]) Wait() { t.running.Wait() }

// Compare says in words where a route differs from a good one, nil if there is none.
func Compare(good, now *icmplib.Route) string {
	last := lastAnswering(now)
	if now.Reached {
		return "the trace reached it, " + difference(good, now)
	}
	where := "no hop answers"
	if last > 0 {
		where = fmt.Sprintf("the trace ends at hop %d (%s)", last, addressAt(now, last))
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
		return "and no earlier route is known"
	}
	distance := firstDifference(good, now)
	if distance == 0 {
		return "the route is unchanged"
	}
	who := "nobody"
	if is := addressAt(now, distance); is.IsValid() {
		who = is.String()
	}
	return fmt.Sprintf("at hop %d, %s answers instead of %s", distance, who, strings.Join(rest(good, distance), ", "))
}

// firstDifference returns the distance of the first hop that differs, 0 for none.
func firstDifference(good, now *icmplib.Route) int {
	for distance := 1; distance <= max(len(good.Hops), len(now.Hops)); distance++ {
		was := addressAt(good, distance)
		if was.IsValid() && was != addressAt(now, distance) && !isAmong(now, distance, was) {
			return distance
		}
	}
	return 0
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
