package icmplib

import (
	"net/netip"
	"time"
)

// changed notes that somebody else answers at a hop.
func (p *monitorPlan) changed(index int, c hopChange) {
	if p.length > 0 && index >= p.length {
		return // it has not been told that there is such a hop
	}
	p.tellChange(index, c.from, c.to, c.first, c.round)
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
	target := p.hops[end].watch.targetMember()
	switch {
	case p.length == 0 || target == nil:
	case length == p.length:
		return
	case length < p.length:
		h := &p.hops[end]
		if h.watch.hasRouter() || target.count < endRun {
			return
		}
		if !h.watch.changed && !p.wasSilent(h, target) {
			if target.count < enoughAnswers {
				return
			}
			break
		}
		for i := length; i < p.length; i++ {
			if m := p.hops[i].watch.mainMember(); m != nil {
				p.tellChange(i, m.address, netip.Addr{}, target.first, target.round)
			}
		}
	default:
		if target.count < endRun || p.hops[p.length-1].watch.targetMember() != nil {
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
func (p *monitorPlan) wasSilent(h *monitorHop, target *hopMember) bool {
	silence := h.turnout
	silence.absent = float64(target.since - h.base)
	return silence.isGone()
}

// tellLonger tells of the hops that are there now. Before another router answered
// where the target was, what answered there was not a hop of its own.
func (p *monitorPlan) tellLonger(length int) {
	before := p.hops[p.length-1].watch.mainMember()
	for i := p.length; i < length; i++ {
		m := p.hops[i].watch.mainMember()
		if m == nil {
			continue
		}
		at, round := m.first, m.round
		if before != nil && at.Before(before.first) {
			at, round = before.first, before.round
		}
		p.tellChange(i, netip.Addr{}, m.address, at, round)
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
			h.watch, h.last = hopWatch{}, Result{}
			h.turnout, h.passed = tally{}, time.Time{}
		}
	}
}
