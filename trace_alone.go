package icmplib

import (
	"errors"
	"syscall"
	"time"
)

// Without privileges a TCP probe is a connection, and there cannot be two with
// the same ports and addresses. Where the caller chose the source port, probes
// therefore follow one another. That of a silent hop is in the way until the
// system gives it up, which is later than the probe's timeout may be.
const (
	connectionPause    = 100 * time.Millisecond // before it is tried again
	connectionPatience = 5 * time.Second        // before somebody else has the port
)

// postpone takes back the probes of the batch from first on where the first of
// them has to wait for a connection to end, and tells whether it has to.
func (r *traceRun) postpone(first int, err error) bool {
	now := time.Now()
	if r.plan.taken == 0 || !r.plan.postpones(err, len(r.indexes)-first, now) {
		return false
	}
	r.unsent(first)
	r.plan.alone, r.plan.retry = true, now.Add(connectionPause)
	return true
}

// postpones tells whether a probe that was refused has to wait for a connection
// to end; unsent is how many of those in flight have not left.
func (p *tracePlan) postpones(err error, unsent int, now time.Time) bool {
	if !p.opts.Packet.waitsForConnection(err) {
		return false
	}
	return p.flying > unsent || now.Sub(p.took) <= connectionPatience
}

// waitsForConnection tells whether a probe was refused because there is a
// connection with its ports, which the caller chose.
func (pk *Packet) waitsForConnection(err error) bool {
	inUse := errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EADDRNOTAVAIL)
	return inUse && pk.Protocol == TCP && pk.SourcePort != 0
}

// nextAlone tells whether the next probe has to wait for the one before it, and
// until when; the zero time if only its fate can tell.
func (p *tracePlan) nextAlone(now time.Time) (at time.Time, wait bool) {
	switch {
	case !p.alone:
		return at, false
	case p.flying > 0:
		return at, true
	}
	return p.retry, now.Before(p.retry)
}
