package engine

import (
	"sync/atomic"
	"time"
)

// right is the right to read a socket. The engine's reader holds it and waits in the
// poller, until a goroutine (the driver) sends a burst of probes. The driver then reads
// the answers itself, between its sends, because waking the reader costs more than
// reading the answers. Meanwhile the socket is out of the poller.
//
// While the driver is not sending, and code of the caller may run, the right is lent:
// the reader takes it back by itself after lendFor, and at once when the driver gives it
// back.
type right struct {
	state  atomic.Int32
	lent   atomic.Uint64 // how often the right was lent
	never  bool          // the medium cannot be driven; only the sender uses it
	parked chan struct{} // the reader has made way
	back   chan struct{} // holds a token when the right was given back
}

// The states of a right.
const (
	rightRead  int32 = iota // the reader has it
	rightAsked              // the reader must make way
	rightDriven
	rightLent
)

const (
	// lendFor is how long the socket goes unread while the right is lent; the real time may
	// be up to twice as long or near 0. It exceeds the pauses of a driver that keeps the
	// right, because making the reader give way costs as much as several probes. While
	// the driver is active, the check is rarer, up to lendForMost. Messages that arrive
	// meanwhile have the kernel's timestamp.
	lendFor     = 4 * time.Millisecond
	lendForMost = 8 * time.Millisecond

	// drivenFrom is the number of probes sent together from which it pays to make
	// the reader give way.
	drivenFrom = 8

	// drainRounds bounds the reads of a driver before it sends again.
	drainRounds = 4
)

func (r *right) init() {
	r.parked, r.back = make(chan struct{}), make(chan struct{}, 1)
}

// take lets the sender of n probes drive if that pays, and reports whether it drives.
func (r *right) take(e *Engine, n int) bool {
	switch {
	case r.never:
		return false
	case r.state.CompareAndSwap(rightLent, rightDriven):
		return true
	case n < drivenFrom:
		return false
	}
	e.mu.Lock()
	asked := !e.closed && r.state.CompareAndSwap(rightRead, rightAsked)
	if asked {
		e.setReadDeadline(time.Unix(1, 0)) // ends its wait; see arm
	}
	e.mu.Unlock()
	if !asked {
		return false
	}
	select {
	case <-r.parked:
	case <-e.done:
		return false
	}
	r.state.Store(rightDriven)
	if err := e.medium.watch(false); err != nil {
		r.never = true
		r.lend()
		r.rest()
		return false
	}
	return true
}

// lend lends the right. The driver calls it when it stops sending for now.
func (r *right) lend() {
	r.lent.Add(1)
	r.state.Store(rightLent)
}

// rest gives a right that is lent back to the reader.
func (r *right) rest() {
	if r.state.Load() != rightLent {
		return
	}
	select {
	case r.back <- struct{}{}:
	default:
	}
}

// makeWay lets the driver read if it asked for the right. It returns when the reader has
// the right again, and reports whether the engine was closed.
func (r *right) makeWay(e *Engine) (closed bool) {
	if r.state.Load() != rightAsked {
		return false
	}
	select {
	case r.parked <- struct{}{}:
	case <-e.done:
		return true
	}
	wait := lendFor
	tick := time.NewTimer(wait)
	defer tick.Stop()
	for seen := r.lent.Load(); ; {
		given := false
		select {
		case <-r.back:
			given = true
		case <-tick.C:
		case <-e.done:
			return true
		}
		lent := r.lent.Load()
		if (given || lent == seen) && r.state.CompareAndSwap(rightLent, rightRead) {
			break
		}
		if lent != seen {
			wait = min(2*wait, lendForMost)
		} else {
			wait = lendFor
		}
		seen = lent
		tick.Reset(wait)
	}
	_ = e.medium.watch(true) // fails if it was never turned off, or the socket is closed
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.state.Load() == rightRead { // otherwise a driver has asked for it again, by that deadline
		e.disarm()
		e.arm()
	}
	return false
}

// drain reads the messages that have arrived, for a driver.
func (e *Engine) drain() {
	for range drainRounds {
		n, err := e.medium.receiveNow()
		e.hear(err)
		if n >= e.lookFrom {
			e.look(n)
		}
		e.settle(n, false)
		if n < readBatch {
			return
		}
	}
}
