package netsim

import (
	"github.com/goicmp/icmplib/internal/netio"
	"time"
)

// StepClock sets the wall clock forward by d, or back where d is negative.
// Packets that have arrived keep the time that they were stamped with.
func (c *mailbox) StepClock(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.admit(time.Now())
	c.stepped += d
}

// wall is what the simulated wall clock shows at t.
func (c *mailbox) wall(t time.Time) int64 {
	return c.base.UnixNano() + int64(t.Sub(c.base)+c.stepped)
}

func (c *mailbox) reading(now time.Time) netio.ClockReading {
	return netio.ClockReading{Mono: now, Wall: c.wall(now)}
}

// Stall stops the reader, as a busy machine does: packets wait in the queue,
// while ReceiveBatch returns nothing but that its context or the socket ended.
func (c *mailbox) Stall() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled = true
}

// Resume ends what Stall began.
func (c *mailbox) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled = false
	c.signal()
}

// FailSend makes the next n sends fail with err.
func (c *mailbox) FailSend(n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures, c.failure = n, err
}
