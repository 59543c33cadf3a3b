package icmplib

import (
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// traceCare is how a trace gets along where answers do not say which probe they
// are to. A UDP probe without privileges, or one with the caller's payload, and
// an INIT, are not recognised in a quote of 8 bytes, and nor is what a UDP
// service answers.
//
// Where such answers come, the hops that nobody is known to have answered for
// are probed again, one probe at a time: then there is but one that can be
// meant. What was sent to them before is not counted, for it is not known who
// answered. When as many answers are accounted for as came, or no such hop is
// left, hops are probed ahead again.
type traceCare struct {
	on      bool
	unclear int       // answers that could not be credited
	found   int       // those of them that are those of hops that are known by now
	quiet   time.Time // until then an answer may be to an earlier probe
}

// unclear notes an answer that could be to any of several probes.
func (p *tracePlan) unclear() {
	switch {
	case !p.care.on:
		p.care.on, p.care.unclear, p.care.found = true, 1, 0
	case p.flying > 1:
		p.care.unclear++ // to one of those that left before
		return
	default:
		return // somebody else probes the same host
	}
	for i := p.final; i < p.open(); i++ {
		if h := &p.hops[i]; h.hop.IsSilent() && h.sent > 0 {
			h.setAside()
		}
	}
}

// nextWithCare is next, where probes leave one by one.
func (p *tracePlan) nextWithCare(now time.Time) (index int, at time.Time) {
	if p.flying > 0 {
		return -1, at
	}
	if now.Before(p.care.quiet) {
		return -1, p.care.quiet
	}
	explained := p.care.found >= p.care.unclear
	for i := p.final; i < p.open(); i++ {
		h := &p.hops[i]
		switch {
		case !p.wants(h), h.hop.IsSilent() && (explained || h.void == 0):
		case p.due(h).After(now):
			return -1, p.due(h)
		default:
			return i, now
		}
	}
	p.care.on = false
	for i := range p.hops {
		if h := &p.hops[i]; h.hop.IsSilent() && h.sent == h.void {
			h.restore()
		}
	}
	return p.next(now)
}

// note takes account of an answer with which a hop becomes known.
func (c *traceCare) note(h *planHop, r *Result) {
	if c.on && h.void > 0 && h.hop.IsSilent() && r.Responder.IsValid() {
		c.found += h.void
	}
}

// wait notes until when another answer may come.
func (c *traceCare) wait(r *Result, timeout time.Duration) {
	c.quiet = later(c.quiet, quietAfter(r, timeout))
}

// quietAfter is until when another answer to a probe may come, which would be
// taken for one to the next probe where answers do not say which one they are to:
// that to a silent probe may be late, and any other may come twice.
func quietAfter(r *Result, timeout time.Duration) time.Time {
	switch {
	case r.Status == StatusNoReply:
		return r.Sent.Add(engine.ForgottenAfter(timeout))
	case r.Responder.IsValid():
		return r.Sent.Add(r.RTT + engine.RepeatedWithin)
	}
	return time.Time{}
}

// setAside leaves the probes to a hop out of account.
func (h *planHop) setAside() {
	before := h.hop
	h.void, h.before = h.sent, &before
	h.hop = Hop{Distance: h.before.Distance, Status: StatusNoReply}
	h.hop.receiveEveryAnswer()
}

// restore takes them into account again.
func (h *planHop) restore() {
	if h.void > 0 {
		h.void, h.hop, h.before = 0, *h.before, nil
	}
}

// takesBack takes a result of a probe that was left out of account, and tells
// whether there is nothing more to it. If it turns out to have been answered
// recognisably, so may all of them have been.
func (h *planHop) takesBack(r *Result) bool {
	if r.Seq >= h.void {
		return false
	}
	if r.Responder.IsValid() && h.sent == h.void {
		h.restore()
		return false
	}
	h.before.add(r)
	return !r.Responder.IsValid()
}
