package icmplib

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/pathgraph"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/mda"
)

// MaxFlows is how many flows there can be in one trace.
const MaxFlows = mda.MaxFlows

// flowsPerBlock is how many flows share sockets, where a flow needs a source
// port of its own: each port that is held is a descriptor.
const flowsPerBlock = 64

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
	cfg.Sum, cfg.Unclear = flowSum(cfg.Sum, number), true
	line := &drive.Line{Pool: pool, Op: l.driver.NewOp(cfg), Dst: l.dst, Flow: packet.flowNumber(number, l.dst)}
	l.lines[number] = line
	return line, nil
}

// flowSum adds the number of a flow to the sum of the first in ones' complement
// arithmetic, in which 0xffff is 0, so that no two flows have the same one.
func flowSum(first uint16, number int) uint16 { return uint16((int(first) + number) % 0xffff) }

// flowNumber returns what makes the probes of a flow differ from those of others.
func (pk *Packet) flowNumber(number int, dst netip.Addr) engine.Flow {
	f := pk.flow()
	if pk.Protocol == ICMP {
		return f
	}
	f.SourcePort, f.Offset = 0, uint16(number%flowsPerBlock)
	if dst.Is6() {
		// An odd factor gives each flow another label, none of them 0.
		f.Label = (pk.FlowLabel + uint32(number)*0x9e375) & 0xfffff
		if pk.FlowLabel == 0 {
			f.Label = uint32(number+1) * 0x9e375 & 0xfffff
		}
		f.Label = max(f.Label, 1)
	}
	return f
}

// flowPool returns the sockets for a flow.
func (p *Prober) flowPool(dst netip.Addr, opts *TracerouteOptions, number int) (*engine.Pool, error) {
	packet := &opts.Packet
	key, err := packet.key(&p.cfg, dst)
	if err != nil {
		return nil, err
	}
	if packet.Protocol != ICMP {
		key.block = number/flowsPerBlock + 1
		key.Ports = flowsPerBlock
		first := number / flowsPerBlock * flowsPerBlock
		if opts.Flows > 0 && packet.SourcePort != 0 {
			key.Ports = min(flowsPerBlock, opts.Flows-first)
		}
		if packet.SourcePort != 0 {
			key.FirstPort += uint16(first)
		}
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
	switch {
	case o.Flows > MaxFlows:
		return &ConfigError{Field: "Flows", Value: o.Flows, Allowed: "up to 512, or a negative value to enumerate them"}
	case o.Flows == 0 || o.Flows == 1:
		return nil
	case o.Fast:
		return &ConfigError{Field: "Fast", Value: true, Allowed: "false with Flows: each flow is asked only until it has answered anyway"}
	case pk.Protocol == ICMP && pk.Payload != nil:
		return &ConfigError{Field: "Payload", Value: len(pk.Payload), Allowed: "nil with Flows and ICMP, for two bytes of the payload make the flow"}
	case pk.Protocol == ICMP && pk.size() < minFlowSize:
		return &ConfigError{Field: "Size", Value: pk.Size, Allowed: "10 or more with Flows and ICMP, for two bytes of the payload make the flow"}
	case pk.SourcePort != 0 && int(pk.SourcePort)+o.flowPorts() > 1<<16:
		return &ConfigError{Field: "SourcePort", Value: pk.SourcePort, Allowed: "one that leaves room for a port for each flow behind it, up to 65535"}
	}
	return nil
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
	p       *Prober
	dst     netip.Addr
	opts    TracerouteOptions
	lines   flowLines
	results map[int][]Result // by distance; their Seq is the number of the probe
	graph   *Graph
	end     RouteEnd

	taken   int   // probes that the system took
	refusal error // why it did not take the last of those that it did not
	failed  error // why the trace cannot go on
}

// newMultipath does all that can fail before anything is sent.
func (p *Prober) newMultipath(ctx context.Context, target string, opts TracerouteOptions) (*traceRun, error) {
	addrs, err := p.resolveFor(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	r := &traceRun{p: p, dst: thisHost(addrs[0]), opts: opts}
	if r.pool, err = p.flowPool(r.dst, &opts, 0); err != nil {
		return nil, err
	}
	r.paths = &multipathRun{}
	return r, nil
}

// graph returns the graph of a trace of several flows.
func (r *traceRun) graph() *Graph {
	if r.paths == nil {
		return nil
	}
	return r.paths.graph
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
	err := cmp.Or(d.Run(ctx), m.failed)
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

// Refused keeps what the system says against a probe.
func (m *multipathRun) Refused(k plan.Key, err error, now time.Time) {
	m.refusal = err
	m.results[k.Hop()] = append(m.results[k.Hop()], refusedResult(m.dst, k.Number(), k.Hop(), err))
	m.Trace.Refused(k, err, now)
}

// Heard keeps what became known of a probe.
func (m *multipathRun) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	if o.Fate == engine.Unclear {
		m.Observe(now, &plan.Observation{Key: k, Kind: plan.Unclear})
		return
	}
	r := m.p.outcome(o, m.dst, m.opts.Packet.Protocol)
	r.Seq = k.Number()
	m.results[k.Hop()] = append(m.results[k.Hop()], r)
	seen := observation(k, &r, o.Fate.Settles())
	m.Observe(now, &seen)
}

// HasNews reports false: hops are handed out when all are final.
func (m *multipathRun) HasNews() bool { return false }

// Hand is not called.
func (m *multipathRun) Hand() (goOn bool) { return true }

// End keeps why the trace cannot go on.
func (m *multipathRun) End(err error) (goOn bool) {
	m.failed = err
	return true
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
	h.receiveEveryAnswer()
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
			m.compare(seen, h, i, flow, r.Quoted)
		}
		r.Seq = number
		h.add(r)
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
func (m *multipathRun) compare(seen *mda.View, h *Hop, hop, flow int, quoted Quoted) {
	if !quoted.isKnown() {
		return
	}
	packet := m.opts.Packet
	packet.SourcePort, packet.FlowLabel = 0, 0
	sent := sentAs(&packet, &quoted)
	before := sent
	for i := hop - 1; i >= 0; i-- {
		if was := m.quoted(seen, i, flow); was.isKnown() {
			before = was
			break
		}
	}
	h.Rewritten |= differences(&before, &quoted) & sent.telling()
}

// quoted returns how the first router that answered for a flow saw its probe.
func (m *multipathRun) quoted(seen *mda.View, hop, flow int) Quoted {
	distance := m.opts.FirstHop + hop
	for k := range m.results[distance] {
		r := &m.results[distance][k]
		if r.Responder.IsValid() && !r.informs() && seen.Has(hop, flow) && seen.Flow(plan.MakeKey(distance, r.Seq)) == flow {
			return r.Quoted
		}
	}
	return Quoted{}
}
