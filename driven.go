package icmplib

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
)

// What the trace of several flows needs until the driver drives it.

// waiter is how an operation waits. It has to be stopped.
type waiter struct {
	timer  *time.Timer
	closed <-chan struct{} // by Close of the Prober
	also   <-chan struct{} // something else to wait for; nil: nothing
}

func newWaiter(closed <-chan struct{}) waiter {
	return waiter{timer: time.NewTimer(0), closed: closed}
}

func (w *waiter) stop() { w.timer.Stop() }

// wait waits until there is something in ready, which it then takes and tells,
// or until a moment; the zero time never comes. An error is why the operation
// has to end.
func (w *waiter) wait(ctx context.Context, ready <-chan struct{}, at time.Time) (isReady bool, err error) {
	var due <-chan time.Time
	if !at.IsZero() {
		w.timer.Reset(time.Until(at))
		due = w.timer.C
	}
	select {
	case <-ready:
		return true, nil
	case <-w.also:
		return false, nil
	case <-due:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case <-w.closed:
		return false, net.ErrClosed
	}
}

// wasStopped tells whether sending failed because the operation is to end: by
// its context, or with the Prober.
func wasStopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, net.ErrClosed)
}

// endsOperation tells whether sending failed in a way that is the end of the
// operation, and no result of the packet: it was stopped, or has options that
// only the system knows to be wrong.
func endsOperation(ctx context.Context, err error) bool {
	return wasStopped(ctx, err) || isConfigError(err)
}

func isConfigError(err error) bool {
	_, ok := errors.AsType[*ConfigError](err)
	return ok
}

// later returns the later of two moments.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

const (
	fastPatience = 250 * time.Millisecond
	traceAhead   = plan.Ahead
	leastGrowth  = 10 * time.Millisecond
)

// growAfter is for how long the window stays as it is without an answer.
func growAfter(o *TracerouteOptions) time.Duration { return max(o.Interval, leastGrowth) }

// quietAfter is until when another answer to a probe may come, which would be
// taken for one to the next probe where answers do not say which one they are to:
// that to a silent probe may be late, and any other may come twice.
func quietAfter(r *Result, timeout time.Duration) time.Time {
	switch {
	case r.Status == StatusNoReply:
		return r.Sent.Add(engine.ForgottenAfter(timeout))
	case r.Responder.IsValid():
		return r.Sent.Add(r.RTT + engine.RepeatedWithin)
	}
	return time.Time{}
}

func closesLoop(index int, alike func(i, j int) bool) bool { return plan.ClosesLoop(index, alike) }

// traceTurns lets traces take turns that can have but one probe to an address in
// flight (see traceCare), and go there by the same sockets: otherwise each would
// be in the way of all others. The zero value is ready for use.
type traceTurns struct {
	mu    sync.Mutex
	turns map[turnKey]*traceTurn
}

type turnKey struct {
	pool *engine.Pool
	dst  netip.Addr
}

type traceTurn struct {
	key   turnKey
	token chan struct{} // full while somebody has the turn
	users int           // who have it or wait for it
	quiet time.Time     // as in traceCare, of those who had it
}

func (t *traceTurns) join(key turnKey) *traceTurn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.turns == nil {
		t.turns = map[turnKey]*traceTurn{}
	}
	turn := t.turns[key]
	if turn == nil {
		turn = &traceTurn{key: key, token: make(chan struct{}, 1)}
		t.turns[key] = turn
	}
	turn.users++
	return turn
}

// take waits for the turn of a key, until ctx or the Prober ends.
func (t *traceTurns) take(ctx context.Context, key turnKey) (*traceTurn, error) {
	turn := t.join(key)
	var err error
	select {
	case turn.token <- struct{}{}:
		return turn, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-key.pool.Done():
		err = net.ErrClosed
	}
	t.leave(turn)
	return nil, err
}

// give gives a turn back. Until quiet the answer to a silent probe may be late,
// and so may be those to the probes that an operation leaves in flight.
func (t *traceTurns) give(turn *traceTurn, quiet time.Time, inFlight int, timeout time.Duration) {
	turn.quiet = quiet
	if inFlight > 0 { // the operation was cut short
		turn.quiet = time.Now().Add(engine.ForgottenAfter(timeout))
	}
	<-turn.token
	t.leave(turn)
}

func (t *traceTurns) leave(turn *traceTurn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if turn.users--; turn.users == 0 {
		delete(t.turns, turn.key)
	}
}
