package socket

import (
	"context"
	"time"
)

// setReadDeadline bounds the receives, also one that is waiting now.
func (c *conn) setReadDeadline(t time.Time) error {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	c.deadline = t
	if c.interrupted {
		return nil // takes effect when the interrupted receive has ended
	}
	return c.link.setReadDeadline(t)
}

// interruptAt has the end of ctx end a receive. The function that it returns
// takes that back.
func (c *conn) interruptAt(ctx context.Context) (undo func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		c.interrupt(true)
	})
	return func() {
		if !stop() {
			<-done
			c.interrupt(false)
		}
	}
}

// interrupt wakes whoever receives, by a deadline that has passed already, or
// restores the user's deadline.
func (c *conn) interrupt(on bool) {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	c.interrupted = on
	deadline := c.deadline
	if on {
		deadline = time.Unix(1, 0)
	}
	_ = c.link.setReadDeadline(deadline)
}
