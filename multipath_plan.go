package icmplib

import (
	"context"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// flowPlan is the strategy of a trace of several flows: which flow is to be
// asked for at which hop, and when. It neither sends nor looks at the clock.
//
// What it knows is a table of hops and flows. Each place of it is an ask, which
// is repeated until it is answered or was made Count times. What is to be asked
// follows from what is known: see decide.
type flowPlan struct {
	opts *TracerouteOptions
	rule []int // see stoppingRule; nil where the number of flows is given
	base int   // flows that each hop is asked for
	most int   // flows there may be

	hops   []flowHop // from FirstHop on
	ends   []int     // by flow: the nearest hop whose answer ended it
	near   int       // the nearest of them
	far    int       // the farthest hop that answered
	window int       // hops that may be asked
	grow   time.Time // when it opens by itself
	last   int       // index of the last hop that matters
	cut    RouteEnd  // why that is the last

	todo    []askAt // what is to be asked, as far as that is decided
	stale   bool    // something became known since
	slow    time.Duration
	flying  int
	careful flowCare
}

// flowHop is what is known of a hop.
type flowHop struct {
	asks   []flowAsk // by flow
	nodes  []netip.Addr
	merged []int     // by node: one that packets of the same flow met, or itself
	sent   int       // probes
	left   time.Time // when the first of the last flock left
	flock  int       // how many left with it
}

// flowAsk is what is known of a flow at a hop.
type flowAsk struct {
	want      int // answers that are wanted
	sent      int
	discarded int // of those, such that do not count: see flowCare
	voided    int // probes with lower numbers that stay silent count nowhere
	open      int
	answered  int
	left      time.Time
	nodes     []int // who answered, the first first
	said      hopAnswers
	results   []Result
	vain      []Result // of probes that count nowhere
}

// askAt names an ask.
type askAt struct{ hop, flow int }

const (
	// flowFlock is how many probes to one hop leave together. The next as many
	// leave an Interval later: routers limit how many errors they send.
	flowFlock = 8

	// scouts is how many flows are asked for ahead of the answers.
	scouts = 2

	// pastEnd is how many silent hops a flow is followed behind the hop at
	// which another one has ended.
	pastEnd = 4

	never = 1 << 30 // the end of a flow that has none
)

func newFlowPlan(opts *TracerouteOptions, now time.Time) *flowPlan {
	p := &flowPlan{opts: opts, base: opts.Flows, most: opts.Flows, near: never, far: -1, stale: true}
	if opts.Flows < 0 {
		p.rule = multipathRule()
		p.base, p.most = p.rule[0], MaxFlows
	}
	p.window, p.grow = traceAhead, now.Add(growAfter(opts))
	p.last, p.cut = opts.MaxHops-opts.FirstHop, EndMaxHops
	p.hops = make([]flowHop, p.last+1)
	return p
}

// settled tells whether all is known that an ask can tell.
func (p *flowPlan) settled(a *flowAsk) bool {
	return a.answered > 0 || a.open == 0 && a.sent-a.discarded >= p.opts.Count
}

// silent tells whether it was asked in vain.
func (p *flowPlan) silent(a *flowAsk) bool { return a.answered == 0 && p.settled(a) }

// ask returns a place of the table.
func (p *flowPlan) ask(hop, flow int) *flowAsk {
	h := &p.hops[hop]
	for len(h.asks) <= flow {
		h.asks = append(h.asks, flowAsk{})
	}
	for len(p.ends) <= flow {
		p.ends = append(p.ends, never)
	}
	return &h.asks[flow]
}

// next returns what to ask now, hop -1 if there is nothing, and when there may
// be something; the zero time if only an answer can tell.
func (p *flowPlan) next(now time.Time) (hop, flow int, at time.Time) {
	if at, wait := p.careful.hold(p.flying, now); wait {
		return -1, 0, at
	}
	if !now.Before(p.grow) && p.window <= p.last && p.near == never {
		p.window += traceAhead
		p.grow = now.Add(growAfter(p.opts))
		p.stale = true
	}
	p.update()
	for _, k := range p.todo {
		a := p.ask(k.hop, k.flow)
		if !p.wants(a) {
			continue
		}
		due := p.due(&p.hops[k.hop], a, now)
		if !due.After(now) {
			return k.hop, k.flow, now
		}
		if at.IsZero() || due.Before(at) {
			at = due
		}
	}
	if p.window <= p.last && p.near == never && (at.IsZero() || p.grow.Before(at)) {
		at = p.grow
	}
	return -1, 0, at
}

// wants tells whether an ask is to be made once more.
func (p *flowPlan) wants(a *flowAsk) bool {
	if a.answered == 0 {
		return a.want > 0 && a.sent-a.discarded < p.opts.Count
	}
	return a.answered+a.open < a.want && a.sent < a.want*(p.opts.Count+1)
}

// due is when an ask may be made.
func (p *flowPlan) due(h *flowHop, a *flowAsk, now time.Time) time.Time {
	due := now
	if h.flock >= flowFlock {
		due = h.left.Add(p.opts.Interval)
	}
	if again := a.sent - a.discarded; again > 0 && a.answered == 0 {
		// Longer each time, for the sake of routers that limit their errors.
		pause := max(p.opts.Interval, fastPatience<<min(again-1, 4), 2*p.slow)
		if after := a.left.Add(min(pause, p.opts.Timeout)); after.After(due) {
			due = after
		}
	}
	return due
}

// sent notes that a probe has left, and returns its number at its hop.
func (p *flowPlan) sent(hop, flow int, now time.Time) (number int) {
	h, a := &p.hops[hop], p.ask(hop, flow)
	if !now.Before(h.left.Add(p.opts.Interval)) {
		h.left, h.flock = now, 0
	}
	h.flock++
	h.sent++
	a.sent++
	a.open++
	a.left = now
	p.flying++
	return h.sent - 1
}

// unsent takes back what sent noted, but for the number.
func (p *flowPlan) unsent(hop, flow int) {
	a := p.ask(hop, flow)
	a.sent--
	a.open--
	p.flying--
}

// done tells whether all is known that was to be found out.
func (p *flowPlan) done() bool {
	if p.flying > 0 || p.window <= p.last && p.near == never {
		return false
	}
	p.update()
	for _, k := range p.todo {
		if p.wants(p.ask(k.hop, k.flow)) {
			return false
		}
	}
	return true
}

// flowCare is how a trace of several flows gets along where answers do not say
// which probe they are to: see traceCare. From the first such answer on, probes
// leave one by one.
type flowCare struct {
	on    bool
	quiet time.Time // until then an answer may be to an earlier probe
}

// hold tells whether the next probe has to wait, and until when; the zero time
// if only the fate of the one before it can tell.
func (c *flowCare) hold(flying int, now time.Time) (at time.Time, wait bool) {
	switch {
	case !c.on:
		return at, false
	case flying > 0:
		return at, true
	}
	return c.quiet, now.Before(c.quiet)
}

// wait notes until when another answer may come: see quietAfter.
func (c *flowCare) wait(until time.Time) {
	c.quiet = later(c.quiet, until)
}

// unclear notes an answer that could be to any of several probes. Those that
// were not answered recognisably until then are out of account.
func (p *flowPlan) unclear() {
	if p.careful.on {
		return
	}
	p.careful.on = true
	p.stale = true
	for i := range p.hops {
		for f := range p.hops[i].asks {
			p.hops[i].asks[f].void(p.hops[i].sent)
		}
	}
}

// joinTurn waits for the turn of a trace that has to be careful, which keeps it:
// see traceTurns. Nothing of it is in flight meanwhile.
func (m *multipathRun) joinTurn(ctx context.Context) error {
	if !m.plan.careful.on || m.turn != nil || m.plan.flying > 0 {
		return nil
	}
	turn, err := m.p.turns.take(ctx, turnKey{m.pool, m.dst})
	if err != nil {
		return err
	}
	m.turn = turn
	m.plan.careful.wait(turn.quiet)
	return nil
}

// leaveTurn gives the turn back.
func (m *multipathRun) leaveTurn() {
	if m.turn == nil {
		return
	}
	m.p.turns.give(m.turn, m.plan.careful.quiet, m.plan.flying, m.opts.Timeout)
	m.turn = nil
}

// MaxFlows is how many flows there can be in one trace.
const MaxFlows = 512

// flowsPerBlock is how many flows share sockets, where a flow needs a source
// port of its own: each port that is held is a descriptor.
const flowsPerBlock = 64

// flowLine is what the probes of one flow leave by.
type flowLine struct {
	pool *engine.Pool
	op   *engine.Op
	flow engine.Flow
}

// flowLines opens the flows of a trace as they are needed. What tells them apart
// is the checksum of echo requests, and else the source port; over IPv6 also the
// flow label.
type flowLines struct {
	p     *Prober
	dst   netip.Addr
	opts  *TracerouteOptions
	inbox *engine.Inbox
	lines []*flowLine // by flow
}

// open returns the line of a flow.
func (l *flowLines) open(number int) (*flowLine, error) {
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
	cfg.Inbox, cfg.Sum, cfg.Unclear = l.inbox, flowSum(cfg.Sum, number), true
	line := &flowLine{pool: pool, op: engine.NewOp(cfg), flow: packet.flowNumber(number, l.dst)}
	l.lines[number] = line
	return line, nil
}

func (l *flowLines) close() {
	for _, line := range l.lines {
		if line != nil {
			line.op.Close()
		}
	}
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
		key.ports = flowsPerBlock
		first := number / flowsPerBlock * flowsPerBlock
		if opts.Flows > 0 && packet.SourcePort != 0 {
			key.ports = min(flowsPerBlock, opts.Flows-first)
		}
		if packet.SourcePort != 0 {
			key.port += uint16(first)
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

// isMultipath tells whether several flows are to be traced.
func (o *TracerouteOptions) isMultipath() bool { return o.Flows < 0 || o.Flows > 1 }
