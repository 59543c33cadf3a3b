package engine

import (
	"context"
	"sync"
	"time"
)

// pacerBurst limits bursts: it is the part of a pause that senders may make up for, and
// the time for which one sender may reserve places together.
const pacerBurst = 2 * time.Millisecond

// Pacer spreads packets evenly over time. It is a token bucket with room for the packets of
// pacerBurst. It serves any number of senders in the order of their calls.
type Pacer struct {
	interval time.Duration // between two packets; 0: no limit

	// turn holds a token for the sender that waits for a place in the stream. The
	// others wait for the token, so that a sender that gives up leaves no gap.
	turn chan struct{}

	mu   sync.Mutex
	next time.Time // when the next packet may leave
}

// NewPacer returns a Pacer for rate packets per second; 0 means no limit.
func NewPacer(rate int) *Pacer {
	if rate == 0 {
		return &Pacer{}
	}
	return &Pacer{interval: time.Second / time.Duration(rate), turn: make(chan struct{}, 1)}
}

// Batch returns how many of n packets may leave together, at least one.
func (p *Pacer) Batch(n int) int {
	if p.interval == 0 {
		return n
	}
	return max(1, min(n, int(pacerBurst/p.interval)))
}

// Wait returns when n more packets may leave. If ctx ends first, it returns the cause: none
// of the packets may leave then, and other senders get their places.
func (p *Pacer) Wait(ctx context.Context, n int) error {
	if p.interval == 0 {
		return nil
	}
	for i := range n {
		if err := p.waitOne(ctx); err != nil {
			p.GiveBack(i)
			return err
		}
	}
	return nil
}

func (p *Pacer) waitOne(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-p.turn }()
	now := time.Now()
	delay := p.Reserve(now, 1).Sub(now)
	if delay <= 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		p.GiveBack(1)
		return context.Cause(ctx)
	}
}

// Reserve takes the next n places in the stream and returns the time of the first one,
// which may have passed. The caller must give back the places that it does not use.
func (p *Pacer) Reserve(now time.Time, n int) time.Time {
	if p.interval == 0 {
		return now
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if earliest := now.Add(-pacerBurst); p.next.Before(earliest) {
		p.next = earliest
	}
	at := p.next
	p.next = p.next.Add(time.Duration(n) * p.interval)
	return at
}

// GiveBack gives back n places that the caller did not use.
func (p *Pacer) GiveBack(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = p.next.Add(-time.Duration(n) * p.interval)
}
