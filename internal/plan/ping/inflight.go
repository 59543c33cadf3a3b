package ping

import (
	"iter"
	"slices"
	"time"
)

// InFlight holds the requests that were sent and are not settled. The zero value is ready
// for use.
type InFlight struct {
	requests []request // from the first one that is not settled on
}

// request is a request that was sent.
type request struct {
	seq     int
	sent    time.Time
	settled bool
}

// Sent notes a request. Requests come in the order of their numbers.
func (f *InFlight) Sent(seq int, at time.Time) {
	f.requests = append(f.requests, request{seq: seq, sent: at})
}

// Settle notes that a request is settled.
func (f *InFlight) Settle(seq int) {
	i, found := slices.BinarySearchFunc(f.requests, seq, func(r request, seq int) int { return r.seq - seq })
	if found {
		f.requests[i].settled = true
	}
	for len(f.requests) > 0 && f.requests[0].settled {
		f.requests = f.requests[1:]
	}
}

// All yields the requests that are not settled, and when they were sent.
func (f *InFlight) All() iter.Seq2[int, time.Time] {
	return func(yield func(int, time.Time) bool) {
		for i := range f.requests {
			if r := &f.requests[i]; !r.settled && !yield(r.seq, r.sent) {
				return
			}
		}
	}
}
