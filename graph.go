package icmplib

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/pathgraph"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/mda"
	"github.com/goicmp/icmplib/internal/rewrite"
	"github.com/goicmp/icmplib/internal/sockets"
	"github.com/goicmp/icmplib/internal/text"
	"github.com/goicmp/icmplib/internal/words"
)

// Graph holds the paths of several flows to a target: the result of a Traceroute with
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

// GraphHop holds the nodes at one distance.
type GraphHop struct {
	Distance  int         `json:"distance"`  // the TTL, or hop limit, of the probes
	Balancing Balancing   `json:"balancing"` // the greatest of those of the nodes
	Nodes     []GraphNode `json:"nodes"`     // those that answered, then the silent one
}

// GraphNode is an interface that answered at a distance. The node of unanswered flows has
// no address: it stands for any number of routers.
type GraphNode struct {
	ID       int // the number of the node in the Graph, from 0
	Distance int
	Address  netip.Addr // the zero Addr: silent
	Flows    []int      // flows that met it, counted from 0

	// Balancing is how load is balanced over this node and others at the distance.
	Balancing Balancing

	// AvgRTT is the mean round-trip time of its answers, or 0 if it is unknown.
	AvgRTT time.Duration
}

// IsSilent reports whether the node has no address, because no probe was answered.
func (n *GraphNode) IsSilent() bool { return !n.Address.IsValid() }

// GraphEdge leads from a node to a node one hop farther.
type GraphEdge struct {
	From  int   `json:"from"` // ID of a GraphNode
	To    int   `json:"to"`
	Flows []int `json:"flows"` // flows that took it, counted from 0

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

var balancingKinds = words.Table[Balancing]{What: "kind of load balancing", Other: "unknown", Words: []string{"none", "per-flow", "per-packet"}}

// String returns "none", "per-flow" or "per-packet".
func (b Balancing) String() string { return balancingKinds.String(b) }

// MarshalText returns the word, as encoding/json uses it.
func (b Balancing) MarshalText() ([]byte, error) { return balancingKinds.Marshal(b) }

// UnmarshalText sets b to the balancing with the given word. An unknown word is an error.
func (b *Balancing) UnmarshalText(word []byte) error { return balancingKinds.Unmarshal(b, word) }

// Node returns the node of this Graph with the given ID, or nil if there is none.
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

// WriteDOT writes the graph in DOT, the language of Graphviz, from left to right: the nodes
// of a hop stand below each other, silent nodes are dashed, edges show their number of
// flows, and unsure edges are dashed. The label of a node is what label returns for its
// address, quoted if it is not printable. A nil label keeps addresses. WriteDOT returns the
// error of w.
func (g *Graph) WriteDOT(w io.Writer, label func(netip.Addr) string) error {
	var b strings.Builder
	b.WriteString("digraph route {\n\trankdir=LR;\n\tnode [shape=box];\n")
	for i := range g.Hops {
		h := &g.Hops[i]
		b.WriteString("\t{ rank=same;\n")
		for j := range h.Nodes {
			n := &h.Nodes[j]
			fmt.Fprintf(&b, "\t\tn%d [label=\"%s\\n%d\"%s];\n", n.ID, dotEscapes.Replace(n.name(label)), n.Distance, text.Either(n.IsSilent(), dashed, ""))
		}
		b.WriteString("\t}\n")
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "\tn%d -> n%d [label=\"%d\"%s];\n", e.From, e.To, len(e.Flows), text.Either(e.Unsure, dashed, ""))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotEscapes escapes a text for use between quotes.
var dotEscapes = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

const dashed = ", style=dashed"

// WriteText writes the graph for people: a line for each node with its next hops, and a
// line for each diamond. The layout may change.
//
//	1  192.0.2.1
//	     > 198.51.100.1    5 of 11 flows
//	     > 198.51.100.2    6 of 11 flows
//	2  198.51.100.1        per-flow
//
// An address is replaced by what label returns for it, quoted if it is not printable. A nil
// label keeps addresses. WriteText returns the error of w.
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
	fmt.Fprintf(&b, "%d flows, %d probes, %s\n", g.Flows, g.Probes,
		text.Either(g.Complete, "the nodes of each hop are complete with a confidence of 95 %", "there may be more ways"))
	_, err := io.WriteString(w, b.String())
	return err
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
		fmt.Fprintf(b, "       > %s  %d of %d flows%s\n", g.Node(e.To).name(label), len(e.Flows), total, text.Either(e.Unsure, ", unsure", ""))
	}
}

