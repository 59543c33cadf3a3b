package icmplib

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// Graph is the ways that several flows took to a target: the result of a
// Traceroute with [TracerouteOptions].Flows.
//
// Only what was seen is in it: a node is an address that answered, and an edge
// is a flow that met the one node and, one hop farther, the other.
type Graph struct {
	// Flows is how many flows were used, and Probes how many packets: the sum of
	// PacketsSent over the Hops of the Route. What was sent in vain, beyond the end
	// of a flow, counts nowhere.
	Flows  int `json:"flows"`
	Probes int `json:"probes"`

	// Complete is set where the flows were enumerated, and the stopping rule
	// held behind each router. It is not set where [MaxFlows] were not enough,
	// where a router has no next hop although no flow ends there, where an edge is
	// Unsure, where flows met silence beside others that were answered, where the
	// call was cut short, and for a fixed number of flows.
	Complete bool `json:"complete"`

	// Hops are the same hops as those of the Route, Edges what leads from each
	// to the next, and Diamonds where the ways part and meet again.
	Hops     []GraphHop  `json:"hops"`
	Edges    []GraphEdge `json:"edges"`
	Diamonds []Diamond   `json:"diamonds"`
}

// GraphHop is the nodes at one distance.
type GraphHop struct {
	Distance  int         `json:"distance"`  // the TTL, or hop limit, of the probes
	Balancing Balancing   `json:"balancing"` // the greatest of those of the nodes
	Nodes     []GraphNode `json:"nodes"`     // those that answered, then the silent one
}

// GraphNode is an interface that answered at a distance. The node of flows that
// nobody answered for has no address: it stands for any number of routers.
type GraphNode struct {
	ID       int        `json:"id"` // counts the nodes of the Graph from 0
	Distance int        `json:"distance"`
	Address  netip.Addr `json:"address"` // the zero Addr: silent
	Flows    []int      `json:"flows"`   // that met it, counted from 0

	// Balancing is how load is spread over this node and others at the distance.
	Balancing Balancing `json:"balancing"`
}

// IsSilent tells whether the node stands for silence.
func (n *GraphNode) IsSilent() bool { return !n.Address.IsValid() }

// GraphEdge leads from a node to one that is a hop farther.
type GraphEdge struct {
	From  int   `json:"from"` // ID of a GraphNode
	To    int   `json:"to"`
	Flows []int `json:"flows"` // that took it, counted from 0

	// Unsure is set where packets of one flow are spread over From and others:
	// the packet that To answered may have come by one of those.
	Unsure bool `json:"unsure,omitempty"`
}

// Diamond is a part of a Graph in which ways part, and meet again.
type Diamond struct {
	// Divergence is the last known point before the ways part; distance 0 is
	// the sender. Convergence is the first known point at which all of them
	// have met; it is the zero GraphPoint where they do not meet.
	Divergence  GraphPoint `json:"divergence"`
	Convergence GraphPoint `json:"convergence"`

	// Width is the greatest number of nodes at one distance between the two.
	Width int `json:"width"`

	// MinLength and MaxLength are the numbers of hops of the shortest and of
	// the longest way from the one to the other.
	MinLength int `json:"min_length"`
	MaxLength int `json:"max_length"`
}

// GraphPoint is a place in a Graph.
type GraphPoint struct {
	Distance int        `json:"distance"` // the TTL, or hop limit, of the probes
	Address  netip.Addr `json:"address"`  // the zero Addr: silent, or the sender
}

// Balancing is how load is spread over the nodes of a hop.
type Balancing uint8

// The ways to spread load.
const (
	BalancingNone      Balancing = iota // one interface answers all flows
	BalancingPerFlow                    // another flow may meet another interface; one flow meets one
	BalancingPerPacket                  // packets of the same flow meet different interfaces
)

var balancingWords = [...]string{"none", "per-flow", "per-packet"}

// String returns the word: none, per-flow or per-packet.
func (b Balancing) String() string {
	return wordOf(b, balancingWords[:], "unknown")
}

