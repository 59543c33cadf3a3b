package drive

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
)

// batchSize is how many probes are sent together.
const batchSize = 32

// Ahead is how many targets may wait for their first probe to be sent, in operations that
// limit this. More would only take memory.
const Ahead = 4 * batchSize

// batch is a set of probes that leave together: by one pool, for one operation of the
// engine. There is one for each family, zone and flow in use.
type batch struct {
	pool   *engine.Pool
	op     *engine.Op
	probes []engine.Probe
	plans  []plan.Probe // the plan's view of each probe
}

// mayFly returns how many more probes may be put in flight.
func (d *Driver) mayFly() int {
	if d.cfg.MaxInFlight == 0 {
		return batchSize
	}
	return d.cfg.MaxInFlight - d.inFlight
}

// send sends waiting probes, as many as can leave together, and reports whether there were
// any. If the system refuses a probe, its task gets the reason; an error ends the run.
func (d *Driver) send(ctx context.Context) (sent bool, err error) {
	n := min(d.ready.len, batchSize, d.mayFly())
	if n <= 0 || d.closed {
		return false, nil
	}
	now := time.Now()
	if at, _ := d.ready.next(now); at.After(now) {
		return false, nil
	}
	if n = d.rate.reserve(now, n); n == 0 {
		return false, nil
	}
	left := d.gather(now, n)
	d.rate.reserved += left // their places stay reserved
	for i := range d.batches {
		if b := &d.batches[i]; err == nil && !d.closed {
			err = d.flush(ctx, b)
		} else {
			d.rate.reserved += len(b.probes)
		}
	}
	return left < n, err
}

// gather puts up to n probes into the batches, and returns how many fewer there are.
func (d *Driver) gather(now time.Time, n int) (left int) {
	for i := range d.batches {
		b := &d.batches[i]
		b.probes, b.plans = b.probes[:0], b.plans[:0]
	}
	for n > 0 && !d.closed {
		w, ok := d.ready.pop(now)
		if !ok {
			break
		}
		s := d.slots.find(w.Ref)
		if s == nil || !d.leaves(&w, s, now) {
			continue
		}
		line, err := s.task.Line(&w.probe)
		if err != nil {
			d.finish(w.Ref, s, err)
			continue
		}
		d.ready.take(w.probe.TTL, now)
		s.inFlight++
		d.inFlight++
		d.put(&w, line)
		n--
	}
	return n
}

// leaves takes a probe from the waiting ones, and reports whether it should leave.
func (d *Driver) leaves(w *waiting, s *slot, now time.Time) bool {
	s.queued--
	alone := s.task.Alone()
	if s.oneByOne && !alone && s.inFlight > 0 {
		s.postponed = append(s.postponed, w.probe)
		return false
	}
	if s.task.Wants(w.probe.Key) && (!alone || s.claim != nil && s.inFlight == 0) {
		return true
	}
	s.task.Recall(w.probe.Key)
	d.steer(w.Ref, s, now)
	return false
}

// put puts a probe into the batch of its line.
func (d *Driver) put(w *waiting, line *Line) {
	ttl := w.probe.TTL
	if ttl == 0 {
		ttl = line.TTL
	}
	p := engine.Probe{Dst: line.Dst, Tag: makeTag(w.Ref, w.probe.Key), TTL: ttl, Flow: line.Flow}
	for i := range d.batches {
		if b := &d.batches[i]; b.pool == line.Pool && b.op == line.Op {
			b.probes, b.plans = append(b.probes, p), append(b.plans, w.probe)
			return
		}
	}
	for i := range d.batches { // there may be many flows, one after the other
		if b := &d.batches[i]; len(b.probes) == 0 {
			b.pool, b.op = line.Pool, line.Op
			b.probes, b.plans = append(b.probes, p), append(b.plans, w.probe)
			return
		}
	}
	d.batches = append(d.batches, batch{line.Pool, line.Op, []engine.Probe{p}, []plan.Probe{w.probe}})
}

// flush sends a batch. If the system refuses a probe, its task gets the reason; an error
// ends the run.
func (d *Driver) flush(ctx context.Context, b *batch) error {
	for first := 0; first < len(b.probes); {
		n, err := b.pool.Send(ctx, b.op, b.probes[first:])
		for i := first; i < first+n; i++ {
			d.sent(&b.probes[i])
		}
		first += n
		if err == nil {
			continue
		}
		over := errors.Is(err, net.ErrClosed)
		if ctx.Err() != nil {
			over, err = true, context.Cause(ctx)
		}
		if over {
			d.rate.reserved += len(b.probes) - first
			return err
		}
		if first < len(b.probes) {
			d.refused(&b.probes[first], b.plans[first], err)
			first++
		}
	}
	return nil
}

// sent notes that a probe has left.
func (d *Driver) sent(p *engine.Probe) {
	d.taken++
	r, key := splitTag(p.Tag)
	s := d.slots.find(r)
	if s == nil || d.closed {
		return // a refusal in the same batch ended the task
	}
	s.begun, s.took = true, d.since(p.Sent)
	s.task.Sent(key, p.Sent)
	if d.ask(r, s, p.Sent) {
		d.steer(r, s, p.Sent)
		return
	}
	d.attend(s)
}

// refused notes that the system refused a probe.
func (d *Driver) refused(p *engine.Probe, planned plan.Probe, err error) {
	d.inFlight--
	r, key := splitTag(p.Tag)
	s := d.slots.find(r)
	if s == nil || d.closed {
		return
	}
	s.inFlight--
	now := time.Now()
	switch {
	case s.rules.Ends != nil && s.rules.Ends(err):
		d.finish(r, s, err)
		return
	case d.postpones(s, err, now):
		s.oneByOne, s.retry = true, d.since(now.Add(connectionPause))
		s.postponed = append(s.postponed, planned)
	default:
		s.begun = true
		s.task.Refused(key, err, now)
	}
	d.steer(r, s, now)
}

// rate keeps the rate of an operation and that of all operations together.
type rate struct {
	own, all *engine.Pacer
	at       time.Time // when the next batch may leave
	reserved int       // packets that may leave then
}

// reserve returns how many of n packets may leave now. The places of the others stay
// reserved for them.
func (r *rate) reserve(now time.Time, n int) int {
	if r.reserved == 0 {
		r.reserved = r.all.Batch(n)
		if r.own != nil {
			r.reserved = min(r.reserved, r.own.Batch(n))
		}
		r.at = r.all.Reserve(now, r.reserved)
		if r.own != nil {
			r.at = later(r.at, r.own.Reserve(now, r.reserved))
		}
	}
	if r.at.After(now) {
		return 0
	}
	n = min(n, r.reserved)
	r.reserved -= n
	return n
}

// end gives the reserved places back to other operations.
func (r *rate) end() { r.all.GiveBack(r.reserved) }
