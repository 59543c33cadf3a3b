// Package trace is the strategy of tracing the path to one target by one flow: which hop is
// probed when, and where the path ends. For strategies in general, see package plan.
package trace

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// Options are the options of a trace.
type Options struct {
	FirstHop int           // the TTL of the nearest hop
	Hops     int           // that may be probed
	Count    int           // probes to each hop; with Fast, attempts
	Interval time.Duration // between two probes to a hop
	Timeout  time.Duration // of a probe
	Fast     bool          // each hop is probed only until it has answered
	GapLimit int           // silent hops in a row that end the trace; 0: none do

	// Patient is set if probes sent in vain would slow down other traces.
	Patient bool
}

const (
	// Patience is the least time that a fast or a patient trace waits before it goes on
	// without an answer, because the answer times of farther hops are unknown.
	Patience = 250 * time.Millisecond

	// leastGrowth keeps a trace without an interval from probing all hops at once.
	leastGrowth = 10 * time.Millisecond
)

// Plan is a trace. Hops count from 0, the nearest. Its rules:
//
// What leaves:
//
//  1. Count probes go to each hop, an Interval apart; with Fast, only until it has
//     answered.
//  2. With Fast, a silent hop is probed again when an answer could have come even from
//     farther away than the slowest answer so far: after twice the time of that, at least
//     Patience, at most the Timeout.
//  3. Hops are probed ahead of the answers, up to [plan.Ahead] hops beyond the farthest
//     that answered. That is the window.
//  4. The window opens by itself when a first probe has left for each of its hops, and for
//     some time no answer has opened it: for an Interval, or in a patient trace for at
//     least Patience and twice the time of the slowest answer.
//  5. No hop beyond the end is probed, as far as the end is known.
//  6. A probe that waits to leave is recalled when its hop no longer needs to be probed.
//
// Where the path ends:
//
//  7. It ends at the nearest hop whose answers mean an end ([plan.Answers.End]). That is no
//     longer an end when another probe of the hop passes.
//  8. A hop is final when the hops before it are, all its probes are settled, and none will
//     follow. A final hop does not change, and neither does the end of a trace that is
//     done.
//  9. A final hop that closes a loop ([plan.ClosesLoop]), or a gap of GapLimit silent hops,
//     is the end, and takes precedence over the end at a farther hop.
//  10. The last hop that may be probed is the end if there is no other.
//  11. A trace whose probes the system refused, all of them, has no end.
//
// Stop-and-wait, for answers that do not identify their probe:
//
//  12. When an answer comes that may belong to any of several probes, the probes to all
//     hops without a known answer are discarded, and these hops are probed again, one probe
//     at a time, so that each answer can only belong to that one.
//  13. Later answers of that kind count only while more than one probe is in flight:
//     otherwise they belong to probes of another program.
//  14. Hops are probed ahead again when all such answers are explained, that is when as
//     many discarded probes belong to hops that are known by now, or when no hop is left to
//     be probed again.
//  15. Discarded probes of a hop count again when one of them turns out to have been
//     answered recognisably, or when stop-and-wait ends and the hop was not probed again.
type Plan struct {
	opts *Options
	hops []hop

	window int       // hops that may be probed
	opened time.Time // when the first probe to the last hop of the window left
	slow   time.Duration

	last  int // the last hop that matters: the end, or the last that may be probed
	end   plan.End
	final int // hops that are final

	taken    int // probes that the system took
	inFlight int
	care     care
}

// hop is a hop that is being probed. It fits a cache line, because the hops of many traces
// are visited in turn.
type hop struct {
	addr      netip.Addr   // the address that answered first; the zero Addr: none
	left      time.Time    // when the last probe left
	tried     int32        // probes that left or were refused
	discarded int32        // the first of these that do not count: see rule 12
	open      int32        // those of them that are not settled
	met       plan.Answers // what the answers mean
	waits     bool         // a probe waits to leave
}

// care is the stop-and-wait of a trace.
type care struct {
	on      bool
	unclear int // answers that could not be credited to a probe
	found   int // those of them that are explained
}

// New returns the plan of a trace. It reuses the memory of a plan that is done.
func New(opts *Options, done *Plan) Plan {
	p := Plan{opts: opts, window: plan.Ahead}
	if done != nil {
		clear(done.hops)
		p.hops = done.hops[:0]
	}
	p.findEnd()
	p.extend()
	return p
}

