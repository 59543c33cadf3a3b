package waiting

import (
	"context"
	"sync"
	"time"
)

// Deadline is a read deadline that the end of a context can anticipate.
type Deadline struct {
	// Apply sets the socket's own read deadline.
	Apply func(time.Time) error

	mu          sync.Mutex
	wanted      time.Time // that the user set
	interrupted bool      // a context has ended the wait
}

// Set bounds the receives, also one that is waiting now.
func (d *Deadline) Set(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = t
	if d.interrupted {
		return nil // takes effect when the interrupted receive has ended
	}
	return d.Apply(t)
}

// InterruptAt has the end of ctx end a receive. The function that it returns
// takes that back.
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

// interrupt wakes whoever receives, by a deadline that has passed already, or
// restores the user's deadline.
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
