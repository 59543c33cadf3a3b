package icmplib

import (
	"maps"
	"slices"
)

// update decides anew where something became known.
func (p *flowPlan) update() {
	if !p.stale {
		return
	}
	p.stale = false
	p.endByShape()
	for hop := range min(p.window, p.last+1) {
		p.decide(hop)
	}
	p.todo = p.todo[:0]
	for _, again := range []bool{true, false} { // what checks a hop goes in one flock
		for hop := range p.last + 1 {
			for flow := range p.hops[hop].asks {
				a := &p.hops[hop].asks[flow]
				if p.wants(a) && (a.want > 1) == again && p.ends[flow] >= hop {
					p.todo = append(p.todo, askAt{hop, flow})
				}
			}
		}
	}
}

// decide says what is to be asked at a hop, by what is known of it and of the
// hop before. Nothing of that is ever taken back, so that the trace ends.
func (p *flowPlan) decide(hop int) {
	for flow := range p.base {
		if flow < scouts || hop <= p.far && hop <= p.near {
			p.want(hop, flow)
		}
	}
	p.decideChecks(hop)
	p.decideLinks(hop)
	if p.rule == nil || hop > p.far {
		return
	}
	for _, g := range p.groups(hop) {
		p.decideGroup(hop, &g)
	}
}

// want has a flow asked for at a hop, where it may have got that far.
func (p *flowPlan) want(hop, flow int) bool {
	a := p.ask(hop, flow)
	if a.want == 0 && p.mayReach(hop, flow) {
		a.want = 1
	}
	return a.want > 0
}

// mayReach tells whether a flow may be asked for at a hop: it must not have
// ended, and behind the hop where another flow ended it has to be seen to go on.
// Else the target would answer, whose distance that is not.
func (p *flowPlan) mayReach(hop, flow int) bool {
	switch {
	case p.ends[flow] < hop:
		return false
	case hop <= p.near:
		return true
	}
	if !p.settled(p.ask(hop-1, flow)) {
		return false
	}
	for i := hop - 1; i >= max(0, hop-pastEnd); i-- {
		if p.ask(i, flow).answered > 0 {
			return true
		}
	}
	return hop < pastEnd
}

// lead has a flow asked for at the farthest hop, up to this one, where it may be.
func (p *flowPlan) lead(hop, flow int) bool {
	for ; hop >= 0 && p.ask(hop, flow).want == 0; hop-- {
		if p.ends[flow] < hop {
			return false
		}
		if p.want(hop, flow) {
			return true
		}
	}
	return false
}

// checkedFlows is how many flows of a router with several next hops are asked for
// again. Of a router that spreads packets over two, one flow alone would meet the
// same one each time in 3 % of the cases.
const checkedFlows = 2

// decideChecks finds out which routers spread load packet by packet. Where several
// next hops of a router are known, flows that met different ones are asked for
// again, as often as the rule demands to tell one next hop from two: balancing by
// packet shows in that the same flow meets another node. Then all next hops of that
// router are met by the packets of any of its flows.
func (p *flowPlan) decideChecks(hop int) {
	h := &p.hops[hop]
	if len(h.nodes) < 2 {
		return
	}
	groups := p.groups(hop)
	if groups == nil {
		groups = []flowGroup{{any: true}}
	}
	for _, g := range groups {
		flows := g.flows
		if g.any {
			flows = allFlows(len(h.asks))
		}
		if p.spreads(hop, flows) && !g.any {
			p.mergeNodes(hop, flows)
			continue
		}
		p.checkFlows(hop, flows)
	}
}

// spreads reports whether one of the flows met several nodes of a hop.
func (p *flowPlan) spreads(hop int, flows []int) bool {
	return slices.ContainsFunc(flows, func(flow int) bool { return len(p.ask(hop, flow).nodes) > 1 })
}

// mergeNodes notes that the nodes that some flows met are met by all of them.
func (p *flowPlan) mergeNodes(hop int, flows []int) {
	first := -1
	for _, flow := range flows {
		a := p.ask(hop, flow)
		a.want = min(a.want, 1)
		if len(a.nodes) == 0 {
			continue
		}
		if first < 0 {
			first = a.nodes[0]
		}
		p.hops[hop].merge(first, a.nodes[0])
	}
}