// extend makes the hops that the window has reached: a trace to a near target needs only
// few.
func (p *Plan) extend() {
	for len(p.hops) < p.reach() {
		p.hops = append(p.hops, hop{})
	}
}

// reach returns how many hops may be probed by now.
func (p *Plan) reach() int { return min(p.window, p.last+1) }

func (h *hop) isSilent() bool { return !h.addr.IsValid() }

// wants reports whether a hop needs another probe.
func (p *Plan) wants(h *hop) bool {
	return int(h.tried-h.discarded) < p.opts.Count && (!p.opts.Fast || h.isSilent())
}

// due returns when the next probe to a hop may leave.
func (p *Plan) due(h *hop) time.Time {
	if h.tried == 0 {
		return time.Time{}
	}
	pause := p.opts.Interval
	if p.opts.Fast {
		pause = max(pause, min(p.opts.Timeout, max(Patience, 2*p.slow)))
	}
	return h.left.Add(pause)
}

// grows returns when the window opens by itself; the zero time if it does not.
func (p *Plan) grows() time.Time {
	if p.window > p.last {
		return time.Time{}
	}
	for i := p.final; i < p.window; i++ {
		if p.hops[i].tried == 0 {
			return time.Time{}
		}
	}
	pause := max(p.opts.Interval, leastGrowth)
	if p.opts.Patient {
		pause = max(pause, Patience, 2*p.slow)
	}
	return p.opened.Add(pause)
}

// Next returns the probe that may leave now: see [plan.Plan].
func (p *Plan) Next(now time.Time) (probe plan.Probe, ok bool, wake time.Time) {
	if p.care.on {
		if probe, ok, wake = p.nextAlone(now); p.care.on {
			return probe, ok, wake
		}
	}
	grows := p.grows()
	if !grows.IsZero() && !now.Before(grows) {
		p.window += plan.Ahead
		p.extend()
		grows = time.Time{}
	}
	for i := p.final; i < p.reach(); i++ {
		h := &p.hops[i]
		if h.waits || !p.wants(h) {
			continue
		}
		due := p.due(h)
		if !due.After(now) {
			return p.probe(i), true, wake
		}
		wake = plan.Earlier(wake, due)
	}
	return probe, false, plan.Earlier(wake, grows)
}

// nextAlone is Next during stop-and-wait. It ends stop-and-wait when that can find out
// nothing more.
func (p *Plan) nextAlone(now time.Time) (probe plan.Probe, ok bool, wake time.Time) {
	explained := p.care.found >= p.care.unclear
	for i := p.final; i < p.reach(); i++ {
		h := &p.hops[i]
		if !p.wants(h) || h.isSilent() && (explained || h.discarded == 0) {
			continue
		}
		switch due := p.due(h); {
		case h.waits:
			return probe, false, wake
		case due.After(now):
			return probe, false, due
		}
		return p.probe(i), true, wake
	}
	p.care.on = false
	for i := range p.hops {
		if h := &p.hops[i]; h.isSilent() && h.tried == h.discarded {
			h.discarded = 0
		}
	}
	p.advance()
	return probe, false, wake
}

// probe returns the next probe to a hop.
func (p *Plan) probe(index int) plan.Probe {
	h := &p.hops[index]
	h.waits = true
	return plan.Probe{Key: plan.MakeKey(index, int(h.tried)), TTL: p.opts.FirstHop + index}
}

// Wants reports whether a waiting probe should still leave.
func (p *Plan) Wants(k plan.Key) bool {
	i := k.Hop()
	return i >= p.final && i <= p.last && p.wants(&p.hops[i])
}

// Recall notes that a probe does not leave.
func (p *Plan) Recall(k plan.Key) {
	p.hops[k.Hop()].waits = false
	p.advance()
}

// Sent notes that a probe has left.
func (p *Plan) Sent(k plan.Key, at time.Time) {
	h := p.leave(k, at)
	h.open++
	p.taken++
	p.inFlight++
}

// Refused notes that the system refused a probe.
func (p *Plan) Refused(k plan.Key, _ error, now time.Time) {
	p.leave(k, now)
	p.advance()
}

func (p *Plan) leave(k plan.Key, at time.Time) *hop {
	h := &p.hops[k.Hop()]
	if h.tried == 0 {
		p.opened = at
	}
	h.tried++
	h.waits, h.left = false, at
	return h
}

