package icmplib

import (
	"context"
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// multipathRun is a trace of several flows at work. One goroutine does
// everything: the caller's.
type multipathRun struct {
	*traceRun
	plan  *flowPlan
	lines flowLines
	graph *Graph

	turn   *traceTurn // nil while it has none
	waiter waiter
	inbox  []engine.Outcome

	taken   int   // probes that the system took
	refusal error // why it did not take the last of those that it did not
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
	m.traceRun = r
	m.plan = newFlowPlan(&r.opts, time.Now())
	m.lines = flowLines{p: r.p, dst: r.dst, opts: &r.opts, inbox: engine.NewInbox()}
	defer m.lines.close()
	m.waiter = newWaiter(m.pool.Done())
	defer m.waiter.stop()
	err := m.run(ctx)
	m.collect()
	m.leaveTurn()
	if err == nil && m.taken == 0 {
		return m.refusal
	}
	seen := m.plan.view(err == nil)
	if r.end = EndUnknown; err == nil {
		r.end = seen.end()
	}
	hops := seen.hops(r.end)
	m.graph = seen.graph(err == nil, hops)
	for _, h := range hops {
		if !yield(h) {
			break
		}
	}
	return err
}

// run asks what the plan wants to know.
func (m *multipathRun) run(ctx context.Context) error {
	for !m.plan.done() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := m.joinTurn(ctx); err != nil {
			return err
		}
		wait, err := m.send(ctx)
		if err != nil {
			return err
		}
		if m.plan.done() {
			break
		}
		if err := m.wait(ctx, wait); err != nil {
			return err
		}
	}
	return nil
}

// send sends the probes that are due, and returns when the next one is.
func (m *multipathRun) send(ctx context.Context) (wait time.Time, err error) {
	for ctx.Err() == nil {
		hop, flow, at := m.plan.next(time.Now())
		if hop < 0 {
			return at, nil
		}
		if err := m.p.pacer.Wait(ctx, 1); err != nil {
			return at, err
		}
		if err := m.sendOne(ctx, hop, flow); err != nil {
			return at, err
		}
		m.collect()
	}
	return wait, context.Cause(ctx)
}

// sendOne sends a probe. What the system says against it is a result; an error
// is only the end of the run.
func (m *multipathRun) sendOne(ctx context.Context, hop, flow int) error {
	line, err := m.lines.open(flow)
	if err != nil {
		return err
	}
	distance := m.opts.FirstHop + hop
	number := m.plan.sent(hop, flow, time.Now())
	tag := uint64(hop)<<48 | uint64(flow)<<32 | uint64(number)
	probe := []engine.Probe{{Dst: m.dst, Tag: tag, TTL: distance, Flow: line.flow}}
	switch n, err := line.pool.Send(ctx, line.op, probe); {
	case n == 1:
		m.taken++
	case endsOperation(ctx, err):
		m.plan.unsent(hop, flow)
		return err
	default:
		refused := refusedResult(m.dst, number, distance, err)
		m.plan.result(hop, flow, &refused, true)
		m.refusal = err
	}
	return nil
}

// wait waits for an answer, or for the next probe to be due.
func (m *multipathRun) wait(ctx context.Context, at time.Time) error {
	ready, err := m.waiter.wait(ctx, m.lines.inbox.Ready(), at)
	if ready {
		m.collect()
	}
	return err
}

// collect takes what became known.
func (m *multipathRun) collect() {
	m.inbox = m.lines.inbox.Take(m.inbox)
	for i := range m.inbox {
		o := &m.inbox[i]
		if o.Fate == engine.Unclear {
			m.plan.unclear()
			continue
		}
		result := m.p.outcome(o, m.dst, m.opts.Packet.Protocol)
		result.Seq = int(o.Tag & (1<<32 - 1))
		m.plan.result(int(o.Tag>>48), int(o.Tag>>32&(1<<16-1)), &result, o.Fate.Settles())
	}
}

// result notes what was heard of a probe; settles says that it is its fate.
func (p *flowPlan) result(hop, flow int, r *Result, settles bool) {
	h, a := &p.hops[hop], p.ask(hop, flow)
	p.stale = true
	if settles {
		a.open--
		p.flying--
	}
	p.careful.wait(quietAfter(r, p.opts.Timeout))
	if !a.record(r) {
		return
	}
	if !r.Responder.IsValid() || r.informs() || r.Duplicate || r.Corrects {
		return
	}
	a.answered++
	node := slices.Index(h.nodes, r.Responder)
	if node < 0 {
		node = len(h.nodes)
		h.nodes = append(h.nodes, r.Responder)
		h.merged = append(h.merged, node)
	}
	if !slices.Contains(a.nodes, node) {
		a.nodes = append(a.nodes, node)
		h.merge(a.nodes[0], node)
	}
	p.far = max(p.far, hop)
	p.slow = max(p.slow, r.RTT)
	p.window = max(p.window, hop+1+traceAhead)
	if before := a.said.end(); before != EndReached {
		a.said |= answerOf(r)
		if a.said.end() != before {
			p.findEnd(flow)
		}
	}
}

// findEnd finds the nearest hop at which a flow ends by what is known so far: see
// hopAnswers.end. One that seemed to be the end is none any more when another probe
// of the flow passes it.
func (p *flowPlan) findEnd(flow int) {
	p.ends[flow] = never
	for hop := range p.hops {
		if asks := p.hops[hop].asks; flow < len(asks) && asks[flow].said.end() != EndUnknown {
			p.ends[flow] = hop
			break
		}
	}
	p.near = slices.Min(p.ends)
}

// record keeps a result, and reports whether it counts: silence does not where it
// may be due to an answer that did not say what it answered.
func (a *flowAsk) record(r *Result) bool {
	if r.Status == StatusNoReply && r.Seq < a.voided {
		a.vain = append(a.vain, *r)
		return false
	}
	if i := slices.IndexFunc(a.vain, func(v Result) bool { return v.Seq == r.Seq }); i >= 0 {
		a.results = append(a.results, a.vain[i]) // it was answered after all, late
		a.vain = slices.Delete(a.vain, i, i+1)
	}
	a.results = append(a.results, *r)
	return true
}

// void leaves out of account what is in flight. Of an ask without an answer, that
// is all that was sent.
func (a *flowAsk) void(number int) {
	a.voided = number
	if a.answered > 0 {
		return
	}
	a.discarded = a.sent
	silent := func(r Result) bool { return r.Status == StatusNoReply }
	for _, r := range a.results {
		if silent(r) {
			a.vain = append(a.vain, r)
		}
	}
	a.results = slices.DeleteFunc(a.results, silent)
}

// merge notes that packets of one flow met both nodes.
func (h *flowHop) merge(a, b int) {
	a, b = h.set(a), h.set(b)
	h.merged[max(a, b)] = min(a, b)
}

// set returns the first of the nodes among which one flow's packets are spread, as
// far as that is known: the node itself where load is spread by flow.
func (h *flowHop) set(node int) int {
	for h.merged[node] != node {
		node = h.merged[node]
	}
	return node
}

// isShared reports whether packets of one flow met the node and another one.
func (h *flowHop) isShared(node int) bool {
	for other := range h.nodes {
		if other != node && h.set(other) == h.set(node) {
			return true
		}
	}
	return false
}
