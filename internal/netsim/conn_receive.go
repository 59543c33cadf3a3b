package netsim

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/clock"
)

const (
	maxBatch = 64 // messages at once, as the real sockets

	// poison overwrites replies whose time is over, so that who kept one
	// without Clone finds out.
	poison = 0xdb
)

// ReceiveBatch waits for at least one message, and reads all that are there, up
// to the length of replies (at most 64 at once). The replies' slices are valid
// until the next receive.
func (c *Conn) ReceiveBatch(ctx context.Context, replies []icmp.Reply) (int, error) {
	if len(replies) == 0 {
		return 0, nil
	}
	select {
	case c.receiving <- struct{}{}:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	defer func() { <-c.receiving }()
	for {
		n, until, err := c.read(ctx, replies[:min(len(replies), maxBatch)])
		if n > 0 || err != nil {
			return n, err
		}
		c.wait(ctx, until)
	}
}

// wait waits until something happens, but not longer than until the given
// time; the zero time means any time.
func (c *Conn) wait(ctx context.Context, until time.Time) {
	var expired <-chan time.Time
	if !until.IsZero() {
		c.timer.Reset(time.Until(until))
		defer c.timer.Stop()
		expired = c.timer.C
	}
	select {
	case <-expired:
	case <-c.wake:
	case <-ctx.Done():
	}
}

// read reads what is in the queue. Where that is nothing, until is when it may
// be worth to look again.
func (c *Conn) read(ctx context.Context, replies []icmp.Reply) (n int, until time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, until, c.opError("receive", netip.Addr{}, net.ErrClosed)
	case ctx.Err() != nil:
		return 0, until, context.Cause(ctx)
	case c.stalled:
		return 0, until, nil
	}
	now := time.Now()
	c.admit(now)
	for n == 0 && len(c.queue) > 0 {
		n = c.take(now, replies)
	}
	if len(c.queue) == 0 {
		c.empty = c.reading(now)
	}
	if n > 0 {
		return n, until, nil
	}
	until = c.next(now)
	if !c.deadline.IsZero() {
		if !now.Before(c.deadline) {
			return 0, until, c.opError("receive", netip.Addr{}, os.ErrDeadlineExceeded)
		}
		if until.IsZero() || c.deadline.Before(until) {
			until = c.deadline
		}
	}
	return 0, until, nil
}

// take takes packets out of the queue, and returns how many of them were for
// this socket.
func (c *Conn) take(now time.Time, replies []icmp.Reply) (n int) {
	batch := c.queue[:min(len(c.queue), len(replies))]
	size := 0
	for i := range batch {
		size += len(batch[i].p.b)
	}
	for i := range c.memory {
		c.memory[i] = poison
	}
	c.memory = slices.Grow(c.memory[:0], size)
	read := c.reading(now)
	for i := range batch {
		in := &batch[i]
		start := len(c.memory)
		c.memory = append(c.memory, in.p.b...) // it does not move: there is room
		in.p.b = c.memory[start:]
		queued := clock.QueueDelay(read, in.stamp, c.empty)
		replies[n] = icmp.Reply{Time: now.Add(-queued), Queued: queued}
		if c.decode(&in.p, &replies[n]) {
			n++
		}
	}
	c.queue = behind(c.queue, len(batch))
	return n
}

// Stall stops the reader, as a busy machine does: packets wait in the queue,
// while ReceiveBatch returns nothing but that its context or the socket ended.
func (c *Conn) Stall() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled = true
}

// Resume ends what Stall began.
func (c *Conn) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled = false
	c.signal()
}
