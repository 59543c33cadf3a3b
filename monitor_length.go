package icmplib

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/plan/watch"
)

// changed notes that somebody else answers at a hop.
func (p *monitorPlan) changed(index int, c watch.Change) {
	if p.length > 0 && index >= p.length {
		return // it has not been told that there is such a hop
	}
	p.tellChange(index, c.From, c.To, c.First, c.Round)
}

func (p *monitorPlan) tellChange(index int, from, to netip.Addr, at time.Time, round int) {
	p.events = append(p.events, Event{
		Kind: EventRouteChange, Time: at, Round: round,
		Distance: p.opts.FirstHop + index, From: from, To: to,
	})
}

// measure tells when the way has become longer or shorter: when it is certain
// that the target has ceased to answer where it did, or that no router answers
// any more where the target does.
func (p *monitorPlan) measure() {
	end := p.end()
	if end < 0 {
		return
	}
	length := end + 1
	target := p.hops[end].watch.Target()
	switch {
	case p.length == 0 || target == nil:
	case length == p.length:
		return
	case length < p.length:
		h := &p.hops[end]
		if h.watch.HasRouter() || target.Count < watch.EndRun {
			return
		}
		if !h.watch.Changed && !p.wasSilent(h, target) {
			if target.Count < enoughAnswers {
				return
			}
			break
		}
		for i := length; i < p.length; i++ {
			if m := p.hops[i].watch.Main(); m != nil {
				p.tellChange(i, m.Address, netip.Addr{}, target.First, target.Round)
			}
		}
	default:
		if target.Count < watch.EndRun || p.hops[p.length-1].watch.Target() != nil {
			return
		}
		p.tellLonger(length)
	}
	p.length = length
}

// enoughAnswers is after how many answers of the target it has always been where
// it is, if nothing speaks for the contrary.
const enoughAnswers = 64

// wasSilent tells whether there was somebody else at the target's hop, who did
// not answer. It may as well be that the first probes to the target were lost,
// and it was first found by those that were sent farther than need be.
func (p *monitorPlan) wasSilent(h *monitorHop, target *watch.Member) bool {
	silence := h.turnout
	silence.Absent = float64(target.Since - h.base)
	return silence.IsGone()
}

// tellLonger tells of the hops that are there now. Before another router answered
// where the target was, what answered there was not a hop of its own.
func (p *monitorPlan) tellLonger(length int) {
	before := p.hops[p.length-1].watch.Main()
	for i := p.length; i < length; i++ {
		m := p.hops[i].watch.Main()
		if m == nil {
			continue
		}
		at, round := m.First, m.Round
		if before != nil && at.Before(before.First) {
			at, round = before.First, before.Round
		}
		p.tellChange(i, netip.Addr{}, m.Address, at, round)
	}
}

// prune forgets who answered behind the end of the way. What was never part of
// it, is forgotten altogether.
func (p *monitorPlan) prune() {
	end := p.end()
	if end < 0 || !p.hops[end].passed.IsZero() {
		return
	}
	for i := max(end+1, p.length); i < len(p.hops); i++ {
		switch h := &p.hops[i]; {
		case !h.shown:
			h.reset(h.hop.Distance)
		default:
			h.watch, h.last = watch.Hop{}, Result{}
			h.turnout, h.passed = watch.Ratio{}, time.Time{}
		}
	}
}
