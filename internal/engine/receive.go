package engine

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/goicmp/icmplib/internal/sys"
)

const (
	readBatch = 64

	// expireEvery bounds how often the reader wakes only to find probes
	// overdue. Silence is reported that much late at the most, and no reply
	// profits from it.
	expireEvery = time.Millisecond

	// maxLag bounds for how long silence goes unreported because so much
	// arrives that the socket's queue never runs empty.
	maxLag = time.Second

	// nap is how long the reader lets messages gather while somebody sends many
	// probes in a turn. Where replies come at once it would be woken for nearly
	// each of them; reading a few together saves a tenth of what a probe costs
	// (docs/benchmarks.md). How long a message waits is part of no round-trip
	// time.
	nap      = 50 * time.Microsecond
	napTurn  = 4 // probes that are still to be sent
	napBelow = readBatch / 4

	// errorPause keeps a socket that fails again and again, as with its
	// interface down, from keeping the processor busy.
	errorPause = 10 * time.Millisecond

	// deafAfter is for how long receiving has to fail before no more is sent.
	deafAfter = time.Second
)

// read receives until the socket is closed. Other errors pass: an interface
// that went away may come back. While they do not, see hear.
func (e *Engine) read() {
	for {
		n, err := e.medium.receive()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		deadline := errors.Is(err, os.ErrDeadlineExceeded)
		if deadline {
			err = nil
		}
		e.hear(err)
		e.settle(n, deadline)
		if e.right.makeWay(e) {
			return
		}
		if n < napBelow && e.turn.Load() >= napTurn {
			sys.Nap(nap)
		}
		if err != nil && e.pauseReading() {
			return
		}
	}
}

// hear notes whether receiving works. If it never will, as where a system has not
// the call (ENOSYS), or has not for deafAfter, the engine is deaf: it sends no
// more probes, and says why, until it hears again.
func (e *Engine) hear(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err == nil:
		e.failing, e.core.deaf = time.Time{}, nil
		return
	case e.failing.IsZero():
		e.failing = time.Now()
		e.log.Warn("receiving failed", "error", err)
	}
	if e.core.deaf == nil && (errors.Is(err, errors.ErrUnsupported) || time.Since(e.failing) >= deafAfter) {
		e.core.deaf = err
		e.log.Error("nothing can be received", "error", err)
	}
}

// pauseReading waits a little, and reports whether the engine was closed.
func (e *Engine) pauseReading() bool {
	timer := time.NewTimer(errorPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-e.done:
		return true
	}
}

// settle takes the n messages that were received and expires what is overdue.
func (e *Engine) settle(n int, deadline bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range n {
		e.medium.deliver(i, &e.core)
	}
	if deadline {
		e.disarm()
	}
	horizon := max(e.since(e.medium.Drained()), e.since(time.Now())-maxLag)
	if next, ok := e.core.table.nextDeadline(); ok && next <= horizon {
		e.core.loss.look(e.medium.Counters().Dropped, e.since(time.Now()))
		e.core.expire(horizon)
		e.expired = horizon
	}
	e.arm()
}

// disarm takes back a read deadline that has passed, which would end every
// further receive at once.
func (e *Engine) disarm() {
	e.armed = false
	e.setReadDeadline(time.Time{})
}

// arm sets the socket's read deadline for the next probe that will be overdue,
// unless the one that is set comes first: it is then set anew when it passes.
func (e *Engine) arm() {
	next, ok := e.core.table.nextDeadline()
	if !ok || e.closed || e.right.state.Load() != rightRead {
		return // whoever drives looks himself
	}
	next = max(next, e.expired+expireEvery)
	if e.armed && e.armedFor <= next {
		return
	}
	e.armed, e.armedFor = true, next
	e.setReadDeadline(e.core.epoch.Add(next))
}

// setReadDeadline fails only when the socket is closed, which the reader sees by
// itself.
func (e *Engine) setReadDeadline(t time.Time) { _ = e.medium.SetReadDeadline(t) }
