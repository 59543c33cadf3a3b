package icmplib

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/goicmp/icmplib/internal/pathgraph"
)

// Graph has the paths of several flows to a target: the result of a Traceroute with
// [TracerouteOptions].Flows.
//
// It contains only what was seen: a node is an address that answered, and an edge is a flow
// that met one node and, one hop farther, the other.
type Graph struct {
	// Flows is the number of flows used, and Probes the number of packets: the sum of
	// PacketsSent over the Hops of the Route. Probes beyond the end of a flow count
	// nowhere.
	Flows  int
	Probes int

	// Complete is set if the flows were enumerated, and the stopping rule held at each hop,
	// or behind each router of a diamond whose routers differ. It is not set if [MaxFlows]
	// were not enough, a router has no next hop although no flow ends there, an edge is
	// Unsure, too few flows passed a router that is silent beside others, the call was cut
	// short, or the number of flows was fixed.
	Complete bool

	// Hops are the same hops as those of the Route, Edges lead from each to the next, and
	// Diamonds are where paths divide and meet again.
	Hops     []GraphHop
	Edges    []GraphEdge
	Diamonds []Diamond
}

// GraphHop has the nodes at one distance.
type GraphHop struct {
	Distance  int         `json:"distance"`  // the TTL, or hop limit, of the probes
	Balancing Balancing   `json:"balancing"` // the greatest of those of the nodes
	Nodes     []GraphNode `json:"nodes"`     // those that answered, then the silent one
}

// GraphNode is an interface that answered at a distance. The node of unanswered flows has
// no address: it stands for any number of routers.
type GraphNode struct {
	ID       int // counts the nodes of the Graph from 0
	Distance int
	Address  netip.Addr // the zero Addr: silent
	Flows    []int      // that met it, counted from 0

	// Balancing is how load is balanced over this node and others at the distance.
	Balancing Balancing

	// AvgRTT is the mean round-trip time of its answers; 0: not known.
	AvgRTT time.Duration
}

// IsSilent reports whether the node has no address, because no probe was answered.
func (n *GraphNode) IsSilent() bool { return !n.Address.IsValid() }

// GraphEdge leads from a node to a node one hop farther.
type GraphEdge struct {
	From  int   `json:"from"` // ID of a GraphNode
	To    int   `json:"to"`
	Flows []int `json:"flows"` // that took it, counted from 0

	// Unsure is set if packets of one flow are balanced over From and other nodes: the
	// packet that To answered may have come through one of those.
	Unsure bool `json:"unsure,omitempty"`
}

// Diamond is a part of a Graph in which paths divide and meet again.
type Diamond struct {
	// Divergence is the last known point before the paths divide; distance 0 is the sender.
	// Convergence is the first known point at which all of them have met, or the zero
	// GraphPoint if they do not meet.
	Divergence  GraphPoint `json:"divergence"`
	Convergence GraphPoint `json:"convergence"`

	// Width is the greatest number of nodes at one distance between the two.
	Width int `json:"width"`

	// MinLength and MaxLength are the hop counts of the shortest and the longest path from
	// one to the other.
	MinLength int `json:"min_length"`
	MaxLength int `json:"max_length"`
}

// GraphPoint is a point in a Graph.
type GraphPoint struct {
	Distance int        `json:"distance"` // the TTL, or hop limit, of the probes
	Address  netip.Addr `json:"address"`  // the zero Addr: silent, or the sender
}

// Balancing is how load is balanced over the nodes of a hop.
type Balancing uint8

// The kinds of balancing.
const (
	BalancingNone      Balancing = iota // one interface answers all flows
	BalancingPerFlow                    // another flow may meet another interface; one flow meets one
	BalancingPerPacket                  // packets of the same flow meet different interfaces
)

var balancingWords = [...]string{"none", "per-flow", "per-packet"}

// String returns "none", "per-flow" or "per-packet".
func (b Balancing) String() string {
	return wordOf(b, balancingWords[:], "unknown")
}

// MarshalText returns the word, as encoding/json uses it.
func (b Balancing) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText sets b to the balancing with the given word. An unknown word is an error.
func (b *Balancing) UnmarshalText(word []byte) error {
	return setByWord(b, balancingWords[:], 0, word, "kind of load balancing")
}

