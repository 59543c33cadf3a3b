package icmplib

import "time"

// tracePlan is the strategy of a trace: which probe is to be sent when, and
// where the way ends. It neither sends nor looks at the clock.
//
// Hops are probed ahead of the answers. The window is how far ahead: it opens
// with each answer, and with time, so that a stretch of silent hops does not
// stop it; it never goes beyond a hop that is known to be the end.
type tracePlan struct {
	opts   *TracerouteOptions
	hops   []planHop // from FirstHop on, as far as the window has been
	window int       // hops that may be probed
	grow   time.Time // when it opens by itself
	last   int       // index of the last hop that matters: the end, or MaxHops
	end    RouteEnd  // what it is, as far as is known
	final  int       // hops whose fate is known, and were handed out
	taken  int       // probes that the system took
	refuse error     // why it did not take the last of those that it did not
	slow   time.Duration
	flying int // probes that have no fate yet
	care   traceCare

	// See postpone.
	alone bool      // probes follow one another
	took  time.Time // when the system last took one
	retry time.Time // when the next one may be tried again
}

// planHop is a hop that is being probed.
type planHop struct {
	hop  Hop
	sent int       // probes sent so far
	open int       // those of them that have no fate yet
	left time.Time // when the last one left

	// The first void probes are those whose answers may have come, but could not
	// be told apart; before is what was known of them. See traceCare.
	void   int
	before *Hop

	queued bool // a probe waits for its turn among those of other traces
}

// fastPatience is for how long a fast trace waits at the least before it asks a
// hop again: how long answers take is not known of those that are farther away.
const fastPatience = 250 * time.Millisecond

// traceAhead is how many hops are probed ahead of the farthest that answered.
const traceAhead = 8

func newTracePlan(opts *TracerouteOptions, now time.Time) *tracePlan {
	return newTracePlanIn(nil, opts, now)
}

// newTracePlanIn makes a plan that uses the memory of hops.
func newTracePlanIn(hops []planHop, opts *TracerouteOptions, now time.Time) *tracePlan {
	p := &tracePlan{opts: opts, hops: hops[:0], window: traceAhead, grow: now.Add(growAfter(opts))}
	p.findEnd()
	p.extend()
	return p
}

// extend makes the hops that the window has come to: a trace whose target is
// near needs few of them.
func (p *tracePlan) extend() {
	for i := len(p.hops); i < min(p.window, p.last+1); i++ {
		p.hops = append(p.hops, planHop{hop: Hop{Distance: p.opts.FirstHop + i, Status: StatusNoReply}})
		p.hops[i].hop.receiveEveryAnswer()
	}
}

// open returns how many hops there are to probe by now.
func (p *tracePlan) open() int { return min(len(p.hops), p.last+1) }

// leastGrowth keeps a trace without an interval from probing all hops at once.
const leastGrowth = 10 * time.Millisecond

// growAfter is for how long the window stays as it is without an answer.
func growAfter(o *TracerouteOptions) time.Duration { return max(o.Interval, leastGrowth) }

// next returns the hop to probe now, -1 if there is none, and when there may be
// one; the zero time if only an answer can tell.
func (p *tracePlan) next(now time.Time) (index int, at time.Time) {
	if at, wait := p.nextAlone(now); wait {
		return -1, at
	}
	if p.care.on {
		return p.nextWithCare(now)
	}
	if !now.Before(p.grow) && p.window <= p.last {
		p.window += traceAhead
		p.extend()
		p.grow = now.Add(growAfter(p.opts))
	}
	for i := range min(p.window, p.last+1) {
		h := &p.hops[i]
		due := p.due(h)
		switch {
		case !p.wants(h):
		case !due.After(now):
			return i, now
		case at.IsZero() || due.Before(at):
			at = due
		}
	}
	if p.window <= p.last && (at.IsZero() || p.grow.Before(at)) {
		at = p.grow
	}
	return -1, at
}

