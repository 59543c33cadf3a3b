package main

import (
	"context"
	"sync"
	"time"

	"github.com/goicmp/icmplib"
)

// openProbes tells of requests that are still without an answer when the next one
// leaves (-O of ping). They leave every interval: when the first one does is known by
// the first result, and until then by the beginning.
type openProbes struct {
	interval time.Duration
	count    int // of requests; 0: they never end
	tell     func(seq int)

	mu      sync.Mutex
	began   time.Time // when request 0 left
	settled map[int]bool
}

// start tells of open requests until stop is called, which returns when nothing more
// will be told.
func (o *openProbes) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() { o.follow(ctx) })
	return func() {
		cancel()
		ended.Wait()
	}
}

// follow tells of open requests until ctx ends, or no other request leaves.
func (o *openProbes) follow(ctx context.Context) {
	for seq := 0; o.count == 0 || seq < o.count-1; seq++ {
		o.mu.Lock()
		next := o.began.Add(time.Duration(seq+1) * o.interval)
		o.mu.Unlock()
		wait := time.NewTimer(time.Until(next))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
		o.mu.Lock()
		open := !o.settled[seq]
		delete(o.settled, seq)
		o.mu.Unlock()
		if open {
			o.tell(seq)
		}
	}
}

// note takes a result.
func (o *openProbes) note(r icmplib.Result) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !r.Sent.IsZero() {
		o.began = r.Sent.Add(-time.Duration(r.Seq) * o.interval)
	}
	if next := int(time.Since(o.began) / o.interval); r.Settles() && r.Seq >= next-1 {
		o.settled[r.Seq] = true // others have been told of
	}
}
