package engine

import (
	"context"
	"sync"
	"time"
)

// pacerBurst bounds what is sent at once: how much of a pause is made up for,
// and how many places in the stream one sender takes together.
const pacerBurst = 2 * time.Millisecond

// Pacer spreads packets evenly over time: a token bucket whose size is what
// pacerBurst fills. It serves any number of senders in the order in which they
// ask.
type Pacer struct {
	interval time.Duration // between two packets; 0: no limit

	// turn holds a token for the one who waits for a place in the stream. The
	// others wait for the token, so that one who gives up leaves no gap.
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

// Wait returns when n more packets may leave, or at the end of ctx with its cause:
// none of them may leave then, and their places go to others.
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

// Reserve takes the next n places in the stream and returns when the first of
// them is, which may have passed. What is then not sent is to be given back.
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

// GiveBack returns n places that nothing was sent in.
func (p *Pacer) GiveBack(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = p.next.Add(-time.Duration(n) * p.interval)
}
