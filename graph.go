package icmplib

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/hosts"
	"github.com/goicmp/icmplib/internal/pathgraph"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/mda"
	"github.com/goicmp/icmplib/internal/rewrite"
	"github.com/goicmp/icmplib/internal/sockets"
	"github.com/goicmp/icmplib/internal/text"
	"github.com/goicmp/icmplib/internal/words"
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

var balancingKinds = words.Table[Balancing]{What: "kind of load balancing", Other: "unknown", Words: []string{"none", "per-flow", "per-packet"}}

// String returns "none", "per-flow" or "per-packet".
func (b Balancing) String() string { return balancingKinds.String(b) }

// MarshalText returns the word, as encoding/json uses it.
func (b Balancing) MarshalText() ([]byte, error) { return balancingKinds.Marshal(b) }

// UnmarshalText sets b to the balancing with the given word. An unknown word is an error.
func (b *Balancing) UnmarshalText(word []byte) error { return balancingKinds.Unmarshal(b, word) }

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
// unsure edges are dashed. A node is labelled with what label returns for its address, quoted
// if it is not printable; nil: with the address. It returns the error of w.
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
var dotEscapes = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

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
		return text.Printable(label(n.Address)) // it may have come from elsewhere, as a name does
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

// MaxFlows is how many flows there can be in one trace.
const MaxFlows = mda.MaxFlows

// flowLines opens the flows of a trace as they are needed. What tells them apart
// is the checksum of echo requests, and else the source port; over IPv6 also the
// flow label.
type flowLines struct {
	p      *Prober
	dst    netip.Addr
	opts   *TracerouteOptions
	driver *drive.Driver
	lines  []*drive.Line // by flow
}

// open returns the line of a flow.
func (l *flowLines) open(number int) (*drive.Line, error) {
	for len(l.lines) <= number {
		l.lines = append(l.lines, nil)
	}
	if line := l.lines[number]; line != nil {
		return line, nil
	}
	pool, err := l.p.flowPool(l.dst, l.opts, number)
	if err != nil {
		return nil, err
	}
	packet := &l.opts.Packet
	cfg := l.p.opConfig(packet, l.opts.Timeout, l.dst)
	cfg.Sum, cfg.Unclear = sockets.FlowSum(cfg.Sum, number), true
	line := &drive.Line{Pool: pool, Op: l.driver.NewOp(cfg), Dst: l.dst, Flow: packet.flow()}
	if packet.Protocol != ICMP {
		line.Flow = sockets.Flow(line.Flow, number, l.dst.Is6())
	}
	l.lines[number] = line
	return line, nil
}

// flowPool returns the sockets for a flow.
func (p *Prober) flowPool(dst netip.Addr, opts *TracerouteOptions, number int) (*engine.Pool, error) {
	packet := &opts.Packet
	key, err := packet.key(&p.cfg, dst)
	if err != nil {
		return nil, err
	}
	if packet.Protocol != ICMP {
		key.block = key.ForFlow(number, max(0, opts.Flows)) + 1
	}
	pool, err := p.pool(key)
	if err != nil {
		return nil, err
	}
	if packet.Protocol != ICMP && pool.Ports() == 0 {
		return nil, &ConfigError{Field: "Flows", Value: opts.Flows,
			Allowed: "0 or 1 for TCP without raw sockets, where each probe is a connection with a port of its own:" +
				" use ICMP or UDP, or give the process CAP_NET_RAW"}
	}
	return pool, nil
}

// validateFlows refuses what cannot be traced by several flows.
func (o *TracerouteOptions) validateFlows() error {
	pk := &o.Packet
	if !o.isMultipath() {
		return nil
	}
	return cmp.Or(
		refuse(o.Flows > MaxFlows, "Flows", o.Flows, "up to 512, or a negative value to enumerate them"),
		refuse(o.Fast, "Fast", true, "false with Flows: each flow is asked only until it has answered anyway"),
		refuse(pk.Protocol == ICMP && pk.Payload != nil, "Payload", len(pk.Payload), "nil with Flows and ICMP, for two bytes of the payload make the flow"),
		refuse(pk.Protocol == ICMP && pk.size() < minFlowSize, "Size", pk.Size, "10 or more with Flows and ICMP, for two bytes of the payload make the flow"),
		refuse(pk.SourcePort != 0 && int(pk.SourcePort)+o.flowPorts() > 1<<16, "SourcePort", pk.SourcePort, "one that leaves room for a port for each flow behind it, up to 65535"),
	)
}

