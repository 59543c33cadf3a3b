package icmplib

import "slices"

// turns puts samples that arrive in any order into sending order. A sample
// waits until all those before it are settled: at most as many wait as are sent
// within a timeout.
type turns struct {
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
func (t *turns) inTurn(seq int) bool {
	if seq > t.next {
		return false
	}
	t.next = max(t.next, seq+1)
	return true
}

// hold keeps a sample that is ahead of its turn. Most come in order behind a
// gap, so that the place is mostly the end.
func (t *turns) hold(x sample) {
	if len(t.held) == cap(t.held) && t.head > len(t.held)/2 {
		t.held = t.held[:copy(t.held, t.held[t.head:])]
		t.head = 0
	}
	at := len(t.held)
	for at > t.head && t.held[at-1].seq > x.seq {
		at--
	}
	t.held = slices.Insert(t.held, at, x)
}

// release returns the next sample that need not wait any more, if there is one.
func (t *turns) release() (x sample, ok bool) {
	n := len(t.held) - t.head
	if n == 0 {
		return sample{}, false
	}
	x = t.held[t.head]
	if x.seq > t.next && n <= maxHeld {
		return sample{}, false
	}
	t.next = max(t.next, x.seq+1)
	t.head++
	if n == 1 {
		t.held, t.head = t.held[:0], 0
	}
	return x, true
}

// waiting returns the samples that are held, in sending order.
func (t *turns) waiting() []sample { return t.held[t.head:] }
