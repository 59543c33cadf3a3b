package icmplib

import (
	"context"
	"errors"
	"net"
	"time"
)

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