// MarshalText returns the word, for JSON and its like.
func (b Balancing) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText sets b to what the word stands for. An unknown word is an error.
func (b *Balancing) UnmarshalText(word []byte) error {
	return setByWord(b, balancingWords[:], 0, word, "kind of load balancing")
}

// Node returns the node with an ID of this Graph; nil if there is none.
func (g *Graph) Node(id int) *GraphNode {
	for i := range g.Hops {
		nodes := g.Hops[i].Nodes
		if len(nodes) > 0 && id >= nodes[0].ID && id < nodes[0].ID+len(nodes) {
			return &nodes[id-nodes[0].ID]
		}
	}
	return nil
}

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

// WriteDOT writes the graph in the language of Graphviz: from left to right, the
// nodes of a hop below each other, silent ones dashed, edges labelled with their
// number of flows and dashed where they are unsure. Its error is that of w.
func (g *Graph) WriteDOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph route {\n\trankdir=LR;\n\tnode [shape=box];\n")
	for i := range g.Hops {
		h := &g.Hops[i]
		b.WriteString("\t{ rank=same;\n")
		for j := range h.Nodes {
			n := &h.Nodes[j]
			fmt.Fprintf(&b, "\t\tn%d [label=\"%s\\n%d\"%s];\n", n.ID, n.name(), n.Distance, dashedIf(n.IsSilent()))
		}
		b.WriteString("\t}\n")
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "\tn%d -> n%d [label=\"%d\"%s];\n", e.From, e.To, len(e.Flows), dashedIf(e.Unsure))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func dashedIf(dashed bool) string {
	if dashed {
		return ", style=dashed"
	}
	return ""
}

// WriteText writes the graph for people: a line for each node, with what it
// leads to, and one for each diamond. The layout may change.
//
//	1  192.0.2.1
//	     > 198.51.100.1    5 of 11 flows
//	     > 198.51.100.2    6 of 11 flows
//	2  198.51.100.1        per-flow
//
// Its error is that of w.
func (g *Graph) WriteText(w io.Writer) error {
	var b strings.Builder
	for i := range g.Hops {
		for j := range g.Hops[i].Nodes {
			g.appendNode(&b, &g.Hops[i].Nodes[j])
		}
	}
	for i := range g.Diamonds {
		fmt.Fprintln(&b, g.Diamonds[i].String())
	}
	fmt.Fprintf(&b, "%d flows, %d probes, %s\n", g.Flows, g.Probes, g.confidence())
	_, err := io.WriteString(w, b.String())
	return err
}

func (g *Graph) confidence() string {
	if g.Complete {
		return "each router's next hops are complete with a confidence of 95 %"
	}
	return "there may be more ways"
}

// appendNode describes a node, and behind it the edges that leave it.
func (g *Graph) appendNode(b *strings.Builder, n *GraphNode) {
	fmt.Fprintf(b, "%3d  %s", n.Distance, n.name())
	if n.Balancing != BalancingNone {
		fmt.Fprintf(b, "  %s", n.Balancing)
	}
	b.WriteByte('\n')
	total := 0
	for _, e := range g.Edges {
		if e.From == n.ID {
			total += len(e.Flows)
		}
	}
	for _, e := range g.Edges {
		if e.From != n.ID {
			continue
		}
		fmt.Fprintf(b, "       > %s  %d of %d flows", g.Node(e.To).name(), len(e.Flows), total)
		if e.Unsure {
			b.WriteString(", unsure")
		}
		b.WriteByte('\n')
	}
}

func (n *GraphNode) name() string {
	if n.IsSilent() {
		return "*"
	}
	return n.Address.String()
}

// String describes the diamond in a line.
func (d *Diamond) String() string {
	from, to := "the sender", "different ends"
	if d.Divergence.Address.IsValid() {
		from = d.Divergence.Address.String()
	}
	if d.Convergence.Address.IsValid() {
		to = d.Convergence.Address.String()
	}
	length := fmt.Sprint(d.MaxLength)
	if d.MinLength != d.MaxLength {
		length = fmt.Sprintf("%d to %d", d.MinLength, d.MaxLength)
	}
	return fmt.Sprintf("diamond from %s to %s: width %d, length %s", from, to, d.Width, length)
}
