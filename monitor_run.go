package icmplib

import (
	"context"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// monitorRun is a Monitor at work. One goroutine does everything: the caller's.
type monitorRun struct {
	p    *Prober
	pool *engine.Pool
	op   *engine.Op
	dst  netip.Addr
	name string
	opts MonitorOptions
	plan *monitorPlan
	turn *traceTurn // nil while it has none

	probe  [1]engine.Probe
	inbox  []engine.Outcome
	waiter waiter
}

// newMonitor does all that can fail before anything is sent.
func (p *Prober) newMonitor(ctx context.Context, target string, o *MonitorOptions) (*monitorRun, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	dst, pool, err := p.aim(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	return &monitorRun{p: p, pool: pool, dst: dst, name: target, opts: opts}, nil
}

// each monitors the route and calls yield with each snapshot, until the last
// round is over, yield returns false or ctx ends.
func (r *monitorRun) each(ctx context.Context, yield func(*Snapshot) bool) error {
	cfg := r.p.opConfig(&r.opts.Packet, r.opts.Timeout, r.dst)
	cfg.Unclear = true
	r.op = engine.NewOp(cfg)
	defer r.op.Close()
	r.waiter = newWaiter(r.pool.Done())
	defer r.waiter.stop()
	defer r.giveTurn()

	r.plan = newMonitorPlan(&r.opts, time.Now())
	for {
		if err := ctx.Err(); err != nil {
			return r.abandon(context.Cause(ctx), yield)
		}
		r.collect()
		now := time.Now()
		if r.plan.roundOver(now) {
			r.plan.finish()
			r.giveTurn()
			if !yield(r.snapshot(now)) || r.plan.isLast() {
				return nil
			}
			r.plan.begin(time.Now())
			continue
		}
		index, at := r.plan.next(now)
		err := r.step(ctx, index, at)
		if err != nil {
			return r.abandon(err, yield)
		}
	}
}

// step sends a probe to a hop, or where there is none to probe now, waits.
func (r *monitorRun) step(ctx context.Context, index int, at time.Time) error {
	if index < 0 {
		if len(r.plan.fly) == 0 {
			r.giveTurn()
		}
		_, err := r.waiter.wait(ctx, r.op.Ready(), at)
		return err
	}
	// Who had the turn before may have left silent probes behind.
	if taken, err := r.takeTurn(ctx); taken || err != nil {
		return err
	}
	return r.send(ctx, index)
}

// send sends a probe to a hop. What the system says against it is a result; an
// error is only the end of the run.
func (r *monitorRun) send(ctx context.Context, index int) error {
	if err := r.p.pacer.Wait(ctx, 1); err != nil {
		return err
	}
	tag := r.plan.sent(index, time.Now())
	ttl := r.opts.FirstHop + index
	r.probe[0] = r.opts.Packet.probe(r.dst, tag.pack(), ttl)
	_, err := r.pool.Send(ctx, r.op, r.probe[:])
	switch {
	case err == nil:
		r.plan.left(tag, r.probe[0].Sent)
		r.plan.single.took = r.probe[0].Sent
	case endsOperation(ctx, err):
		r.plan.unsent(tag)
		return err
	case r.postpone(tag, err):
	default:
		refused := refusedResult(r.dst, tag.round-1, ttl, err)
		r.plan.result(tag, &refused, true)
	}
	return nil
}

// collect takes what became known.
func (r *monitorRun) collect() {
	r.inbox = r.op.Take(r.inbox)
	for i := range r.inbox {
		o := &r.inbox[i]
		if o.Fate == engine.Unclear {
			r.plan.single.unclear(r.plan.fly)
			continue
		}
		tag := unpackMonitorTag(o.Tag, r.plan.round)
		result := r.p.outcome(o, r.dst, r.opts.Packet.Protocol)
		result.Seq = tag.round - 1
		r.plan.result(tag, &result, o.Fate.Settles())
	}
}

func (r *monitorRun) snapshot(now time.Time) *Snapshot {
	s := r.plan.snapshot(now)
	s.Address, s.Name = r.dst, r.name
	return s
}

// abandon yields what is known of the round that is cut short, with the probes
// in flight, and returns err.
func (r *monitorRun) abandon(err error, yield func(*Snapshot) bool) error {
	r.collect()
	r.plan.abandon(r.dst)
	if len(r.plan.results) > 0 {
		yield(r.snapshot(time.Now()))
	}
	return err
}