func (n *GraphNode) name(label func(netip.Addr) string) string {
	switch {
	case n.IsSilent():
		return "*"
	case label != nil:
		return text.Printable(label(n.Address)) // label may return untrusted text, such as a name
	}
	return n.Address.String()
}

// String describes the diamond in one line.
func (d *Diamond) String() string {
	from, to := text.AddrOr(d.Divergence.Address, "the sender"), text.AddrOr(d.Convergence.Address, "different ends")
	length := fmt.Sprint(d.MaxLength)
	if d.MinLength != d.MaxLength {
		length = fmt.Sprintf("%d to %d", d.MinLength, d.MaxLength)
	}
	return fmt.Sprintf("diamond from %s to %s: width %d, length %s", from, to, d.Width, length)
}

// MaxFlows is the maximum number of flows in one trace, 512.
const MaxFlows = mda.MaxFlows

// flowPool returns the sockets for a flow, which has a source port of its own if there are
// several, unless its probes are echo requests.
func (r *traceRun) flowPool(number int) (*engine.Pool, error) {
	packet, flows := &r.opts.Packet, r.opts.Flows
	key, err := packet.key(&r.p.cfg, r.dst)
	if err != nil {
		return nil, err
	}
	ports := r.opts.isMultipath() && packet.Protocol != ICMP
	if ports {
		key.block = key.ForFlow(number, max(0, flows)) + 1
	}
	pool, err := r.p.pool(key)
	if err == nil && ports && pool.Ports() == 0 {
		return nil, &ConfigError{Field: "Flows", Value: flows,
			Allowed: "0 or 1 for TCP without raw sockets, where each probe is a connection with a port of its own:" +
				" use ICMP or UDP, or give the process CAP_NET_RAW"}
	}
	return pool, err
}

// validateFlows refuses options that several flows cannot have.
func (o *TracerouteOptions) validateFlows() error {
	pk, ports := &o.Packet, o.Flows
	if !o.isMultipath() {
		return nil
	}
	if ports < 0 {
		ports = MaxFlows
	}
	return cmp.Or(
		refuse(o.Flows > MaxFlows, "Flows", o.Flows, "up to 512, or a negative value to enumerate them"),
		refuse(o.Fast, "Fast", true, "false with Flows: each flow is asked only until it has answered anyway"),
		refuse(pk.Protocol == ICMP && pk.Payload != nil, "Payload", len(pk.Payload), "nil with Flows and ICMP, for two bytes of the payload make the flow"),
		refuse(pk.Protocol == ICMP && pk.size() < minFlowSize, "Size", pk.Size, "10 or more with Flows and ICMP, for two bytes of the payload make the flow"),
		refuse(pk.SourcePort != 0 && int(pk.SourcePort)+ports > 1<<16, "SourcePort", pk.SourcePort, "one that leaves room for a port for each flow behind it, up to 65535"),
	)
}

// minFlowSize is the least payload with room for the bytes that keep the checksum constant.
const minFlowSize = 10

// isMultipath reports whether several flows are to be traced.
func (o *TracerouteOptions) isMultipath() bool { return o.Flows < 0 || o.Flows > 1 }

// multipathRun is a trace of several flows at work: a task of the driver, which keeps
// the results until all hops are final.
type multipathRun struct {
	*mda.Trace
	drive.AtEnd
	*traceRun
	driver  *drive.Driver
	lines   map[int]*drive.Line // by flow, opened when needed
	results map[plan.Key][]Result
	paths   map[int]rewrite.Path // by flow

	taken   int   // probes that the system took
	refusal error // why it last refused a probe
}

