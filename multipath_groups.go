package icmplib

// flowGroup is the flows that are known to pass a router, at the hop before the
// one in question; or all flows, where it cannot matter which they are: at the
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
	count := len(before.nodes)
	if before.perPacket {
		count = 1 // which of them a packet meets is not the flow's choice
	}
	groups := make([]flowGroup, count)
	total := 0
	for flow := range before.asks {
		a := &before.asks[flow]
		switch {
		case p.silent(a):
			p.want(hop, flow) // it may have passed any of them
		case len(a.nodes) == 0 || a.said.end() != EndUnknown || p.ends[flow] < hop:
		case before.perPacket:
			groups[0].flows = append(groups[0].flows, flow)
		default:
			groups[a.nodes[0]].flows = append(groups[a.nodes[0]].flows, flow)
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
	switch {
	case missing <= 0:
	case g.any:
		p.short = true
	default:
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
	found := make([]bool, len(p.hops[hop].nodes))
	nodes, silent, answered, pending := 0, 0, 0, 0
	for _, flow := range flows {
		if flow >= len(p.hops[hop].asks) || p.ends[flow] < hop {
			continue
		}
		a := p.ask(hop, flow)
		switch {
		case a.want == 0:
		case a.answered > 0:
			answered++
			for _, n := range a.nodes {
				if !found[n] {
					found[n] = true
					nodes++
				}
			}
		case p.silent(a):
			silent++
		default:
			pending++
		}
	}
	outcomes := nodes
	if silent > 0 {
		outcomes++
	}
	need := p.required(outcomes)
	settled := answered + silent
	more := need - settled
	if nodes > 0 {
		more = max(more, min(p.required(nodes)-answered, 3*need-settled))
	}
	return more - pending
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
	if drawn == 0 {
		p.short = true
	}
}
