package graphsvg

import (
	"cmp"
	"slices"

	"github.com/goicmp/icmplib"
)

// layout is a graph in layers, one for each distance, with a place for each node: its
// order within the layer, and where its middle is across the way, in pixels. Edges lead
// from a layer to the next one only, so nothing has to be led round anything.
type layout struct {
	layers [][]*node
	edges  []edge
}

// node is a place in a layer.
type node struct {
	of     *icmplib.GraphNode // nil: the sender
	layer  int
	at     float64 // of its middle, across the way
	before []*node // in the layer before, that edges come from
	behind []*node // in the next layer, that edges lead to
}

// edge leads from a node to one of the next layer.
type edge struct {
	from, to *node
	flows    int
	unsure   bool
}

// sweeps is how often the layers are gone through, forth and back. More changes
// nothing that can be seen.
const sweeps = 12

// newLayout orders the nodes of a graph so that few edges cross, and places them at a
// distance of 1 or more from each other.
func newLayout(g *icmplib.Graph) *layout {
	l := &layout{}
	l.link(g)
	l.order()
	l.place(1)
	return l
}

// link takes the nodes and the edges. Where the graph begins with the first hop, the
// sender stands before it.
func (l *layout) link(g *icmplib.Graph) {
	byID := map[int]*node{}
	for i := range g.Hops {
		layer := make([]*node, len(g.Hops[i].Nodes))
		for j := range layer {
			layer[j] = &node{of: &g.Hops[i].Nodes[j]}
			byID[layer[j].of.ID] = layer[j]
		}
		l.layers = append(l.layers, layer)
	}
	if len(g.Hops) > 0 && g.Hops[0].Distance == 1 {
		sender := &node{}
		for _, n := range l.layers[0] {
			l.edges = append(l.edges, edge{sender, n, len(n.of.Flows), false})
		}
		l.layers = append([][]*node{{sender}}, l.layers...)
	}
	for _, e := range g.Edges {
		if from, to := byID[e.From], byID[e.To]; from != nil && to != nil {
			l.edges = append(l.edges, edge{from, to, len(e.Flows), e.Unsure})
		}
	}
	for i, layer := range l.layers {
		for _, n := range layer {
			n.layer = i
		}
	}
	for _, e := range l.edges {
		e.from.behind = append(e.from.behind, e.to)
		e.to.before = append(e.to.before, e.from)
	}
}

// order sorts each layer by where the neighbours of its nodes are, forth and back, and
// keeps the order with the fewest crossings.
func (l *layout) order() {
	l.number()
	best, fewest := l.copyLayers(), l.crossings()
	for sweep := 0; sweep < sweeps && fewest > 0; sweep++ {
		l.eachLayer(sweep%2 == 0, func(i int) {
			sortByNeighbours(l.layers[i], sweep%2 == 0)
		})
		if n := l.crossings(); n < fewest {
			best, fewest = l.copyLayers(), n
		}
	}
	l.layers = best
	l.number()
}

// eachLayer goes through the layers but the first, or back through those but the last.
func (l *layout) eachLayer(forth bool, do func(i int)) {
	for i := 1; i < len(l.layers); i++ {
		if forth {
			do(i)
		} else {
			do(len(l.layers) - 1 - i)
		}
	}
}

func (l *layout) copyLayers() [][]*node {
	c := make([][]*node, len(l.layers))
	for i := range c {
		c[i] = slices.Clone(l.layers[i])
	}
	return c
}

// number gives nodes their place in the layer as long as they have no other.
func (l *layout) number() {
	for _, layer := range l.layers {
		for i, n := range layer {
			n.at = float64(i)
		}
	}
}

// sortByNeighbours sorts a layer by the means of the neighbours' places.
func sortByNeighbours(layer []*node, forth bool) {
	wanted := make(map[*node]float64, len(layer))
	for _, n := range layer {
		wanted[n] = n.mean(n.neighbours(forth))
	}
	slices.SortStableFunc(layer, func(a, b *node) int { return cmp.Compare(wanted[a], wanted[b]) })
	for i, n := range layer {
		n.at = float64(i)
	}
}

