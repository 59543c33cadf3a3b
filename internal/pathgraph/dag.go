package pathgraph

import (
	"net/netip"
	"slices"
)

// dag is a Graph as it is looked at for diamonds: nodes with the same
// address are one vertex, so that branches of uneven length meet. Vertex 0 is
// the sender, and the last one is where all ways end.
type dag struct {
	points []Point
	depths [][]int // by vertex: the distances at which it answered
	next   [][]int
	before [][]int
	order  []int // topological
}

// known returns a vertex, or the next one up its dominators that answered.
func (d *dag) known(v, root int, dominators []int) int {
	for v != root && !d.points[v].Address.IsValid() {
		v = dominators[v]
	}
	return v
}

// newDAG returns nil where the ways go round in circles. Each node is a
// vertex of its own where merge is not set.
func newDAG(g *Graph, merge bool) *dag {
	d := &dag{points: []Point{{}}, depths: [][]int{{0}}}
	vertex := map[int]int{}
	byAddress := map[netip.Addr]int{}
	for i := range g.Hops {
		for _, n := range g.Hops[i].Nodes {
			v, known := byAddress[n.Address]
			if !known || !merge || n.IsSilent() {
				v = len(d.points)
				byAddress[n.Address] = v
				d.points = append(d.points, Point{n.Distance, n.Address})
				d.depths = append(d.depths, nil)
			}
			vertex[n.ID] = v
			d.depths[v] = append(d.depths[v], n.Distance)
		}
	}
	d.points = append(d.points, Point{})
	d.depths = append(d.depths, nil)
	d.next, d.before = make([][]int, len(d.points)), make([][]int, len(d.points))
	for _, e := range g.Edges {
		d.link(vertex[e.From], vertex[e.To])
	}
	d.close(g, vertex)
	if !d.sort() {
		return nil
	}
	return d
}

func (d *dag) link(from, to int) {
	if from == to || slices.Contains(d.next[from], to) {
		return
	}
	d.next[from] = append(d.next[from], to)
	d.before[to] = append(d.before[to], from)
}

// close lets all ways begin at the sender, and end at the last vertex.
func (d *dag) close(g *Graph, vertex map[int]int) {
	end := len(d.points) - 1
	if len(g.Hops) > 0 {
		for _, n := range g.Hops[0].Nodes {
			d.link(0, vertex[n.ID])
		}
	}
	for v := 1; v < end; v++ {
		if len(d.before[v]) == 0 {
			d.link(0, v) // nothing is known of what leads there
		}
		if len(d.next[v]) == 0 {
			d.link(v, end)
		}
	}
	if len(d.next[0]) == 0 {
		d.link(0, end)
	}
}

// sort finds a topological order, and reports whether there is one.
func (d *dag) sort() bool {
	open := make([]int, len(d.points))
	for v := range d.points {
		open[v] = len(d.before[v])
	}
	d.order = append(d.order, 0)
	for i := 0; i < len(d.order); i++ {
		for _, v := range d.next[d.order[i]] {
			if open[v]--; open[v] == 0 {
				d.order = append(d.order, v)
			}
		}
	}
	return len(d.order) == len(d.points)
}

// dominators returns for each vertex the nearest one through which all ways to
// it lead, given what is before each and an order in which that comes first.
func (d *dag) dominators(order []int, before [][]int) []int {
	dominator := make([]int, len(d.points))
	rank := make([]int, len(d.points))
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
func (d *dag) diamond(from, to int) Diamond {
	m := Diamond{Divergence: d.points[from], Convergence: d.points[to]}
	shortest, longest := map[int]int{from: 0}, map[int]int{from: 0}
	width := map[int]int{}
	for _, v := range d.order {
		near, inside := shortest[v]
		if !inside || v == to {
			continue
		}
		for _, distance := range d.depths[v] {
			if width[distance]++; v != from {
				m.Width = max(m.Width, width[distance])
			}
		}
		if v == from {
			clear(width)
		}
		for _, n := range d.next[v] {
			if known, ok := shortest[n]; !ok || near+1 < known {
				shortest[n] = near + 1
			}
			longest[n] = max(longest[n], longest[v]+1)
		}
	}
	m.MinLength, m.MaxLength = shortest[to], longest[to]
	if to == len(d.points)-1 { // which is no hop
		m.MinLength--
		m.MaxLength--
	}
	return m
}
