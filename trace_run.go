package icmplib

import (
	"context"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// traceRun is a trace at work. One goroutine does everything: the caller's.
type traceRun struct {
	p    *Prober
	pool *engine.Pool
	op   *engine.Op
	dst  netip.Addr
	opts TracerouteOptions
	plan *tracePlan
	turn *traceTurn // nil while it has none
	end  RouteEnd

	paths *multipathRun // of several flows; nil: of one

	batch   []engine.Probe
	indexes []int // the hops of the probes in batch
	inbox   []engine.Outcome
	waiter  waiter
	yield   func(*Hop) bool
}

// newTrace does all that can fail before anything is sent.
func (p *Prober) newTrace(ctx context.Context, target string, o *TracerouteOptions) (*traceRun, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if opts.isMultipath() {
		return p.newMultipath(ctx, target, opts)
	}
	dst, pool, err := p.aim(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	return &traceRun{p: p, pool: pool, dst: dst, opts: opts}, nil
}

// each traces the route and calls yield with each hop that is final, until all
// are, yield returns false or ctx ends.
func (r *traceRun) each(ctx context.Context, yield func(*Hop) bool) error {
	if r.paths != nil {
		return r.paths.each(ctx, r, yield)
	}
	r.yield = yield
	r.plan = newTracePlan(&r.opts, time.Now())
	cfg := r.p.opConfig(&r.opts.Packet, r.opts.Timeout, r.dst)
	cfg.Unclear = true
	r.op = engine.NewOp(cfg)
	defer r.op.Close()
	r.waiter = newWaiter(r.pool.Done())
	defer r.waiter.stop()
	defer r.giveTurn()
	for {
		if err := ctx.Err(); err != nil {
			return r.abandon(context.Cause(ctx))
		}
		if !r.hand() {
			return nil
		}
		if err := r.takeTurn(ctx); err != nil {
			return r.abandon(err)
		}
		wait, err := r.send(ctx)
		if err != nil {
			return r.abandon(err)
		}
		if !r.hand() {
			return nil
		}
		if r.plan.done() {
			r.end, err = r.plan.verdict()
			return err
		}
		if err := r.wait(ctx, wait); err != nil {
			return r.abandon(err)
		}
	}
}

// route traces the route to its end, and returns it.
func (r *traceRun) route(ctx context.Context, name string) (*Route, error) {
	route := &Route{Address: r.dst, Name: name}
	err := r.each(ctx, func(h *Hop) bool {
		route.Hops = append(route.Hops, *h)
		return true
	})
	route.End, route.Reached, route.Graph = r.end, r.end == EndReached, r.graph()
	return route, err
}

// hand hands out the hops that have become final, and tells whether to go on.
// They have to wait while the trace has its turn and uses it.
func (r *traceRun) hand() bool {
	for r.turn == nil || r.plan.flying == 0 {
		h := r.plan.finish()
		if h == nil {
			return true
		}
		r.giveTurn()
		if !r.yield(h) {
			return false
		}
	}
	return true
}

// wait waits for an answer, or for the next probe to be due.
func (r *traceRun) wait(ctx context.Context, at time.Time) error {
	ready, err := r.waiter.wait(ctx, r.op.Ready(), at)
	if ready {
		r.collect()
	}
	return err
}

// collect takes what became known.
func (r *traceRun) collect() {
	r.inbox = r.op.Take(r.inbox)
	for i := range r.inbox {
		o := &r.inbox[i]
		if o.Fate == engine.Unclear {
			r.plan.unclear()
			continue
		}
		result := r.p.outcome(o, r.dst, r.opts.Packet.Protocol)
		result.Seq = int(o.Tag & (1<<32 - 1))
		r.plan.result(int(o.Tag>>32), &result, o.Fate.Settles())
	}
}

// abandon hands out the hops as they stand, up to the last that answered, and
// returns err.
func (r *traceRun) abandon(err error) error {
	r.collect()
	r.giveTurn()
	r.plan.rest(r.yield)
	return err
}

// send sends the probes that are due, and returns when the next one is.
func (r *traceRun) send(ctx context.Context) (wait time.Time, err error) {
	for {
		now := time.Now()
		r.batch, r.indexes = r.batch[:0], r.indexes[:0]
		for len(r.batch) < r.p.pacer.Batch(sweepBatchSize) {
			index, at := r.plan.next(now)
			if index < 0 {
				wait = at
				break
			}
			h := &r.plan.hops[index]
			r.batch = append(r.batch, r.opts.Packet.probe(r.dst, uint64(index)<<32|uint64(h.sent), h.hop.Distance))
			r.indexes = append(r.indexes, index)
			r.plan.sent(index, now)
		}
		if len(r.batch) == 0 {
			return wait, nil
		}
		if err := r.flush(ctx); err != nil {
			return wait, err
		}
	}
}

// flush sends a batch. What the system says against a probe is a result; an
// error is only the end of the run.
func (r *traceRun) flush(ctx context.Context) error {
	if err := r.p.pacer.Wait(ctx, len(r.batch)); err != nil {
		r.unsent(0)
		return err
	}
	for first := 0; first < len(r.batch); {
		n, err := r.pool.Send(ctx, r.op, r.batch[first:])
		first += n
		if r.plan.taken += n; n > 0 {
			r.plan.took = time.Now()
		}
		if err == nil {
			continue
		}
		if endsOperation(ctx, err) {
			r.unsent(first)
			return err
		}
		if r.postpone(first, err) {
			return nil
		}
		if first < len(r.batch) {
			index := r.indexes[first]
			refused := refusedResult(r.dst, r.plan.hops[index].sent-1, r.plan.hops[index].hop.Distance, err)
			r.plan.result(index, &refused, true)
			r.plan.refuse = err
			first++
		}
	}
	return nil
}

// unsent takes back the probes of the batch from first on.
func (r *traceRun) unsent(first int) {
	for _, index := range r.indexes[min(first, len(r.indexes)):] {
		r.plan.unsent(index)
	}
}