// checkFlows has flows asked for again that met different nodes. Behind a silent
// hop, one router may spread packets and another one flows.
func (p *flowPlan) checkFlows(hop int, flows []int) {
	h := &p.hops[hop]
	most := checkedFlows
	if p.spreads(hop, flows) {
		most = len(h.nodes)
	}
	first := map[int]int{} // by set of nodes: the flow that stands for it
	for _, flow := range flows {
		if a := p.ask(hop, flow); len(a.nodes) > 0 && p.ends[flow] >= hop {
			if known, ok := first[h.set(a.nodes[0])]; !ok || a.want > p.ask(hop, known).want {
				first[h.set(a.nodes[0])] = flow
			}
		}
	}
	if len(first) < 2 {
		return
	}
	for _, flow := range slices.Sorted(maps.Values(first)) {
		if a := p.ask(hop, flow); most > 0 && !h.isShared(a.nodes[0]) {
			a.want = multipathRule()[0]
			most--
		}
	}
}

// met tells whether a node was the first to answer.
func (a *flowAsk) met(node int) bool { return len(a.nodes) > 0 && a.nodes[0] == node }

// decideLinks has asked what leads to each node of a hop, where no flow has
// shown it yet, and to the end of each flow; and what follows each node of the
// hop before.
func (p *flowPlan) decideLinks(hop int) {
	h := &p.hops[hop]
	if hop == 0 {
		return
	}
	p.decideSuccessors(hop)
	if len(h.nodes) == 0 {
		return
	}
	for node := range h.nodes {
		linked := false
		for flow := range h.asks {
			linked = linked || h.asks[flow].met(node) && p.ask(hop-1, flow).want > 0
		}
		for flow := range h.asks {
			if a := &h.asks[flow]; a.met(node) && (!linked || a.said.end() != EndUnknown) {
				p.want(hop-1, flow)
				linked = true
			}
		}
	}
}

// decideSuccessors has a flow of each node of the hop before asked for at a hop,
// where none is yet: a router whose rule holds for others beside it, among which
// packets are spread, has next hops as well.
func (p *flowPlan) decideSuccessors(hop int) {
	before := &p.hops[hop-1]
	for node := range before.nodes {
		flow, asked := -1, false
		for f := range before.asks {
			if a := &before.asks[f]; slices.Contains(a.nodes, node) && a.said.end() == EndUnknown && p.ends[f] >= hop {
				flow, asked = f, asked || p.ask(hop, f).want > 0
			}
		}
		if flow >= 0 && !asked {
			p.want(hop, flow)
		}
	}
}

// endByShape ends the trace where the hops go round in a circle, or where there
// is too long a gap.
func (p *flowPlan) endByShape() {
	for hop := range p.last {
		if hop >= p.near || !p.known(hop) {
			return
		}
		switch {
		case p.closesLoop(hop):
			p.last, p.cut = hop, EndLoop
			return
		case p.closesGap(hop):
			p.last, p.cut = hop, EndGap
			return
		}
	}
}

// known tells whether all that was asked at a hop is settled.
func (p *flowPlan) known(hop int) bool {
	h := &p.hops[hop]
	for flow := range h.asks {
		if a := &h.asks[flow]; a.want > 0 && p.ends[flow] >= hop && !p.settled(a) {
			return false
		}
	}
	return len(h.asks) > 0 && h.asks[0].want > 0
}

// closesLoop tells whether the hops up to this one end with the same circle
// twice, or with one set of routers three times: see tracePlan.closesLoop.
func (p *flowPlan) closesLoop(hop int) bool {
	return closesLoop(hop, func(i, j int) bool { return len(p.hops[i].nodes) > 0 && sameNodes(&p.hops[i], &p.hops[j]) })
}

func sameNodes(a, b *flowHop) bool {
	if len(a.nodes) != len(b.nodes) {
		return false
	}
	for _, n := range a.nodes {
		if !slices.Contains(b.nodes, n) {
			return false
		}
	}
	return true
}

func (p *flowPlan) closesGap(hop int) bool {
	gap := 0
	for ; hop >= 0 && len(p.hops[hop].nodes) == 0; hop-- {
		gap++
	}
	return p.opts.GapLimit > 0 && gap >= p.opts.GapLimit
}
