package engine

import (
	"context"
	"sync"
	"time"
)

// pacerBurst bounds how much of a pause is made up for: a sender that was held
// up may send what it missed in this time at once, and no more.
const pacerBurst = 2 * time.Millisecond

// Pacer spreads packets evenly over time: a token bucket whose size is what
// pacerBurst fills. It serves any number of senders in the order in which they
// ask.
type Pacer struct {
	interval time.Duration // between two packets; 0: no limit

	mu   sync.Mutex
	next time.Time // when the next packet may leave
}

// NewPacer returns a Pacer for rate packets per second; 0 means no limit.
func NewPacer(rate int) *Pacer {
	if rate == 0 {
		return &Pacer{}
	}
	return &Pacer{interval: time.Second / time.Duration(rate)}
}

// Wait returns when a packet may leave, or at the end of ctx with its cause.
func (p *Pacer) Wait(ctx context.Context) error {
	if p.interval == 0 {
		return nil
	}
	delay := p.reserve(time.Now())
	if delay <= 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reserve takes the next place in the stream and returns how long after now it
// is. The place of a sender that then gives up stays empty.
func (p *Pacer) reserve(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if earliest := now.Add(-pacerBurst); p.next.Before(earliest) {
		p.next = earliest
	}
	at := p.next
	p.next = p.next.Add(p.interval)
	return at.Sub(now)
}
