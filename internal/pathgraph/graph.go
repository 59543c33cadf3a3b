// Package pathgraph makes a graph out of what several flows met on their way to a
// target: nodes, edges between those of one hop and the next, and the diamonds in
// which ways part and meet again. It is pure.
package pathgraph

import (
	"cmp"
	"net/netip"
	"slices"
)

// Seen is an interface that answered at a hop, or silence there.
type Seen struct {
	Address netip.Addr // the zero Addr: silence
	Flows   []int      // that met it, in ascending order
	Set     int        // those of a hop with the same one are met by packets of the same flow
	Ends    bool       // a flow ends there
	Any     bool       // nobody answers at the hop: any flow counts as one of its
}

// Hop is what the flows met at one distance.
type Hop struct {
	Distance int
	Seen     []Seen
}

// Graph is the nodes, which have IDs in their order, the edges between them, and the
// diamonds.
type Graph struct {
	Hops     []Level
	Edges    []Edge // by the hop that they lead to, From and To
	Diamonds []Diamond
}

// Level is the nodes of a hop.
type Level struct {
	Distance int
	Nodes    []Node
}

// Node is a place in the graph.
type Node struct {
	Seen
	ID        int // from 0
	Distance  int
	Balancing Balancing
}

// IsSilent reports whether nobody answers at the node.
func (n *Node) IsSilent() bool { return !n.Address.IsValid() }

// Balancing is how load is spread over a node and others at its distance.
type Balancing uint8

// The ways to spread load, in the order of icmplib.Balancing.
const (
	None      Balancing = iota
	PerFlow             // another flow may meet another node; one flow meets one
	PerPacket           // packets of the same flow meet different nodes
)

// Edge leads from a node to one that is a hop farther.
type Edge struct {
	From, To int   // IDs
	Flows    []int // that took it
	Unsure   bool  // packets of one flow are spread over From and others: it may be one of those
}

// Point is a place that ways part or meet at.
type Point struct {
	Distance int
	Address  netip.Addr // the zero Addr: silent, or the sender
}

// Diamond is a part of a graph in which ways part, and meet again.
type Diamond struct {
	Divergence  Point // the last known point before ways part
	Convergence Point // the first known one where all have met; the zero Point: they do not
	Width       int   // the most nodes at one distance
	MinLength   int   // in hops
	MaxLength   int
}

// New makes the graph of hops in order of distance. A flow that met a node and one at
// the next hop makes an edge.
func New(hops []Hop) *Graph {
	g := &Graph{Edges: []Edge{}}
	id := 0
	for i, h := range hops {
		l := Level{Distance: h.Distance}
		for _, s := range h.Seen {
			l.Nodes = append(l.Nodes, Node{Seen: s, ID: id, Distance: h.Distance})
			id++
		}
		balance(l.Nodes)
		if g.Hops = append(g.Hops, l); i > 0 {
			g.link(g.Hops[i-1].Nodes, l.Nodes)
		}
	}
	g.Diamonds = findDiamonds(g)
	return g
}

// balance says how load is spread over the nodes of a hop: not at all where one alone
// answers.
func balance(nodes []Node) {
	sets, addressed := map[int]int{}, 0
	for i := range nodes {
		if !nodes[i].IsSilent() {
			sets[nodes[i].Set]++
			addressed++
		}
	}
	for i := range nodes {
		switch n := &nodes[i]; {
		case n.IsSilent() || addressed == 1:
		case sets[n.Set] > 1:
			n.Balancing = PerPacket
		default:
			n.Balancing = PerFlow
		}
	}
}

// link adds the edges from the nodes of a hop to those of the next.
func (g *Graph) link(before, here []Node) {
	first := len(g.Edges)
	for i := range before {
		for k := range here {
			if flows := before[i].common(&here[k]); len(flows) > 0 {
				g.Edges = append(g.Edges, Edge{From: before[i].ID, To: here[k].ID, Flows: flows})
			}
		}
	}
	doubt(g.Edges[first:], before)
}

// common returns the flows that met a node and one of the next hop.
func (n *Node) common(next *Node) []int {
	if n.Any {
		return slices.Clone(next.Flows)
	}
	var flows []int
	for _, flow := range next.Flows {
		if _, ok := slices.BinarySearch(n.Flows, flow); ok {
			flows = append(flows, flow)
		}
	}
	return flows
}

// doubt marks the edges that may lead from another node of those among which packets
// are spread: where these are followed by several.
func doubt(edges []Edge, before []Node) {
	set := map[int]int{} // by ID
	for i := range before {
		if before[i].Balancing == PerPacket {
			set[before[i].ID] = before[i].Set
		}
	}
	next := map[int]int{}     // by set: a node behind
	several := map[int]bool{} // by set: there is another one
	for _, e := range edges {
		if s, shared := set[e.From]; shared {
			if known, ok := next[s]; ok && known != e.To {
				several[s] = true
			}
			next[s] = e.To
		}
	}
	for i := range edges {
		s, shared := set[edges[i].From]
		edges[i].Unsure = shared && several[s]
	}
}

// IsLinked reports whether each router that has to have next hops has some, and it
// is known which are whose.
func (g *Graph) IsLinked() bool {
	leads := map[int]bool{}
	for _, e := range g.Edges {
		if e.Unsure {
			return false
		}
		leads[e.From] = true
	}
	for i := range len(g.Hops) - 1 {
		for k := range g.Hops[i].Nodes {
			if n := &g.Hops[i].Nodes[k]; !n.IsSilent() && !n.Ends && !leads[n.ID] {
				return false
			}
		}
	}
	return true
}

// findDiamonds returns the diamonds of a graph, in order of distance.
func findDiamonds(g *Graph) []Diamond {
	d := newDAG(g, true)
	if d == nil { // the same router at several distances of one way: a circle
		d = newDAG(g, false)
	}
	dominators := d.dominators(d.order, d.before)
	reversed := slices.Clone(d.order)
	slices.Reverse(reversed)
	followers := d.dominators(reversed, d.next)
	found := []Diamond{}
	seen := map[[2]int]bool{}
	for _, v := range d.order {
		if len(d.next[v]) < 2 {
			continue
		}
		from := d.known(v, 0, dominators)
		to := d.known(followers[from], len(d.points)-1, followers)
		if key := [2]int{from, to}; !seen[key] {
			seen[key] = true
			found = append(found, d.diamond(from, to))
		}
	}
	slices.SortStableFunc(found, func(a, b Diamond) int {
		return cmp.Or(cmp.Compare(a.Divergence.Distance, b.Divergence.Distance), -cmp.Compare(a.MaxLength, b.MaxLength))
	})
	return found
}
