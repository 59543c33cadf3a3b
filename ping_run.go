package icmplib

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// pingRun is a ping that has not been sent yet, or is being sent.
type pingRun struct {
	p    *Prober
	pool *engine.Pool
	op   *engine.Op
	dst  netip.Addr
	opts PingOptions

	sent    int         // requests tried so far
	pending []unsettled // those of them from the first on that has no fate yet, in order
	open    int         // how many of these have none
	due     time.Time   // when the next may leave
	group   bool        // the target is many hosts
	linger  time.Time   // for a group: when the last of them has had its time to answer
	waiter  waiter
	probe   [1]engine.Probe
	inbox   []engine.Outcome
	yield   func(Result) bool
}

// unsettled is a request in flight.
type unsettled struct {
	seq     int
	sent    time.Time
	settled bool
}

// newPingRun does all that can fail before anything is sent.
func (p *Prober) newPingRun(ctx context.Context, target string, o *PingOptions) (*pingRun, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	dst, pool, err := p.aim(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	return &pingRun{p: p, pool: pool, dst: dst, opts: opts}, nil
}

// each sends the requests and calls yield with each result, until all are
// settled, yield returns false or ctx ends.
func (r *pingRun) each(ctx context.Context, yield func(Result) bool) error {
	r.yield = yield
	r.group = r.opts.Packet.isGroup(r.dst)
	r.op = r.p.newPingOp(&r.opts.Packet, r.opts.Timeout, r.dst)
	defer r.op.Close()
	r.waiter = newWaiter(r.pool.Done())
	defer r.waiter.stop()

	for goOn := true; goOn && !r.finished(); {
		var err error
		if r.mustSend() && !time.Now().Before(r.due) {
			goOn, err = r.send(ctx)
		} else {
			goOn, err = r.wait(ctx)
		}
		if err != nil {
			return r.abandon(err)
		}
	}
	return nil
}

func (r *pingRun) allSent() bool { return r.opts.Count >= 0 && r.sent >= r.opts.Count }

// finished tells whether there is nothing to wait for any more. That a group has
// answered is known only when the time for it is over.
func (r *pingRun) finished() bool {
	return r.allSent() && r.open == 0 && (!r.group || !time.Now().Before(r.linger))
}

// mustSend tells whether the next request waits for nothing but its time.
// Without an interval, it waits until no other is in flight, too.
func (r *pingRun) mustSend() bool {
	return !r.allSent() && (r.opts.Interval > 0 || r.open == 0)
}

// refusedPause keeps a ping without interval, whose packets the system refuses,
// from doing nothing else.
const refusedPause = 10 * time.Millisecond

// send sends the next request. What the system says against it is a result; an
// error is only the end of the run.
func (r *pingRun) send(ctx context.Context) (goOn bool, err error) {
	if err := r.p.pacer.Wait(ctx, 1); err != nil {
		return false, err
	}
	seq := r.sent
	r.probe[0] = r.opts.Packet.probe(r.dst, uint64(seq), r.opts.Packet.ttl())
	_, err = r.pool.Send(ctx, r.op, r.probe[:])
	if err != nil && wasStopped(ctx, err) {
		return false, err
	}
	r.sent++
	r.schedule(time.Now(), err != nil)
	if err != nil {
		return r.yield(refusedResult(r.dst, seq, r.opts.Packet.ttl(), err)), nil
	}
	r.pending = append(r.pending, unsettled{seq: seq, sent: r.probe[0].Sent})
	r.open++
	r.linger = r.probe[0].Sent.Add(r.opts.Timeout)
	return true, nil
}

// schedule says when the next request is due: an interval after this one was,
// or if that is past, an interval after now. What was missed is not made up for.
func (r *pingRun) schedule(now time.Time, refused bool) {
	switch {
	case r.opts.Interval == 0 && refused:
		r.due = now.Add(refusedPause)
	case r.due.Add(r.opts.Interval).After(now):
		r.due = r.due.Add(r.opts.Interval)
	default:
		r.due = now.Add(r.opts.Interval)
	}
}

// wait waits for an outcome, or for the next request to be due.
func (r *pingRun) wait(ctx context.Context) (goOn bool, err error) {
	var at time.Time
	switch {
	case r.mustSend():
		at = r.due
	case r.group && r.allSent() && r.open == 0:
		at = r.linger
	}
	ready, err := r.waiter.wait(ctx, r.op.Ready(), at)
	if ready {
		return r.collect(), nil
	}
	return err == nil, err
}

// collect yields what became known.
func (r *pingRun) collect() (goOn bool) {
	r.inbox = r.op.Take(r.inbox)
	for i := range r.inbox {
		o := &r.inbox[i]
		if o.Fate.Settles() {
			r.settle(int(o.Tag))
		}
		if !r.yield(r.p.outcome(o, r.dst, r.opts.Packet.Protocol)) {
			return false
		}
	}
	return true
}

func (r *pingRun) settle(seq int) {
	i, found := slices.BinarySearchFunc(r.pending, seq, func(u unsettled, seq int) int { return u.seq - seq })
	if !found || r.pending[i].settled {
		return
	}
	r.pending[i].settled = true
	r.open--
	for len(r.pending) > 0 && r.pending[0].settled {
		r.pending = r.pending[1:]
	}
}

// abandon yields what is known by now, then the requests whose fate will not be
// known, and returns err.
func (r *pingRun) abandon(err error) error {
	if !r.collect() {
		return err
	}
	for _, u := range r.pending {
		if u.settled {
			continue
		}
		result := Result{Dst: r.dst, Status: StatusUnsettled, Seq: u.seq, TTL: r.opts.Packet.ttl(), Sent: u.sent}
		if !r.yield(result) {
			break
		}
	}
	return err
}
