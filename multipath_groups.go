package icmplib

// flowGroup is the flows that are known to pass a router, or some among which
// packets are spread, at the hop before the one in question; or all flows, where it cannot matter which they are: at the
// first hop, and behind a silent one.
type flowGroup struct {
	flows []int
	any   bool
	share float64 // of the flows at that hop
}

// groups returns the routers before a hop.
func (p *flowPlan) groups(hop int) []flowGroup {
	if hop == 0 {
		return []flowGroup{{any: true}}
	}
	before := &p.hops[hop-1]
	if len(before.nodes) == 0 {
		if hop <= p.near {
			return []flowGroup{{any: true}}
		}
		return nil
	}
	groups := make([]flowGroup, len(before.nodes)) // that of a set is that of its first node
	total := 0
	for flow := range before.asks {
		a := &before.asks[flow]
		switch {
		case p.silent(a):
			p.want(hop, flow) // it may have passed any of them
		case len(a.nodes) == 0 || a.said.end() != EndUnknown || p.ends[flow] < hop:
		default:
			g := &groups[before.set(a.nodes[0])] // which of a set a packet meets is not the flow's choice
			g.flows = append(g.flows, flow)
		}
		if len(a.nodes) > 0 {
			total++
		}
	}
	for i := range groups {
		groups[i].share = float64(len(groups[i].flows)) / float64(max(total, 1))
	}
	return groups
}

// decideGroup has more flows through a router asked for at the next hop, until
// the rule holds. Where there are no more of them, further flows are asked for at
// the router's own hop.
func (p *flowPlan) decideGroup(hop int, g *flowGroup) {
	if len(g.flows) == 0 && !g.any {
		return
	}
	flows := g.flows
	if g.any {
		flows = allFlows(p.most)
	}
	missing := p.missing(hop, flows)
	for _, flow := range flows {
		if missing <= 0 {
			return
		}
		if p.ask(hop, flow).want == 0 && p.want(hop, flow) {
			missing--
		}
	}
	if missing > 0 && !g.any {
		// Rounded up, but not for what is only the error of a division.
		p.draw(hop-1, int(float64(missing)/g.share+0.999))
	}
}

func allFlows(n int) []int {
	flows := make([]int, n)
	for i := range flows {
		flows[i] = i
	}
	return flows
}

// missing returns how many more flows the rule demands at a hop, of a group of
// them, beside those that are asked for. Silence is a next hop of its own, but
// does not help to tell the others apart.
func (p *flowPlan) missing(hop int, flows []int) int {
	t := p.tally(hop, flows)
	need := p.required(t.outcomes())
	settled := t.answered + t.silent
	more := need - settled
	if t.nodes > 0 {
		more = max(more, min(p.required(t.nodes)-t.answered, 3*need-settled))
	}
	return more - t.pending
}

// flowTally is what some flows met at a hop.
type flowTally struct{ nodes, silent, answered, pending int }

// outcomes is how many next hops they make, silence being one.
func (t flowTally) outcomes() int {
	if t.silent > 0 {
		return t.nodes + 1
	}
	return t.nodes
}

// holds reports whether the rule holds for the next hops of some flows.
func (p *flowPlan) holds(t flowTally) bool {
	return t.answered+t.silent >= p.required(t.outcomes()) && (t.nodes == 0 || t.answered >= p.required(t.nodes))
}

func (p *flowPlan) tally(hop int, flows []int) (t flowTally) {
	found := make([]bool, len(p.hops[hop].nodes))
	for _, flow := range flows {
		if flow >= len(p.hops[hop].asks) || p.ends[flow] < hop {
			continue
		}
		a := p.ask(hop, flow)
		switch {
		case a.want == 0:
		case a.answered > 0:
			t.answered++
			for _, n := range a.nodes {
				if !found[n] {
					found[n] = true
					t.nodes++
				}
			}
		case p.silent(a):
			t.silent++
		default:
			t.pending++
		}
	}
	return t
}

// required returns how many flows have to be seen where so many next hops are.
func (p *flowPlan) required(found int) int {
	if found > len(p.rule) {
		return p.most
	}
	return p.rule[max(found, 1)-1]
}

// draw has so many further flows asked for at a hop, once all those that are
// asked for have settled.
func (p *flowPlan) draw(hop, count int) {
	for i := range hop + 1 {
		if !p.known(i) {
			return
		}
	}
	drawn := 0
	for flow := 0; flow < p.most && drawn < count; flow++ {
		if p.lead(hop, flow) {
			drawn++
		}
	}
}