// wants tells whether a hop is to be probed again.
func (p *tracePlan) wants(h *planHop) bool {
	return h.sent-h.void < p.opts.Count && (!p.opts.Fast || h.hop.IsSilent())
}

// sent notes that a probe to a hop has left.
func (p *tracePlan) sent(index int, now time.Time) {
	h := &p.hops[index]
	h.sent++
	h.open++
	p.flying++
	h.left = now
}

// due is when the next probe to a hop may leave.
func (p *tracePlan) due(h *planHop) time.Time {
	if h.sent == 0 {
		return time.Time{}
	}
	pause := p.opts.Interval
	if p.opts.Fast {
		// Another attempt is for silence: not before an answer could have
		// come, also from farther away than the slowest so far.
		pause = max(pause, min(p.opts.Timeout, max(fastPatience, 2*p.slow)))
	}
	return h.left.Add(pause)
}

// unsent takes back what sent noted.
func (p *tracePlan) unsent(index int) {
	h := &p.hops[index]
	h.sent--
	h.open--
	p.flying--
}

// result notes what was heard of a probe to a hop; settles says that it is the
// probe's fate. A hop that was handed out does not change any more, and nor does
// the end of a trace that is done.
func (p *tracePlan) result(index int, r *Result, settles bool) {
	h := &p.hops[index]
	if settles {
		h.open--
		p.flying--
	}
	if h.takesBack(r) {
		p.care.wait(r, p.opts.Timeout)
		return
	}
	p.care.wait(r, p.opts.Timeout)
	if index < p.final || p.done() {
		return
	}
	p.care.note(h, r)
	h.hop.add(r)
	if !r.Responder.IsValid() || r.informs() {
		return
	}
	p.slow = max(p.slow, r.RTT)
	p.window = max(p.window, index+1+traceAhead)
	p.findEnd()
	p.extend()
}

// findEnd finds the nearest hop at which the path ends by what is known so far. A
// hop that seemed to be the end is none any more when another probe passes it.
func (p *tracePlan) findEnd() {
	for i := p.final; i < len(p.hops); i++ {
		if end := p.hops[i].hop.met.end(); end != EndUnknown {
			p.last, p.end = i, end
			return
		}
	}
	p.last, p.end = p.opts.MaxHops-p.opts.FirstHop, EndMaxHops
}

// endOf says which end of the way an answer stands for by itself.
func endOf(r *Result) RouteEnd { return answerOf(r).end() }

// finish returns the next hop that is final, in order of distance; nil if that
// has to be waited for. A hop that closes a circle, or a gap, becomes the last.
func (p *tracePlan) finish() *Hop {
	if p.done() || p.final >= len(p.hops) {
		return nil
	}
	h := &p.hops[p.final]
	if h.open > 0 || p.wants(h) {
		return nil
	}
	p.compare(p.final)
	switch {
	case p.final == p.last:
	case p.closesLoop(p.final):
		p.last, p.end = p.final, EndLoop
	case p.closesGap(p.final):
		p.last, p.end = p.final, EndGap
	}
	if p.final == p.last && p.taken > 0 {
		h.hop.End = p.end
	}
	p.final++
	return &h.hop
}

// verdict returns why a trace that is done ended. Where the system took none of
// its probes it has no end, but a reason for that.
func (p *tracePlan) verdict() (RouteEnd, error) {
	if p.taken == 0 {
		return EndUnknown, p.refuse
	}
	return p.end, nil
}

// done tells whether all hops up to the end are final.
func (p *tracePlan) done() bool { return p.final > p.last }

// rest yields the hops that are not final as they stand, up to the last that
// answered.
func (p *tracePlan) rest(yield func(*Hop) bool) {
	last := p.final - 1
	for i := p.final; i < p.open(); i++ {
		if !p.hops[i].hop.IsSilent() {
			last = i
		}
	}
	for i := p.final; i <= last; i++ {
		h := &p.hops[i]
		if h.sent == h.void {
			h.restore()
		}
		h.hop.abandon(h.open)
		p.compare(i)
		if !yield(&h.hop) {
			return
		}
	}
}
