package series

import (
	"slices"
	"time"
)

// sample is a settled probe: its ordinal, and its RTT if it has one.
type sample struct {
	seq int
	rtt time.Duration
}

// none is the rtt of a sample that has none.
const none time.Duration = -1

// order puts samples that arrive in any order into sending order. A sample
// waits until all those before it are settled: at most as many wait as are sent
// within a timeout.
type order struct {
	next int      // the ordinal whose turn it is
	held []sample // from head on, by ordinal, those that came ahead of it
	head int
}

// maxHeld bounds how many samples wait. With more, those that are missing are
// given up: a run whose results are fed in part only must not grow for ever.
const maxHeld = 1 << 16

// inTurn reports whether the sample with this ordinal need not wait. One before
// its turn has come already: it belongs to another run that is fed into the
// same Stats, and the order of arrival is as good as any.
func (o *order) inTurn(seq int) bool {
	if seq > o.next {
		return false
	}
	o.next = max(o.next, seq+1)
	return true
}

// hold keeps a sample that is ahead of its turn. Most come in order behind a
// gap, so that the place is mostly the end.
func (o *order) hold(x sample) {
	if len(o.held) == cap(o.held) && o.head > len(o.held)/2 {
		o.held = o.held[:copy(o.held, o.held[o.head:])]
		o.head = 0
	}
	at := len(o.held)
	for at > o.head && o.held[at-1].seq > x.seq {
		at--
	}
	o.held = slices.Insert(o.held, at, x)
}

// release returns the next sample that need not wait any more, if there is one.
func (o *order) release() (x sample, ok bool) {
	n := len(o.held) - o.head
	if n == 0 {
		return sample{}, false
	}
	x = o.held[o.head]
	if x.seq > o.next && n <= maxHeld {
		return sample{}, false
	}
	o.next = max(o.next, x.seq+1)
	o.head++
	if n == 1 {
		o.held, o.head = o.held[:0], 0
	}
	return x, true
}

// end returns the ordinal behind all that came.
func (o *order) end() int {
	if n := len(o.held); n > o.head {
		return max(o.next, o.held[n-1].seq+1)
	}
	return o.next
}

// skipTo has the ordinal next come next, and nothing wait.
func (o *order) skipTo(next int) { *o = order{next: next} }

// waiting returns the samples that are held, in sending order.
func (o *order) waiting() []sample { return o.held[o.head:] }
