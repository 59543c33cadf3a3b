package icmplib

import (
	"cmp"
	"slices"
)

// graph makes the graph out of what the flows saw, of which the hops are made.
func (v *flowView) graph(done bool, hops []*Hop) *Graph {
	g := &Graph{Flows: v.flows()}
	for _, h := range hops {
		g.Probes += h.PacketsSent
	}
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
	g.Complete = done && v.p.rule != nil && v.holds() && v.isLinked(g, ids)
	return g
}

// holds reports whether the stopping rule holds behind each router. Flows for which
// nobody answered beside others may have passed a router of their own.
func (v *flowView) holds() bool {
	for hop := range min(v.p.far, v.last) + 1 {
		groups := v.p.groups(hop)
		if hop > 0 {
			groups = append(groups, flowGroup{flows: v.silentFlows(hop - 1)})
		}
		for _, g := range groups {
			flows := g.flows
			if g.any {
				flows = allFlows(v.p.most)
			}
			if len(flows) > 0 && !v.p.holds(v.p.tally(hop, flows)) {
				return false
			}
		}
	}
	return true
}

// silentFlows returns the flows that go on behind a hop where nobody answered for
// them; none where they are those of all flows, which count as one group.
func (v *flowView) silentFlows(hop int) (flows []int) {
	if len(v.p.hops[hop].nodes) == 0 && hop < v.p.near {
		return nil
	}
	for flow := range v.p.hops[hop].asks {
		if a := v.ask(hop, flow); a != nil && v.p.silent(a) && v.ask(hop+1, flow) != nil {
			flows = append(flows, flow)
		}
	}
	return flows
}

// isLinked reports whether each router that has to have next hops has some, and it
// is known which are whose.
func (v *flowView) isLinked(g *Graph, ids [][]int) bool {
	leads := map[int]bool{}
	for _, e := range g.Edges {
		if e.Unsure {
			return false
		}
		leads[e.From] = true
	}
	for i := range v.last {
		for node := range v.p.hops[i].nodes {
			if id := ids[i][node]; id >= 0 && !leads[id] && !v.isEnd(i, node) {
				return false
			}
		}
	}
	return true
}

// isEnd reports whether flows end at a node.
func (v *flowView) isEnd(hop, node int) bool {
	for flow := range v.p.hops[hop].asks {
		if a := v.ask(hop, flow); a != nil && v.p.ends[flow] == hop && slices.Contains(a.nodes, node) {
			return true
		}
	}
	return false
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
			if node.Balancing = BalancingPerFlow; h.isShared(n) {
				node.Balancing = BalancingPerPacket
			}
		}
		hop.Nodes = append(hop.Nodes, node)
	}
	hop.Balancing = hop.balancing()
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

// balancing returns the greatest of the nodes', and corrects that of a node that
// has none beside it.
func (h *GraphHop) balancing() (b Balancing) {
	var only *GraphNode
	addressed := 0
	for i := range h.Nodes {
		if n := &h.Nodes[i]; !n.IsSilent() {
			only, b = n, max(b, n.Balancing)
			addressed++
		}
	}
	if addressed == 1 {
		only.Balancing, b = BalancingNone, BalancingNone
	}
	return b
}

// link adds the edges that lead to a hop: what a flow met there, and at the hop
// before.
func (v *flowView) link(g *Graph, i int, before, here []int) {
	first := len(g.Edges)
	for flow := range v.p.hops[i].asks {
		for _, to := range v.nodes(i, flow) {
			for _, from := range v.from(i-1, flow) {
				if before[from] < 0 {
					continue // cut short: it is not known whether anybody is there
				}
				g.addEdge(first, GraphEdge{From: before[from], To: here[to]}, flow)
			}
		}
	}
	v.doubt(g.Edges[first:], i, before)
	slices.SortFunc(g.Edges[first:], func(a, b GraphEdge) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}

// doubt marks the edges to a hop that may lead from another node of those among
// which packets are spread: where these are followed by several.
func (v *flowView) doubt(edges []GraphEdge, i int, before []int) {
	h := &v.p.hops[i-1]
	set := map[int]int{} // by ID
	for node := range h.nodes {
		if h.isShared(node) && before[node] >= 0 {
			set[before[node]] = h.set(node)
		}
	}
	next := map[int]map[int]bool{} // by set: the nodes behind
	for _, e := range edges {
		if s, shared := set[e.From]; shared {
			if next[s] == nil {
				next[s] = map[int]bool{}
			}
			next[s][e.To] = true
		}
	}
	for k := range edges {
		s, shared := set[edges[k].From]
		edges[k].Unsure = shared && len(next[s]) > 1
	}
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