// Node returns the node of this Graph with an ID, or nil.
func (g *Graph) Node(id int) *GraphNode {
	for i := range g.Hops {
		nodes := g.Hops[i].Nodes
		if len(nodes) > 0 && id >= nodes[0].ID && id < nodes[0].ID+len(nodes) {
			return &nodes[id-nodes[0].ID]
		}
	}
	return nil
}

// newGraph translates a graph into the types of this package.
func newGraph(found *pathgraph.Graph) *Graph {
	g := &Graph{Hops: []GraphHop{}, Edges: []GraphEdge{}, Diamonds: []Diamond{}}
	for _, l := range found.Hops {
		h := GraphHop{Distance: l.Distance, Nodes: []GraphNode{}}
		for i := range l.Nodes {
			n := &l.Nodes[i]
			h.Balancing = max(h.Balancing, Balancing(n.Balancing))
			h.Nodes = append(h.Nodes, GraphNode{
				ID: n.ID, Distance: n.Distance, Address: n.Address, Flows: n.Flows, Balancing: Balancing(n.Balancing),
			})
		}
		g.Hops = append(g.Hops, h)
	}
	for _, e := range found.Edges {
		g.Edges = append(g.Edges, GraphEdge(e))
	}
	for _, d := range found.Diamonds {
		g.Diamonds = append(g.Diamonds, Diamond{
			Divergence: GraphPoint(d.Divergence), Convergence: GraphPoint(d.Convergence),
			Width: d.Width, MinLength: d.MinLength, MaxLength: d.MaxLength,
		})
	}
	return g
}

// WriteDOT writes the graph in the language of Graphviz, from left to right: the nodes of a
// hop stand below each other, silent ones are dashed, edges have their number of flows, and
// unsure edges are dashed. A node is labelled with what label returns for its address; nil:
// with the address. It returns the error of w.
func (g *Graph) WriteDOT(w io.Writer, label func(netip.Addr) string) error {
	var b strings.Builder
	b.WriteString("digraph route {\n\trankdir=LR;\n\tnode [shape=box];\n")
	for i := range g.Hops {
		h := &g.Hops[i]
		b.WriteString("\t{ rank=same;\n")
		for j := range h.Nodes {
			n := &h.Nodes[j]
			fmt.Fprintf(&b, "\t\tn%d [label=\"%s\\n%d\"%s];\n", n.ID, dotEscapes.Replace(n.name(label)), n.Distance, dashedIf(n.IsSilent()))
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

// dotEscapes makes a text one that may stand between quotes.
var dotEscapes = strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", `\n`)

func dashedIf(dashed bool) string {
	if dashed {
		return ", style=dashed"
	}
	return ""
}

// WriteText writes the graph for people: a line for each node with its next hops, and a
// line for each diamond. The layout may change.
//
//	1  192.0.2.1
//	     > 198.51.100.1    5 of 11 flows
//	     > 198.51.100.2    6 of 11 flows
//	2  198.51.100.1        per-flow
//
// In place of an address stands what label returns for it; nil: the address itself.
// It returns the error of w.
func (g *Graph) WriteText(w io.Writer, label func(netip.Addr) string) error {
	var b strings.Builder
	for i := range g.Hops {
		for j := range g.Hops[i].Nodes {
			g.appendNode(&b, &g.Hops[i].Nodes[j], label)
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
		return "the nodes of each hop are complete with a confidence of 95 %"
	}
	return "there may be more ways"
}

// appendNode appends a node and the edges that leave it.
func (g *Graph) appendNode(b *strings.Builder, n *GraphNode, label func(netip.Addr) string) {
	fmt.Fprintf(b, "%3d  %s", n.Distance, n.name(label))
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
		fmt.Fprintf(b, "       > %s  %d of %d flows", g.Node(e.To).name(label), len(e.Flows), total)
		if e.Unsure {
			b.WriteString(", unsure")
		}
		b.WriteByte('\n')
	}
}

func (n *GraphNode) name(label func(netip.Addr) string) string {
	switch {
	case n.IsSilent():
		return "*"
	case label != nil:
		return label(n.Address)
	}
	return n.Address.String()
}

// String describes the diamond in one line.
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
