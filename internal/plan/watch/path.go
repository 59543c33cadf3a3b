package watch

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// path holds the state of the hops: which addresses answer at each, where the path ends,
// and its length as last reported.
//
// The rules:
//
//  1. The end is the nearest hop at which the target answers and no other address does.
//  2. Without an end, the path stops at a hop whose last answer refuses to forward, or that
//     closes a circle of routers.
//  3. A change of the address that answers at a hop is reported if the hop is part of the
//     path as last reported.
//  4. The first length of a path is not reported as a change.
//  5. The path has become shorter when the target has given 3 answers at a nearer hop and
//     no router answers there. This is reported for the hops beyond it if the target
//     replaced another responder, or if its hop was silent before for too long to be
//     chance. Otherwise the target's first answers there may have been lost: after 64
//     answers, the path is taken to have always been that short.
//  6. The path has become longer when the target has given 3 answers farther away and no
//     longer answers at its old hop. The reported time is that of the first answer of each
//     hop, but not before another router answered at the target's old hop.
//  7. The target has left its hop, at which no other address answers now, when it answers
//     probes that went farther, and too many probes that were sent to the hop later are
//     silent for this to be chance. Any answer there shows that a node is still there.
//     Silence that may be this host's own loss says nothing, and neither does the silence
//     of probes from before the target's first answer there.
//  8. Hops beyond the end of the path have no responders. A hop there that was never shown
//     is forgotten, with its probes. Nothing is forgotten while rule 7 is undecided.
type path struct {
	first  int   // the distance of hops[0]
	most   int   // hops that may be probed
	hops   []hop // those that were probed, and those between them
	shown  int   // the number of hops that were ever shown
	length int   // of the path as last reported, in hops; 0: unknown
}

// hop is the state of a hop.
type hop struct {
	responders
	since   int        // the round from which on its probes count
	sent    int        // probes to it, from then on
	last    netip.Addr // the address of the last answer that settled a probe
	refusal plan.End   // the kind of refusal in that answer; EndUnknown: none
	slowest time.Duration

	turnout ratio     // answers, out of the probes to the end of the path: rule 7
	silent  float64   // silent probes since the last answer, before the target answered beyond
	passed  time.Time // since the target answered here: when a probe that it answered farther away was sent
}

// lengthAfter is the 64 of rule 5.
const lengthAfter = 64

// at returns a hop, and creates it if it was not probed before.
func (p *path) at(index, round int) *hop {
	for len(p.hops) <= index {
		p.hops = append(p.hops, hop{since: round})
	}
	return &p.hops[index]
}

// find returns a hop if its probes of a round count, and otherwise nil.
func (p *path) find(index, round int) *hop {
	if index >= len(p.hops) || round < p.hops[index].since {
		return nil
	}
	return &p.hops[index]
}

// end returns the hop at which the path ends, or -1 if that is unknown: rule 1.
func (p *path) end() int {
	for i := range p.hops {
		if p.hops[i].isEnd() {
			return i
		}
	}
	return -1
}

// stop returns the hop at which the path stops, or -1 if there is none: rule 2.
func (p *path) stop() int {
	alike := func(i, j int) bool { return p.hops[i].last.IsValid() && p.hops[i].last == p.hops[j].last }
	for i := range p.hops {
		if p.hops[i].refusal != plan.EndUnknown || plan.ClosesLoop(i, alike) {
			return i
		}
	}
	return -1
}

// far returns the farthest hop that answered, or -1 if none did.
func (p *path) far() int {
	for i := len(p.hops) - 1; i >= 0; i-- {
		if p.hops[i].isKnown() {
			return i
		}
	}
	return -1
}

// take takes an answer that settled a probe to a hop, and adds the events that follow.
func (p *path) take(index, round, ordinal int, o *plan.Observation, events []Event) []Event {
	h := p.find(index, round)
	if h == nil || !o.IsAnswer() {
		return events
	}
	means := o.Answer()
	h.last, h.refusal = o.Responder, plan.EndUnknown
	h.slowest = max(h.slowest, o.RTT)
	if means&(plan.Passes|plan.Arrives) == 0 {
		h.refusal = means.End()
		return events
	}
	c, changed := h.responders.take(answer{
		from: o.Responder, target: means == plan.Arrives, at: o.Answered(), round: round, ordinal: ordinal,
	})
	if changed && (p.length == 0 || index < p.length) {
		events = append(events, p.change(index, c))
	}
	return events
}

