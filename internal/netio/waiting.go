package netio

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Deadline is a read deadline that the end of a context can bring forward.
type Deadline struct {
	// Apply sets the socket's own read deadline.
	Apply func(time.Time) error

	mu          sync.Mutex
	wanted      time.Time // the user's deadline
	interrupted bool      // a context has ended the wait
}

// Set sets the deadline, also for a receive that is already waiting.
func (d *Deadline) Set(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = t
	if d.interrupted {
		return nil // takes effect when the interrupted receive has ended
	}
	return d.Apply(t)
}

// InterruptAt makes the end of ctx end a receive. The function that it returns undoes
// that.
func (d *Deadline) InterruptAt(ctx context.Context) (undo func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		d.interrupt(true)
	})
	return func() {
		if !stop() {
			<-done
			d.interrupt(false)
		}
	}
}

// interrupt wakes the receiver by a deadline that has already passed, or restores the
// user's deadline.
func (d *Deadline) interrupt(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.interrupted = on
	deadline := d.wanted
	if on {
		deadline = time.Unix(1, 0)
	}
	_ = d.Apply(deadline)
}

// ContextMutex lets one goroutine at a time receive.
type ContextMutex chan struct{}

// NewContextMutex returns an unlocked ContextMutex.
func NewContextMutex() ContextMutex { return make(ContextMutex, 1) }

// Lock locks the mutex, or returns the cause of ctx if ctx ends first.
func (m ContextMutex) Lock(ctx context.Context) error {
	select {
	case m <- struct{}{}:
		return nil
	default:
	}
	select {
	case m <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Unlock unlocks the mutex.
func (m ContextMutex) Unlock() { <-m }

// Watermark is a time that only advances, and that any goroutine may read.
type Watermark struct {
	start   time.Time
	elapsed atomic.Int64 // nanoseconds since start
}

// Advance moves the mark to t. The first call must come before the mark is shared.
func (w *Watermark) Advance(t time.Time) {
	if w.start.IsZero() {
		w.start = t // before the socket is shared
	}
	w.elapsed.Store(int64(t.Sub(w.start)))
}

// Time returns the time that the mark has reached.
func (w *Watermark) Time() time.Time { return w.start.Add(time.Duration(w.elapsed.Load())) }
