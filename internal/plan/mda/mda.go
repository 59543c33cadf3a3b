// Package mda is the strategy of a trace by several flows: which flow is probed at which
// hop, and when, and what the answers mean for the graph. It is pure: see internal/plan.
//
// It is the multipath detection algorithm (MDA: Augustin, Friedman, Teixeira, 2007), and,
// as long as no evidence contradicts it, its lighter form (MDA-Lite: Vermeulen, Strowes,
// Fourmaux, Friedman, 2018), which treats each hop as a whole.
//
// The rules:
//
//  1. A flow is probed at a hop until it is answered, at most Count times. It is probed
//     again after 250 ms, then after twice as long each time, and not before twice the
//     longest RTT; but after Timeout in any case.
//  2. A hop's probes leave 8 at a time, an Interval apart.
//  3. One flow scouts ahead of the answers, 4 hops beyond the farthest that answered, and 4
//     more after each Interval. The other flows follow it up to the nearest end.
//  4. A flow ends at the nearest hop whose answers end it (see [plan.Answers]). Beyond the
//     nearest end of all, only flows that were seen to go on there are probed.
//  5. The trace ends where the hops form a loop, after GapLimit silent hops, or at MaxHops.
//  6. With a fixed number of flows, each is probed at each hop up to its end.
//  7. Otherwise the stopping rule defines how many flows must be seen at a hop: n_k for k
//     nodes. Flows that are known to pass the hop before come first, those of each router
//     in turn. Silence beside answers counts as a node.
//  8. Two flows of each of several routers are followed to the next hop, and back from each
//     of several nodes, as far as there are such flows.
//  9. The hops of a diamond are not treated as a whole if nodes are meshed (of two
//     consecutive hops, a node of the one that is not narrower has several neighbors in the
//     other), if nodes differ in width (one has more neighbors than another), if load is
//     balanced per packet, or if flows met silence beside answers. There the stopping rule
//     must hold behind each router, as in MDA.
//  10. If too few flows pass a router, further flows are tried at the router's own hop.
//  11. Flows of a router with k next hops are sent again, so often that a router which
//     spreads packets at random is missed only once in 1000 times: 10 times if k is 2, 7
//     times if it is 3. One flow is sent 3 times in a row, to find a router that uses its
//     next hops in turn. If each node has its own next hop, a flow that meets beyond a node
//     the same next hop as other flows of that node counts as one that was sent again.
//  12. If packets of one flow met several nodes, these form a set: the next hops of one
//     router in the set are the next hops of all. Before the stopping rule applies, at
//     least as many next hops are assumed as the set has routers.
//  13. For each node, a router that leads to it is searched for, and for each router a next
//     hop.
//  14. If answers do not identify their probe, probes leave one by one. Earlier probes that
//     stay silent count nowhere, and flows without an answer by then are probed anew.
//  15. Probes beyond the end of a flow are not part of its path, and probes in flight when
//     the trace is cut are unsettled.
//  16. The graph is complete if rules 7 to 13 hold everywhere, and this host itself refused
//     no probe: see [View.Holds].
package mda