// eachOfFlows traces the flows, makes the graph and calls yield with each hop, until all
// hops are handed out, yield returns false or ctx ends.
func (r *traceRun) eachOfFlows(ctx context.Context, yield func(*Hop) bool) error {
	d := r.p.driver(drive.Config{Rules: drive.Rules{Timeout: r.opts.Timeout, Ends: isConfigError}})
	defer d.Close()
	m := &multipathRun{
		traceRun: r, driver: d, lines: map[int]*drive.Line{}, results: map[plan.Key][]Result{}, paths: map[int]rewrite.Path{},
		Trace: mda.New(mda.Config{
			FirstHop: r.opts.FirstHop, MaxHops: r.opts.MaxHops, Count: r.opts.Count, GapLimit: r.opts.GapLimit,
			Flows: r.opts.Flows, Interval: r.opts.Interval, Timeout: r.opts.Timeout,
		}, time.Now()),
	}
	d.Add(m)
	err := cmp.Or(d.Run(ctx), m.Failed)
	if err == nil && m.taken == 0 {
		return m.refusal
	}
	seen := m.View(err == nil)
	found := seen.Graph()
	r.end, r.graph = RouteEnd(seen.End()), newGraph(found)
	r.graph.Flows, r.graph.Complete = seen.Flows(), seen.Holds() && found.IsLinked()
	for i := range r.graph.Hops {
		h := m.hop(seen, i, r.graph.Hops[i].Nodes)
		r.graph.Probes += h.PacketsSent
		if i+1 == len(r.graph.Hops) {
			h.End = r.end
		}
		if !yield(h) {
			break
		}
	}
	return err
}

// Line returns the line for the probes of a flow. Flows differ in the checksum of echo
// requests, and otherwise in the source port; over IPv6 also in the flow label.
func (m *multipathRun) Line(p *plan.Probe) (*drive.Line, error) {
	if line := m.lines[p.Flow]; line != nil {
		return line, nil
	}
	pool, err := m.flowPool(p.Flow)
	if err != nil {
		return nil, err
	}
	packet := &m.opts.Packet
	cfg := m.p.opConfig(packet, m.opts.Timeout, m.dst)
	cfg.Sum, cfg.Unclear = sockets.FlowSum(cfg.Sum, p.Flow), true
	line := &drive.Line{Pool: pool, Op: m.driver.NewOp(cfg), Dst: m.dst, Flow: packet.flow()}
	if packet.Protocol != ICMP {
		line.Flow = sockets.Flow(line.Flow, p.Flow, m.dst.Is6())
	}
	m.lines[p.Flow] = line
	return line, nil
}

// Sent counts the probes that the system accepted.
func (m *multipathRun) Sent(k plan.Key, at time.Time) {
	m.taken++
	m.Trace.Sent(k, at)
}

// Refused notes that the system refused a probe.
func (m *multipathRun) Refused(k plan.Key, err error, now time.Time) {
	m.refusal = err
	m.results[k] = append(m.results[k], refusedResult(m.dst, k.Number(), k.Hop(), err))
	m.Trace.Refused(k, err, now)
}

// Heard notes a result of a probe.
func (m *multipathRun) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	r, seen := m.p.observed(k, o, m.dst, m.opts.Packet.Protocol)
	if seen.Kind != plan.Unclear {
		m.results[k] = append(m.results[k], r)
	}
	m.Observe(now, &seen)
}

// hop makes a hop. Its statistics are those of all probes of all flows that got that far.
// Its nodes get the mean times of their own answers. Its quote of each flow is compared
// with the quote of the hop before. The Packet does not give the ports and labels of the
// flows, so these are not compared with it.
func (m *multipathRun) hop(seen *mda.View, i int, nodes []GraphNode) *Hop {
	shape := m.opts.Packet.header()
	shape.SourcePort, shape.FlowLabel = 0, 0
	h := newHop(m.opts.FirstHop + i)
	probes := seen.Probes(i)
	h.KeepRTTs(len(probes))
	answers := map[netip.Addr]Stats{} // by responder
	quoted := map[int]bool{}          // by flow
	for number, probe := range probes {
		for _, r := range m.results[probe.Key] {
			r.Seq = number // discarded probes leave no gaps
			h.Add(r)
			own := answers[r.Responder]
			own.count(&r, true)
			answers[r.Responder] = own
			if r.Responder.IsValid() && !r.informs() && !quoted[probe.Flow] {
				quoted[probe.Flow] = true
				path, header := m.paths[probe.Flow], r.Quoted.header()
				h.Rewritten |= Rewrite(path.Next(&shape, &header))
				m.paths[probe.Flow] = path
			}
		}
	}
	h.abandon(seen.Open(i))
	for k := range nodes {
		own := answers[nodes[k].Address]
		nodes[k].AvgRTT = own.AvgRTT()
	}
	return &h
}

// LogValue returns the numbers of hops, edges and diamonds, and whether the graph is
// complete.
func (g Graph) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("hops", len(g.Hops)), slog.Int("edges", len(g.Edges)), slog.Int("diamonds", len(g.Diamonds)), slog.Bool("complete", g.Complete))
}
