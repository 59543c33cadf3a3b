package icmplib

import (
	"slices"
	"time"
)

// snapshot returns what is known at the end of a round. What it shares with the
// plan does not change any more.
func (p *monitorPlan) snapshot(now time.Time) *Snapshot {
	s := &Snapshot{Round: p.round, Time: now, Results: p.results, Events: p.events}
	slices.SortStableFunc(s.Events, func(a, b Event) int { return a.Time.Compare(b.Time) })
	p.results, p.events = nil, nil
	end := p.end()
	last := end
	s.Reached = end >= 0 && !p.ledger.out
	s.End = p.routeEnd(end)
	if end < 0 {
		last = p.lastAnswering()
	}
	s.Hops = make([]Hop, last+1)
	for i := range s.Hops {
		s.Hops[i] = p.hops[i].snapshot()
		compareQuotes(&p.opts.Packet, i, func(j int) *Hop { return &s.Hops[j] })
	}
	if end >= 0 {
		if m := p.hops[end].watch.Target(); m != nil {
			s.Hops[end].Address = m.Address
		}
	}
	if last >= 0 {
		s.Hops[last].End = s.End
	}
	return s
}

// lastAnswering is the last hop that answered anything, -1 if none did.
func (p *monitorPlan) lastAnswering() int {
	if stop := p.stop(); stop >= 0 {
		return stop
	}
	return p.far()
}

// routeEnd says why the way ends at a hop, or if that is -1, where it does.
func (p *monitorPlan) routeEnd(end int) RouteEnd {
	if end >= 0 {
		if p.hops[end].refuses() {
			return endOf(&p.hops[end].last)
		}
		return EndReached
	}
	stop := p.stop()
	switch {
	case stop < 0:
		return EndMaxHops
	case p.hops[stop].refuses():
		return endOf(&p.hops[stop].last)
	}
	return EndLoop
}