// compare takes the result of a probe to the end of the path, or beyond: rule 7.
func (p *path) compare(index int, o *plan.Observation) {
	end := p.end()
	if end < 0 || index < end {
		return
	}
	h := &p.hops[end]
	if index > end {
		if o.IsAnswer() && o.Answer() == plan.Arrives && h.passed.IsZero() {
			h.passed = o.Sent
		}
		return
	}
	if o.Kind != plan.Silent {
		h.turnout.span += h.turnout.absent + h.silent
		h.turnout.add(1)
		h.turnout.absent, h.silent, h.passed = 0, 0, time.Time{}
		return
	}
	if o.Suspect || !o.Sent.After(h.target().first) {
		return
	}
	if h.passed.IsZero() || !o.Sent.After(h.passed) {
		h.silent++
		return
	}
	h.turnout.absent++
	if h.turnout.isGone() {
		h.vacate()
		h.turnout, h.silent, h.passed = ratio{}, 0, time.Time{}
	}
}

func (p *path) change(index int, c change) Event {
	return Event{Kind: RouteChange, Time: c.first, Round: c.round, Hop: p.first + index, From: c.from, To: c.to}
}

// measure adds the events of a path that has become longer or shorter: rules 4 to 6.
func (p *path) measure(events []Event) []Event {
	end := p.end()
	if end < 0 || end+1 == p.length {
		return events
	}
	known := true
	if p.length > 0 && end+1 > p.length {
		events, known = p.lengthen(end, events)
	} else if p.length > 0 {
		events, known = p.shorten(end, events)
	}
	if known {
		p.length = end + 1
	}
	return events
}

// shorten adds the events of a path that has become shorter, and reports whether that is
// certain: rule 5.
func (p *path) shorten(end int, events []Event) ([]Event, bool) {
	target := p.hops[end].target()
	if p.hops[end].hasRouter() || target.count < endRun {
		return events, false
	}
	if !p.hops[end].changed && !p.wasSilent(end) {
		return events, target.count >= lengthAfter
	}
	for i := end + 1; i < p.length; i++ {
		if r := p.hops[i].responders.first(); r != nil {
			events = append(events, p.change(i, change{from: r.address, first: target.first, round: target.round}))
		}
	}
	return events, true
}

// wasSilent reports whether a silent router was at the hop before the target came.
func (p *path) wasSilent(end int) bool {
	silence := p.hops[end].turnout
	silence.absent = float64(p.hops[end].target().since)
	return silence.isGone()
}

// lengthen adds the events of a path that has become longer, and reports whether that is
// certain: rule 6.
func (p *path) lengthen(end int, events []Event) ([]Event, bool) {
	if p.hops[end].target().count < endRun || p.hops[p.length-1].target() != nil {
		return events, false
	}
	before := p.hops[p.length-1].responders.first()
	for i := p.length; i <= end; i++ {
		r := p.hops[i].responders.first()
		if r == nil {
			continue
		}
		c := change{to: r.address, first: r.first, round: r.round}
		if before != nil && c.first.Before(before.first) {
			c.first, c.round = before.first, before.round
		}
		events = append(events, p.change(i, c))
	}
	return events, true
}

// prune forgets the responders beyond the end of the path: rule 8. Responders found there
// later count from the next round.
func (p *path) prune() {
	end := p.end()
	if end < 0 || !p.hops[end].passed.IsZero() {
		return
	}
	from := max(end+1, p.length)
	for i := from; i < min(p.shown, len(p.hops)); i++ {
		p.hops[i] = hop{since: p.hops[i].since, sent: p.hops[i].sent}
	}
	p.hops = p.hops[:min(max(from, p.shown), len(p.hops))]
}

// show notes that a number of hops are shown.
func (p *path) show(hops int) { p.shown = max(p.shown, hops) }