// neighbours are those in the layer before, or behind.
func (n *node) neighbours(before bool) []*node {
	if before {
		return n.before
	}
	return n.behind
}

// mean is the middle of the neighbours; where there are none, it is where the node is.
func (n *node) mean(neighbours []*node) float64 {
	if len(neighbours) == 0 {
		return n.at
	}
	sum := 0.0
	for _, other := range neighbours {
		sum += other.at
	}
	return sum / float64(len(neighbours))
}

// crossings counts the pairs of edges that cross.
func (l *layout) crossings() int {
	total := 0
	for _, layer := range l.layers {
		var ends []float64 // of the edges, in the order of where they begin
		for _, n := range layer {
			own := make([]float64, len(n.behind))
			for i, other := range n.behind {
				own[i] = other.at
			}
			for _, end := range own {
				for _, other := range ends {
					if other > end {
						total++
					}
				}
			}
			ends = append(ends, own...)
		}
	}
	return total
}

// place moves the nodes, whose middles are at least so far apart, to where their neighbours are, as far as those beside them let
// them, forth and back, and at last between the neighbours of both sides.
func (l *layout) place(spacing float64) {
	for _, layer := range l.layers {
		for i, n := range layer {
			n.at = (float64(i) - float64(len(layer)-1)/2) * spacing
		}
	}
	for sweep := range sweeps {
		l.eachLayer(sweep%2 == 0, func(i int) {
			settle(l.layers[i], spacing, func(n *node) float64 { return n.mean(n.neighbours(sweep%2 == 0)) })
		})
	}
	for range 2 {
		l.eachLayer(true, func(i int) {
			settle(l.layers[i], spacing, func(n *node) float64 { return n.mean(slices.Concat(n.before, n.behind)) })
		})
	}
	l.straighten()
	least := 0.0
	for i, layer := range l.layers {
		if i == 0 || layer[0].at < least {
			least = layer[0].at
		}
	}
	for _, layer := range l.layers {
		for _, n := range layer {
			n.at -= least
		}
	}
}

// straighten puts nodes that are alone in their layers, one layer after the other, in one
// line.
func (l *layout) straighten() {
	for from := 0; from < len(l.layers); {
		to, sum := from, 0.0
		for to < len(l.layers) && len(l.layers[to]) == 1 {
			sum += l.layers[to][0].at
			to++
		}
		for _, layer := range l.layers[from:to] {
			layer[0].at = sum / float64(to-from)
		}
		from = max(to, from+1)
	}
}

// settle moves the nodes of a layer as near to where they want to be as can be, in the
// sense of least squares, with the order and the spacing kept. Less what the spacing
// makes, that is isotonic regression: neighbours that want to be on each other's sides
// share the mean of what they want.
func settle(layer []*node, spacing float64, wanted func(*node) float64) {
	type pool struct {
		sum   float64
		nodes int
	}
	var pools []pool
	for i, n := range layer {
		pools = append(pools, pool{wanted(n) - float64(i)*spacing, 1})
		for k := len(pools) - 1; k > 0; k-- {
			a, b := pools[k-1], pools[k]
			if a.sum/float64(a.nodes) <= b.sum/float64(b.nodes) {
				break
			}
			pools[k-1] = pool{a.sum + b.sum, a.nodes + b.nodes}
			pools = pools[:k]
		}
	}
	i := 0
	for _, p := range pools {
		for range p.nodes {
			layer[i].at = p.sum/float64(p.nodes) + float64(i)*spacing
			i++
		}
	}
}

// width is how far the last node is from the first, across the way.
func (l *layout) width() float64 {
	most := 0.0
	for _, layer := range l.layers {
		if len(layer) > 0 {
			most = max(most, layer[len(layer)-1].at)
		}
	}
	return most
}