// minFlowSize is the payload with room for what keeps the checksum.
const minFlowSize = 10

// flowPorts is how many source ports there may be.
func (o *TracerouteOptions) flowPorts() int {
	if o.Flows < 0 {
		return MaxFlows
	}
	return o.Flows
}

// isMultipath reports whether several flows are to be traced.
func (o *TracerouteOptions) isMultipath() bool { return o.Flows < 0 || o.Flows > 1 }

// multipathRun is a trace of several flows at work: a task of the driver, which keeps
// the results until all hops are final.
type multipathRun struct {
	*mda.Trace
	drive.AtEnd
	p       *Prober
	dst     netip.Addr
	opts    TracerouteOptions
	lines   flowLines
	results map[int][]Result // by distance; their Seq is the number of the probe
	graph   *Graph
	end     RouteEnd

	taken   int   // probes that the system took
	refusal error // why it did not take the last of those that it did not
}

// newMultipath does all that can fail before anything is sent.
func (p *Prober) newMultipath(ctx context.Context, target string, opts TracerouteOptions) (*traceRun, error) {
	addrs, err := p.resolveFor(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	r := &traceRun{p: p, dst: hosts.Target(addrs[0]), opts: opts}
	if r.pool, err = p.flowPool(r.dst, &opts, 0); err != nil {
		return nil, err
	}
	r.paths = &multipathRun{}
	return r, nil
}

// each traces the flows, makes the graph and calls yield with each hop, until
// all were handed out, yield returns false or ctx ends.
func (m *multipathRun) each(ctx context.Context, r *traceRun, yield func(*Hop) bool) error {
	d := r.p.driver(drive.Config{Rules: drive.Rules{Timeout: r.opts.Timeout, Ends: isConfigError}})
	defer d.Close()
	*m = multipathRun{
		p: r.p, dst: r.dst, opts: r.opts, results: map[int][]Result{},
		lines: flowLines{p: r.p, dst: r.dst, opts: &r.opts, driver: d},
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
	m.end = RouteEnd(seen.End())
	r.end = m.end
	hops := m.hops(seen)
	m.graph = m.graphOf(seen, hops)
	for _, h := range hops {
		if !yield(h) {
			break
		}
	}
	return err
}

// Line returns what the probes of a flow leave by.
func (m *multipathRun) Line(p *plan.Probe) (*drive.Line, error) { return m.lines.open(p.Flow) }

// Sent counts the probes that the system took.
func (m *multipathRun) Sent(k plan.Key, at time.Time) {
	m.taken++
	m.Trace.Sent(k, at)
}

// Refused notes that the system refused a probe.
func (m *multipathRun) Refused(k plan.Key, err error, now time.Time) {
	m.refusal = err
	m.results[k.Hop()] = append(m.results[k.Hop()], refusedResult(m.dst, k.Number(), k.Hop(), err))
	m.Trace.Refused(k, err, now)
}

// Heard notes a result of a probe.
func (m *multipathRun) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	if o.Fate == engine.Unclear {
		m.Observe(now, &plan.Observation{Key: k, Kind: plan.Unclear})
		return
	}
	var r Result
	m.p.outcome(&r, o, m.dst, m.opts.Packet.Protocol)
	r.Seq = k.Number()
	m.results[k.Hop()] = append(m.results[k.Hop()], r)
	seen := observation(k, &r, o.Fate.Settles())
	m.Observe(now, &seen)
}

// graphOf makes the graph out of what the flows saw, of which the hops are made.
func (m *multipathRun) graphOf(seen *mda.View, hops []*Hop) *Graph {
	found := make([]pathgraph.Hop, seen.Len())
	for i := range found {
		h := seen.Hop(i)
		found[i].Distance = h.Distance
		for _, n := range h.Nodes {
			found[i].Seen = append(found[i].Seen, pathgraph.Seen(n))
		}
	}
	paths := pathgraph.New(found)
	g := newGraph(paths)
	g.Flows, g.Complete = seen.Flows(), seen.Holds() && paths.IsLinked()
	for i, h := range hops {
		g.Probes += h.PacketsSent
		timeNodes(g.Hops[i].Nodes, m.counted(seen, i))
	}
	return g
}

// timeNodes gives nodes the means of the round-trip times of their answers.
func timeNodes(nodes []GraphNode, results []Result) {
	for i := range nodes {
		n := &nodes[i]
		sum, answers := time.Duration(0), time.Duration(0)
		for k := range results {
			if r := &results[k]; !n.IsSilent() && r.Responder == n.Address && r.Settles() && !r.Retransmitted {
				sum, answers = sum+r.RTT, answers+1
			}
		}
		if answers > 0 {
			n.AvgRTT = sum / answers
		}
	}
}

// hops makes the hops out of the results, in order of distance. The end of the trace
// is that of the last.
func (m *multipathRun) hops(seen *mda.View) []*Hop {
	hops := make([]*Hop, seen.Len())
	for i := range hops {
		hops[i] = m.hop(seen, i)
	}
	if len(hops) > 0 {
		hops[len(hops)-1].End = m.end
	}
	return hops
}

// hop makes a hop: its statistics are those of all probes of all flows that got
// that far.
func (m *multipathRun) hop(seen *mda.View, i int) *Hop {
	h := &Hop{Distance: m.opts.FirstHop + i, Status: StatusNoReply}
	results := m.counted(seen, i)
	h.KeepRTTs(len(results))
	slices.SortStableFunc(results, func(a, b Result) int { return cmp.Compare(a.Seq, b.Seq) })
	seq, number := -1, -1
	quoted := map[int]bool{} // by flow
	for k := range results {
		r := &results[k]
		flow := seen.Flow(plan.MakeKey(h.Distance, r.Seq))
		if r.Seq != seq { // those that do not count make gaps
			seq = r.Seq
			number++
		}
		if r.Responder.IsValid() && !r.informs() && !quoted[flow] {
			quoted[flow] = true
			m.compare(seen, h, i, flow, r.Quoted.header())
		}
		r.Seq = number
		h.Add(*r)
	}
	h.abandon(seen.Open(i))
	return h
}

// counted returns the results of a hop that count.
func (m *multipathRun) counted(seen *mda.View, i int) []Result {
	distance := m.opts.FirstHop + i
	answered := map[int]bool{} // by number
	for k := range m.results[distance] {
		if r := &m.results[distance][k]; r.Status != StatusNoReply {
			answered[r.Seq] = true
		}
	}
	var results []Result
	for _, r := range m.results[distance] {
		k := plan.MakeKey(distance, r.Seq)
		silent := r.Status == StatusNoReply && !answered[r.Seq]
		if seen.Has(i, seen.Flow(k)) && !(silent && seen.Discards(k)) {
			results = append(results, r)
		}
	}
	return results
}

// compare notes what a hop saw otherwise of a flow than the hop before it that
// quotes. Flows differ in their ports and labels, which the Packet says of none.
func (m *multipathRun) compare(seen *mda.View, h *Hop, hop, flow int, quoted rewrite.Header) {
	if !quoted.IsKnown() {
		return
	}
	shape := m.opts.Packet.header()
	shape.SourcePort, shape.FlowLabel = 0, 0
	sent := rewrite.Sent(&shape, &quoted)
	before := sent
	for i := hop - 1; i >= 0; i-- {
		if was := m.quoted(seen, i, flow); was.IsKnown() {
			before = was
			break
		}
	}
	h.Rewritten |= Rewrite(sent.Changed(&before, &quoted))
}

// quoted returns how the first router that answered for a flow saw its probe.
func (m *multipathRun) quoted(seen *mda.View, hop, flow int) rewrite.Header {
	distance := m.opts.FirstHop + hop
	for k := range m.results[distance] {
		r := &m.results[distance][k]
		if r.Responder.IsValid() && !r.informs() && seen.Has(hop, flow) && seen.Flow(plan.MakeKey(distance, r.Seq)) == flow {
			return r.Quoted.header()
		}
	}
	return rewrite.Header{}
}

// LogValue returns how large the graph is, and whether it is complete.
func (g Graph) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("hops", len(g.Hops)), slog.Int("edges", len(g.Edges)), slog.Int("diamonds", len(g.Diamonds)), slog.Bool("complete", g.Complete))
}
