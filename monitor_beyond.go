package icmplib

import (
	"time"

	"github.com/goicmp/icmplib/internal/plan/watch"
)

// beyondEnd is how a Monitor finds out that the way has become longer by routers
// that do not answer. At the hop where the target was there is nothing but
// silence then, which is what an outage looks like. So where the target does not
// answer in its time, some hops beyond are probed, too.
//
// That happens in every second round only: a target that limits its answers might
// otherwise spend all of them on what lies beyond.
type beyondEnd struct {
	awaited time.Time // when the first probe to the target was sent since it last answered
	look    bool      // hops beyond the end are probed
	round   int       // when some were
}

// lookBeyond is how many hops are probed beyond the end, besides the scout.
const lookBeyond = 4

// consider decides whether to look beyond the end.
func (b *beyondEnd) consider(p *monitorPlan, now time.Time) {
	b.look = false
	end := p.end()
	if end < 0 || p.at <= end || b.awaited.IsZero() {
		return
	}
	patience := min(p.opts.Timeout, max(fastPatience, 2*p.hops[end].hop.MaxRTT()))
	b.look = now.Sub(b.awaited) > patience && (b.round == p.round || b.round+2 <= p.round)
}

// result takes what was heard of a probe. The target has left the hop where it
// was when it goes on to answer beyond it, and there not any more.
func (b *beyondEnd) result(p *monitorPlan, tag monitorTag, r *Result, settles bool) {
	end := p.end()
	reached := r.Status != StatusNoReply && r.Responder.IsValid() && endOf(r) == EndReached && !r.Duplicate
	if reached {
		b.awaited = time.Time{}
	}
	if end < 0 || tag.index < end || !settles || r.Sent.IsZero() {
		return
	}
	h := &p.hops[end]
	switch {
	case tag.index > end && reached && h.passed.IsZero():
		h.passed = r.Sent
	case tag.index > end:
	case r.Status != StatusNoReply:
		h.turnout.Add(1)
		h.passed, h.turnout.Absent = time.Time{}, 0
	case !h.passed.IsZero() && r.Sent.After(h.passed) && !r.Suspect:
		h.turnout.Absent++
		if h.turnout.IsGone() {
			h.watch.Vacate()
			h.passed, h.turnout = time.Time{}, watch.Ratio{}
		}
	default:
		h.turnout.Add(0)
	}
}
