package icmplib

// flowView is what of a flowPlan's table can be relied on: how far each flow was
// seen. What was asked for behind the end of a flow is none of its way.
type flowView struct {
	p      *flowPlan
	extent []int // by flow: the last hop that is on its way
	last   int   // the last hop of all
}

// view looks at the table. Where the plan is not done, it ends with the last
// hop that answered.
func (p *flowPlan) view(done bool) *flowView {
	v := &flowView{p: p, extent: make([]int, len(p.ends)), last: -1}
	for flow := range p.ends {
		v.extent[flow] = p.extent(flow)
	}
	for hop := range p.last + 1 {
		for flow := range p.hops[hop].asks {
			if a := v.ask(hop, flow); a != nil && (a.answered > 0 || done && p.near > p.last) {
				v.last = hop
			}
		}
	}
	return v
}

// extent returns the last hop that is on the way of a flow. That it ended at a
// hop shows only if it was seen to go on at the hop before, or if no flow ended
// nearer: a target also answers what would have got farther.
func (p *flowPlan) extent(flow int) int {
	end, seen := p.ends[flow], -1
	for hop := min(end-1, p.last); hop >= 0 && seen < 0; hop-- {
		if flow < len(p.hops[hop].asks) && p.hops[hop].asks[flow].answered > 0 {
			seen = hop
		}
	}
	switch {
	case end != never && (end == p.near || seen == end-1):
		return end
	case p.near > p.last:
		return p.last
	}
	return max(seen, p.near)
}

// ask returns what is known of a flow at a hop; nil where it was not asked for,
// or has not got that far.
func (v *flowView) ask(hop, flow int) *flowAsk {
	if asks := v.p.hops[hop].asks; flow < len(asks) && asks[flow].sent > 0 && hop <= v.extent[flow] {
		return &asks[flow]
	}
	return nil
}

// end says how the trace ended.
func (v *flowView) end() RouteEnd {
	end := EndUnknown
	for hop := range v.last + 1 {
		for flow := range v.p.hops[hop].asks {
			a := v.ask(hop, flow)
			if a != nil && a.said.end() != EndUnknown && end != EndReached {
				end = a.said.end()
			}
		}
	}
	if end == EndUnknown {
		return v.p.cut
	}
	return end
}
