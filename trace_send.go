package icmplib

import (
	"context"
	"time"
)

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
