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

// Ahead is how many targets may wait to be sent their first probe, where that is
// bounded. More would only take memory.
const Ahead = 4 * batchSize

// batch is probes that leave together: by one pool, for one operation of the engine.
// There are as many as families, zones and flows in use.
type batch struct {
	pool   *engine.Pool
	op     *engine.Op
	probes []engine.Probe
	plans  []plan.Probe // what each of them is to its task
}

// mayFly returns how many more probes may be in flight.
func (d *Driver) mayFly() int {
	if d.cfg.MaxInFlight == 0 {
		return batchSize
	}
	return d.cfg.MaxInFlight - d.inFlight
}

// send sends probes that wait, as many as go together, and reports whether there were
// any. What the system says against one is for its task; an error is the end of the
// run.
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
	d.rate.reserved += left // nobody else has their places
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

// leaves takes a probe from those that wait, and reports whether it is to leave.
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
	for i := range d.batches { // of flows there may be many, one after the other
		if b := &d.batches[i]; len(b.probes) == 0 {
			b.pool, b.op = line.Pool, line.Op
			b.probes, b.plans = append(b.probes, p), append(b.plans, w.probe)
			return
		}
	}
	d.batches = append(d.batches, batch{line.Pool, line.Op, []engine.Probe{p}, []plan.Probe{w.probe}})
}

// flush sends a batch. What the system says against a probe is for its task; an error
// is the end of the run.
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
		return // ended by what was refused in the same batch
	}
	s.begun, s.took = true, d.since(p.Sent)
	s.task.Sent(key, p.Sent)
	if d.ask(r, s, p.Sent) {
		d.steer(r, s, p.Sent)
		return
	}
	d.attend(s)
}

// refused notes that the system did not take a probe.
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

// reserve returns how many of n packets may leave now. The places of those that may
// not leave yet are kept for them.
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

// end gives back to other operations what was kept for this one.
func (r *rate) end() { r.all.GiveBack(r.reserved) }
