package netsim

import (
	"context"
	"github.com/goicmp/icmplib/internal/netio"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"
)

const (
	maxBatch = 64 // messages at once, as the real sockets

	// poison overwrites what was handed out when its time is over, so that who
	// kept it without Clone finds out.
	poison = 0xdb
)

// arrival is a packet as it is read: when it came, and for how long it waited.
type arrival struct {
	p      packet
	at     time.Time
	queued time.Duration
}

// receive waits for packets until hand has taken one of them at the least, and
// reads all that are there, up to a limit. hand takes the next packet, to hand
// it out as the n-th, and tells whether it did.
func (c *mailbox) receive(ctx context.Context, limit int, hand func(n int, in *arrival) bool) (int, error) {
	if limit == 0 {
		return 0, nil
	}
	select {
	case c.receiving <- struct{}{}:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	defer func() { <-c.receiving }()
	for {
		n, until, err := c.read(ctx, min(limit, maxBatch), hand)
		if n > 0 || err != nil {
			return n, err
		}
		c.wait(ctx, until)
	}
}

// wait waits until something happens, but not longer than until the given
// time; the zero time means any time.
func (c *mailbox) wait(ctx context.Context, until time.Time) {
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
func (c *mailbox) read(ctx context.Context, limit int, hand func(int, *arrival) bool) (n int, until time.Time, err error) {
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
		n = c.take(now, limit, hand)
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
func (c *mailbox) take(now time.Time, limit int, hand func(int, *arrival) bool) (n int) {
	batch := c.queue[:min(len(c.queue), limit)]
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
		queued, _ := netio.QueueDelay(read, in.stamp, c.empty)
		if hand(n, &arrival{p: in.p, at: now.Add(-queued), queued: queued}) {
			n++
		}
	}
	c.queue = behind(c.queue, len(batch))
	return n
}
