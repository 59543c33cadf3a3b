package netsim

import (
	"slices"
	"time"
)

// arrived is a packet in the receive queue.
type arrived struct {
	p     packet
	stamp int64 // of the wall clock, when it arrived
}

// expect adds packets that are on their way. What arrives at the same time
// arrives in the order of its sending.
func (c *mailbox) expect(deliveries []Delivery) {
	for _, d := range deliveries {
		i := len(c.pending)
		for i > 0 && c.pending[i-1].At.After(d.At) {
			i--
		}
		c.pending = slices.Insert(c.pending, i, d)
	}
}

// admit does what the kernel did until now: it took what arrived into the
// queue, or had no room for it. Nobody looks at the queue in between, so that
// it can be done when somebody does.
func (c *mailbox) admit(now time.Time) {
	if len(c.net.noises) > 0 && now.After(c.noised) {
		c.expect(c.net.Noise(c.noised, now))
		c.noised = now
	}
	i := 0
	for ; i < len(c.pending) && !c.pending[i].At.After(now); i++ {
		d := &c.pending[i]
		p, ok := parsePacket(d.Packet)
		switch {
		case !ok || !c.passes(&p):
		case c.limit > 0 && len(c.queue) >= c.limit:
			c.counted.Dropped++
		default:
			c.queue = append(c.queue, arrived{p: p, stamp: c.wall(d.At)})
		}
	}
	c.pending = behind(c.pending, i)
}

// behind returns what follows the first n elements, without keeping those in
// memory.
func behind[T any](s []T, n int) []T {
	clear(s[:n])
	return s[n:]
}

// next is when the next packet arrives; the zero time if none is expected.
func (c *mailbox) next(now time.Time) time.Time {
	var next time.Time
	if len(c.pending) > 0 {
		next = c.pending[0].At
	}
	if len(c.net.noises) > 0 {
		if noise := c.net.nextNoise(now); next.IsZero() || noise.Before(next) {
			next = noise
		}
	}
	return next
}
