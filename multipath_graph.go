package icmplib

import (
	"cmp"
	"slices"
)

// graph makes the graph out of what the flows saw.
func (v *flowView) graph(done bool) *Graph {
	p := v.p
	g := &Graph{Flows: v.flows(), Probes: p.probes, Complete: done && p.rule != nil && !p.short}
	g.Hops, g.Edges = []GraphHop{}, []GraphEdge{}
	ids := make([][]int, v.last+1) // by hop and node; the last is that of silence
	next := 0
	for i := range v.last + 1 {
		var hop GraphHop
		hop, ids[i] = v.graphHop(i, next)
		next += len(hop.Nodes)
		g.Hops = append(g.Hops, hop)
		if i > 0 {
			v.link(g, i, ids[i-1], ids[i])
		}
	}
	g.Diamonds = findDiamonds(g)
	return g
}

// flows counts those of which a probe has left.
func (v *flowView) flows() (n int) {
	for flow := range v.p.ends {
		used := false
		for hop := range v.p.hops {
			asks := v.p.hops[hop].asks
			used = used || flow < len(asks) && asks[flow].sent > 0
		}
		if used {
			n++
		}
	}
	return n
}

// graphHop makes a hop whose nodes are counted from an ID on. It returns the IDs
// of the plan's nodes, and behind them that of silence; -1 for what is not there.
func (v *flowView) graphHop(i, next int) (GraphHop, []int) {
	h := &v.p.hops[i]
	silence := len(h.nodes)
	met := make([][]int, silence+1)
	hop := GraphHop{Distance: v.p.opts.FirstHop + i, Nodes: []GraphNode{}}
	for flow := range h.asks {
		for _, n := range v.nodes(i, flow) {
			met[n] = append(met[n], flow)
		}
	}
	ids := make([]int, silence+1)
	for n := range met {
		if ids[n] = -1; len(met[n]) == 0 {
			continue
		}
		ids[n] = next + len(hop.Nodes)
		node := GraphNode{ID: ids[n], Distance: hop.Distance, Flows: met[n]}
		if n < silence {
			node.Address = h.nodes[n]
		}
		hop.Nodes = append(hop.Nodes, node)
	}
	hop.Balancing = balancingOf(&hop, h.perPacket)
	return hop, ids
}

// nodes returns what a flow met at a hop: nodes of the plan, or silence, whose
// number is behind theirs.
func (v *flowView) nodes(i, flow int) []int {
	a := v.ask(i, flow)
	switch {
	case a == nil:
		return nil
	case a.answered > 0:
		return a.nodes
	case v.p.silent(a):
		return []int{len(v.p.hops[i].nodes)}
	}
	return nil
}

func balancingOf(h *GraphHop, perPacket bool) Balancing {
	addressed := 0
	for i := range h.Nodes {
		if !h.Nodes[i].IsSilent() {
			addressed++
		}
	}
	switch {
	case addressed < 2:
		return BalancingNone
	case perPacket:
		return BalancingPerPacket
	}
	return BalancingPerFlow
}

// link adds the edges that lead to a hop: what a flow met there, and at the hop
// before.
func (v *flowView) link(g *Graph, i int, before, here []int) {
	first := len(g.Edges)
	unsure := g.Hops[i-1].Balancing == BalancingPerPacket && len(g.Hops[i].Nodes) > 1
	for flow := range v.p.hops[i].asks {
		for _, to := range v.nodes(i, flow) {
			for _, from := range v.from(i-1, flow) {
				if before[from] < 0 {
					continue // cut short: it is not known whether anybody is there
				}
				g.addEdge(first, GraphEdge{From: before[from], To: here[to], Unsure: unsure}, flow)
			}
		}
	}
	slices.SortFunc(g.Edges[first:], func(a, b GraphEdge) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}

// from returns what a flow met at a hop. Where nobody answers at all, that is
// silence, also for flows that were not asked for.
func (v *flowView) from(i, flow int) []int {
	if len(v.p.hops[i].nodes) == 0 {
		return []int{0}
	}
	return v.nodes(i, flow)
}

// addEdge adds a flow to an edge, one of those from first on.
func (g *Graph) addEdge(first int, e GraphEdge, flow int) {
	for i := first; i < len(g.Edges); i++ {
		if g.Edges[i].From == e.From && g.Edges[i].To == e.To {
			if !slices.Contains(g.Edges[i].Flows, flow) {
				g.Edges[i].Flows = append(g.Edges[i].Flows, flow)
			}
			return
		}
	}
	e.Flows = []int{flow}
	g.Edges = append(g.Edges, e)
}
