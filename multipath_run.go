package icmplib

import (
	"context"
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
		result := outcomeResult(o, m.dst, m.opts.Packet.Protocol)
		result.Seq = int(o.Tag & (1<<32 - 1))
		m.plan.result(int(o.Tag>>48), int(o.Tag>>32&(1<<16-1)), &result, o.Fate.Settles())
	}
}
