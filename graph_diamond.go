package icmplib

import (
	"cmp"
	"net/netip"
	"slices"
)

// wayGraph is a Graph as it is looked at for diamonds: nodes with the same
// address are one vertex, so that branches of uneven length meet. Vertex 0 is
// the sender, and the last one is where all ways end.
type wayGraph struct {
	points []GraphPoint
	depths [][]int // by vertex: the distances at which it answered
	next   [][]int
	before [][]int
	order  []int // topological
}

// findDiamonds returns the diamonds of a graph, in order of distance.
func findDiamonds(g *Graph) []Diamond {
	w := newWayGraph(g, true)
	if w == nil { // the same router at several distances of one way: a circle
		w = newWayGraph(g, false)
	}
	dominators := w.dominators(w.order, w.before)
	reversed := slices.Clone(w.order)
	slices.Reverse(reversed)
	followers := w.dominators(reversed, w.next)
	found := []Diamond{}
	seen := map[[2]int]bool{}
	for _, v := range w.order {
		if len(w.next[v]) < 2 {
			continue
		}
		from := w.known(v, 0, dominators)
		to := w.known(followers[from], len(w.points)-1, followers)
		if key := [2]int{from, to}; !seen[key] {
			seen[key] = true
			found = append(found, w.diamond(from, to))
		}
	}
	slices.SortStableFunc(found, func(a, b Diamond) int {
		return cmp.Or(cmp.Compare(a.Divergence.Distance, b.Divergence.Distance), -cmp.Compare(a.MaxLength, b.MaxLength))
	})
	return found
}

// known returns a vertex, or the next one up its dominators that answered.
func (w *wayGraph) known(v, root int, dominators []int) int {
	for v != root && !w.points[v].Address.IsValid() {
		v = dominators[v]
	}
	return v
}

// newWayGraph returns nil where the ways go round in circles. Each node is a
// vertex of its own where merge is not set.
func newWayGraph(g *Graph, merge bool) *wayGraph {
	w := &wayGraph{points: []GraphPoint{{}}, depths: [][]int{{0}}}
	vertex := map[int]int{}
	byAddress := map[netip.Addr]int{}
	for i := range g.Hops {
		for _, n := range g.Hops[i].Nodes {
			v, known := byAddress[n.Address]
			if !known || !merge || n.IsSilent() {
				v = len(w.points)
				byAddress[n.Address] = v
				w.points = append(w.points, GraphPoint{n.Distance, n.Address})
				w.depths = append(w.depths, nil)
			}
			vertex[n.ID] = v
			w.depths[v] = append(w.depths[v], n.Distance)
		}
	}
	w.points = append(w.points, GraphPoint{})
	w.depths = append(w.depths, nil)
	w.next, w.before = make([][]int, len(w.points)), make([][]int, len(w.points))
	for _, e := range g.Edges {
		w.link(vertex[e.From], vertex[e.To])
	}
	w.close(g, vertex)
	if !w.sort() {
		return nil
	}
	return w
}

func (w *wayGraph) link(from, to int) {
	if from == to || slices.Contains(w.next[from], to) {
		return
	}
	w.next[from] = append(w.next[from], to)
	w.before[to] = append(w.before[to], from)
}

// close lets all ways begin at the sender, and end at the last vertex.
func (w *wayGraph) close(g *Graph, vertex map[int]int) {
	end := len(w.points) - 1
	if len(g.Hops) > 0 {
		for _, n := range g.Hops[0].Nodes {
			w.link(0, vertex[n.ID])
		}
	}
	for v := 1; v < end; v++ {
		if len(w.before[v]) == 0 {
			w.link(0, v) // nothing is known of what leads there
		}
		if len(w.next[v]) == 0 {
			w.link(v, end)
		}
	}
	if len(w.next[0]) == 0 {
		w.link(0, end)
	}
}

// sort finds a topological order, and tells whether there is one.
func (w *wayGraph) sort() bool {
	open := make([]int, len(w.points))
	for v := range w.points {
		open[v] = len(w.before[v])
	}
	w.order = append(w.order, 0)
	for i := 0; i < len(w.order); i++ {
		for _, v := range w.next[w.order[i]] {
			if open[v]--; open[v] == 0 {
				w.order = append(w.order, v)
			}
		}
	}
	return len(w.order) == len(w.points)
}

// dominators returns for each vertex the nearest one through which all ways to
// it lead, given what is before each and an order in which that comes first.
func (w *wayGraph) dominators(order []int, before [][]int) []int {
	dominator := make([]int, len(w.points))
	rank := make([]int, len(w.points))
	for i, v := range order {
		rank[v] = i
	}
	dominator[order[0]] = order[0]
	for _, v := range order[1:] {
		common := before[v][0]
		for _, other := range before[v][1:] {
			for common != other {
				if rank[common] > rank[other] {
					common = dominator[common]
				} else {
					other = dominator[other]
				}
			}
		}
		dominator[v] = common
	}
	return dominator
}

// diamond measures what is between two vertices.
func (w *wayGraph) diamond(from, to int) Diamond {
	d := Diamond{Divergence: w.points[from], Convergence: w.points[to]}
	shortest, longest := map[int]int{from: 0}, map[int]int{from: 0}
	width := map[int]int{}
	for _, v := range w.order {
		near, inside := shortest[v]
		if !inside || v == to {
			continue
		}
		for _, distance := range w.depths[v] {
			if width[distance]++; v != from {
				d.Width = max(d.Width, width[distance])
			}
		}
		if v == from {
			clear(width)
		}
		for _, n := range w.next[v] {
			if known, ok := shortest[n]; !ok || near+1 < known {
				shortest[n] = near + 1
			}
			longest[n] = max(longest[n], longest[v]+1)
		}
	}
	d.MinLength, d.MaxLength = shortest[to], longest[to]
	if to == len(w.points)-1 { // which is no hop
		d.MinLength--
		d.MaxLength--
	}
	return d
}