import (
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// MaxFlows is the maximum number of flows in one trace.
const MaxFlows = 512

// Config is the configuration of a trace.
type Config struct {
	FirstHop int
	MaxHops  int
	Count    int // attempts for each flow and hop
	GapLimit int // silent hops in a row that end the trace; 0: any number
	Flows    int // < 0: the stopping rule decides
	Interval time.Duration
	Timeout  time.Duration
}

// most returns the maximum number of flows.
func (c *Config) most() int {
	if c.Flows < 0 {
		return MaxFlows
	}
	return c.Flows
}

const (
	// burst is how many probes to one hop leave together. The next burst leaves an Interval
	// later, because routers limit how many errors they send.
	burst = 8

	// ahead is how many hops are probed ahead of the farthest that answered. Probes beyond
	// the target are sent in vain.
	ahead = 4

	// patience is the least time before a flow is probed again, because the answer times of
	// farther hops are unknown.
	patience = 250 * time.Millisecond
)

// window limits how many hops may be probed. It opens with each answer, and with time, so
// that a stretch of silent hops does not stop a trace.
type window struct {
	hops  int
	grows time.Time     // when it opens by itself
	every time.Duration // how long after that again
}

// leastGrowth keeps a trace without an interval from probing all hops at once.
const leastGrowth = 10 * time.Millisecond

func newWindow(now time.Time, interval time.Duration) window {
	every := max(interval, leastGrowth)
	return window{hops: ahead, grows: now.Add(every), every: every}
}

// grow opens the window if it is time, and reports whether it was.
func (w *window) grow(now time.Time) bool {
	if now.Before(w.grows) {
		return false
	}
	w.hops += ahead
	w.grows = now.Add(w.every)
	return true
}

// answered opens the window behind a hop that answered.
func (w *window) answered(hop int) { w.hops = max(w.hops, hop+1+ahead) }

// Trace is a trace of several flows at work.
type Trace struct {
	rules
	window   window
	slow     time.Duration // the longest RTT
	inFlight int
	alone    bool
	refused  bool // this host itself refused a probe
}

// New begins a trace.
func New(cfg Config, now time.Time) *Trace {
	return &Trace{rules: newRules(cfg), window: newWindow(now, cfg.Interval)}
}

// opens reports whether the window opens by itself.
func (t *Trace) opens() bool { return t.window.hops <= t.last && t.near == never }

// Next returns a probe that may leave now, or when there may be one.
func (t *Trace) Next(now time.Time) (p plan.Probe, ok bool, wake time.Time) {
	if t.opens() && t.window.grow(now) {
		t.stale = true
	}
	t.update(t.window.hops)
	for _, at := range t.todo {
		a := t.ask(at.hop, at.flow)
		if !t.wants(a) {
			continue
		}
		due := t.due(&t.hops[at.hop], a, now)
		if !due.After(now) {
			return t.take(at, now), true, now
		}
		wake = plan.Earlier(wake, due)
	}
	if t.opens() {
		wake = plan.Earlier(wake, t.window.grows)
	}
	return p, false, wake
}

// due returns when an ask may be sent.
func (t *Trace) due(h *hop, a *ask, now time.Time) time.Time {
	due := now
	if h.burst >= burst {
		due = h.left.Add(t.cfg.Interval)
	}
	if again := a.sent - a.discarded; again > 0 && a.answered == 0 {
		// Longer each time, because routers limit their errors.
		pause := max(t.cfg.Interval, patience<<min(again-1, 4), 2*t.slow)
		if after := a.left.Add(min(pause, t.cfg.Timeout)); after.After(due) {
			due = after
		}
	}
	return due
}

// take notes that a probe will leave.
func (t *Trace) take(at place, now time.Time) plan.Probe {
	h, a := &t.hops[at.hop], t.ask(at.hop, at.flow)
	if !now.Before(h.left.Add(t.cfg.Interval)) {
		h.left, h.burst = now, 0
	}
	number := len(h.probes)
	h.burst++
	h.probes = append(h.probes, probe{flow: at.flow})
	a.sent++
	a.open++
	a.left = now
	t.inFlight++
	distance := t.cfg.FirstHop + at.hop
	return plan.Probe{Key: plan.MakeKey(distance, number), TTL: distance, Flow: at.flow}
}

// probe returns the state of a probe.
func (t *Trace) probe(k plan.Key) *probe { return &t.hops[k.Hop()-t.cfg.FirstHop].probes[k.Number()] }

// place returns the place that a probe asked about.
func (t *Trace) place(k plan.Key) place { return place{k.Hop() - t.cfg.FirstHop, t.probe(k).flow} }

// Wants reports whether a waiting probe should still leave.
func (t *Trace) Wants(k plan.Key) bool {
	at := t.place(k)
	a := t.ask(at.hop, at.flow)
	return at.hop <= t.last && t.ends[at.flow] >= at.hop && k.Number() >= a.below && (a.answered == 0 || a.answered+a.open <= a.want)
}

// Recall notes that a probe does not leave.
func (t *Trace) Recall(k plan.Key) {
	at := t.place(k)
	a := t.ask(at.hop, at.flow)
	a.sent--
	a.discarded = min(a.discarded, a.sent)
	t.settle(a)
}

// settle notes that a probe is no longer in flight.
func (t *Trace) settle(a *ask) {
	a.open--
	t.inFlight--
	t.stale = true
}

// Sent notes that the system accepted a probe.
func (t *Trace) Sent(k plan.Key, at time.Time) {
	p := t.place(k)
	t.ask(p.hop, p.flow).left = at
}

// Refused notes that the system refused a probe: no answer will come.
func (t *Trace) Refused(k plan.Key, _ error, _ time.Time) {
	at := t.place(k)
	t.probe(k).heard = true
	t.settle(t.ask(at.hop, at.flow))
}

// Observe notes an observation of a probe.
func (t *Trace) Observe(_ time.Time, o *plan.Observation) {
	if o.Kind == plan.Unclear {
		if !t.alone {
			t.alone, t.stale = true, true
			t.discard()
		}
		return
	}
	at, p := t.place(o.Key), t.probe(o.Key)
	p.silent, p.heard = p.silent || o.Kind == plan.Silent, p.heard || o.Kind != plan.Silent
	if o.Settles {
		t.settle(t.ask(at.hop, at.flow))
	}
	first := o.Settles || o.Late // and not a reply after an error
	if !first || o.Duplicate || !o.IsAnswer() {
		return
	}
	t.stale, t.refused = true, t.refused || o.Local
	t.answer(at.hop, at.flow, o.Responder, o.Answer())
	t.slow = max(t.slow, o.RTT)
	t.window.answered(at.hop)
}

// Alone reports whether probes leave one by one.
func (t *Trace) Alone() bool { return t.alone }

// Done reports whether everything that the rules demand is known.
func (t *Trace) Done() bool {
	if t.inFlight > 0 || t.opens() {
		return false
	}
	t.update(t.window.hops)
	for _, at := range t.todo {
		if t.wants(t.ask(at.hop, at.flow)) {
			return false
		}
	}
	return true
}