// Observe notes an observation of a probe.
func (p *Plan) Observe(_ time.Time, o *plan.Observation) {
	if o.Kind == plan.Unclear {
		p.unclear()
		return
	}
	index := o.Key.Hop()
	h := &p.hops[index]
	if o.Settles {
		h.open--
		p.inFlight--
	}
	p.note(index, h, o)
	p.advance()
}

// note notes an observation of a probe to a hop.
func (p *Plan) note(index int, h *hop, o *plan.Observation) {
	if o.Key.Number() < int(h.discarded) {
		if !o.Responder.IsValid() {
			return
		}
		if h.tried == h.discarded {
			h.discarded = 0 // all of them may have been answered
		}
	}
	if index < p.final || p.Done() {
		return
	}
	if p.care.on && h.isSilent() && o.Responder.IsValid() {
		p.care.found += int(h.discarded)
	}
	if !o.IsAnswer() {
		return
	}
	if h.isSilent() {
		h.addr = o.Responder
	}
	h.met |= o.Answer()
	p.slow = max(p.slow, o.RTT)
	p.window = max(p.window, index+1+plan.Ahead)
	p.findEnd()
	p.extend()
}

// unclear notes an answer that may belong to any of several probes.
func (p *Plan) unclear() {
	if p.care.on {
		if p.inFlight > 1 { // otherwise another program probes the same host
			p.care.unclear++ // to one of those that left before
		}
		return
	}
	p.care = care{on: true, unclear: 1}
	for i := p.final; i < p.reach(); i++ {
		if h := &p.hops[i]; h.isSilent() {
			h.discarded = h.tried
		}
	}
}

// findEnd finds the nearest hop at which the path ends, as far as is known.
func (p *Plan) findEnd() {
	for i := p.final; i < len(p.hops); i++ {
		if end := p.hops[i].met.End(); end != plan.EndUnknown {
			p.last, p.end = i, end
			return
		}
	}
	p.last, p.end = p.opts.Hops-1, plan.EndMaxHops
}

// advance makes hops final.
func (p *Plan) advance() {
	for !p.Done() && p.final < len(p.hops) {
		h := &p.hops[p.final]
		if h.open > 0 || h.waits || p.wants(h) {
			return
		}
		if i := p.final; i != p.last {
			if plan.ClosesLoop(i, p.alike) {
				p.last, p.end = i, plan.EndLoop
			} else if p.closesGap(i) {
				p.last, p.end = i, plan.EndGap
			}
		}
		p.final++
	}
}

// alike reports whether two hops answer with one address.
func (p *Plan) alike(i, j int) bool {
	return !p.hops[i].isSilent() && p.hops[i].addr == p.hops[j].addr
}

// closesGap reports whether the hops up to one end with a gap of the limit.
func (p *Plan) closesGap(index int) bool {
	if p.opts.GapLimit == 0 || index+1 < p.opts.GapLimit {
		return false
	}
	for i := index; i > index-p.opts.GapLimit; i-- {
		if !p.hops[i].isSilent() {
			return false
		}
	}
	return true
}

// Alone reports whether probes leave one by one.
func (p *Plan) Alone() bool { return p.care.on }

// Done reports whether all hops up to the end are final.
func (p *Plan) Done() bool { return p.final > p.last }

// Final returns how many hops are final.
func (p *Plan) Final() int { return p.final }

// Hops returns how many hops there are that may have been probed.
func (p *Plan) Hops() int { return p.reach() }

// IsSilent reports whether no answer has come from a hop.
func (p *Plan) IsSilent(hop int) bool { return p.hops[hop].isSilent() }

// Open returns how many probes to a hop are in flight.
func (p *Plan) Open(hop int) int { return int(p.hops[hop].open) }

// Discarded returns how many of the first probes to a hop do not count, and whether the hop
// has no other probes.
func (p *Plan) Discarded(hop int) (n int, all bool) {
	h := &p.hops[hop]
	return int(h.discarded), h.discarded == h.tried
}

// Taken returns how many probes the system accepted.
func (p *Plan) Taken() int { return p.taken }

// End returns why the trace ended at a hop, or EndUnknown if it went beyond. For the last
// hop of a trace that is done, it is the end of the trace.
func (p *Plan) End(hop int) plan.End {
	if p.taken == 0 || hop != p.last || hop >= p.final {
		return plan.EndUnknown
	}
	return p.end
}
