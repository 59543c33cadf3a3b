package agent

import (
	"context"
	"sync"
	"time"

	"github.com/goicmp/icmplib/fleet/wire"
)

// waiting is a round of the mesh on its way to the hub.
type waiting struct {
	id   string // the run of the agent, and the ordinal of the round
	body []byte
}

// ring holds rounds while the hub is away, in the order of time. What it may hold is
// bounded: the oldest make room, and are counted.
type ring struct {
	max int // bytes

	mu      sync.Mutex
	rounds  []waiting
	bytes   int
	dropped int64
	changed chan struct{}
}

func newRing(max int) *ring { return &ring{max: max, changed: make(chan struct{}, 1)} }

func (r *ring) add(w waiting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rounds = append(r.rounds, w)
	r.bytes += len(w.body)
	for r.bytes > r.max && len(r.rounds) > 1 {
		r.bytes -= len(r.rounds[0].body)
		r.rounds[0] = waiting{}
		r.rounds = r.rounds[1:]
		r.dropped++
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// oldest waits for a round and returns the oldest, which stays; ok is false when ctx ends.
func (r *ring) oldest(ctx context.Context) (w waiting, ok bool) {
	for {
		r.mu.Lock()
		if len(r.rounds) > 0 {
			w = r.rounds[0]
			r.mu.Unlock()
			return w, true
		}
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return waiting{}, false
		case <-r.changed:
		}
	}
}

// remove takes a round out that is stored. It may have been dropped meanwhile: then it was
// not lost, and does not count.
func (r *ring) remove(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rounds) > 0 && r.rounds[0].id == id {
		r.bytes -= len(r.rounds[0].body)
		r.rounds[0] = waiting{}
		r.rounds = r.rounds[1:]
		return
	}
	r.dropped--
}

func (r *ring) counts() (waiting int, dropped int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.rounds), r.dropped
}

// waitEmpty waits until all rounds are stored, or ctx ends.
func (r *ring) waitEmpty(ctx context.Context) {
	for n, _ := r.counts(); n > 0 && wire.Sleep(ctx, 20*time.Millisecond); n, _ = r.counts() {
	}
}
