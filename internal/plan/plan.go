// Package plan is the interface between a strategy and the driver.
//
// A strategy decides which probe leaves when, and what the answers mean. It is pure: it has
// no socket, no clock, no goroutine and no lock, and imports nothing but the standard
// library, this package and packages that are as pure. Tests therefore check each of its
// rules by the probes and verdicts that it returns for given observations and times.
//
// The driver, internal/drive, asks a Plan for the probes that may leave, sends them, and
// passes observations back to it.
package plan

import (
	"net/netip"
	"time"
)

// Key identifies a probe within its plan: the hop that it is for, up to 255, and a 24-bit
// number that the plan chooses. A plan that sends more probes than that to a hop must tell
// them apart by time.
type Key uint32

const numberBits = 24

// MakeKey returns the key of a probe, with the low 24 bits of number.
func MakeKey(hop, number int) Key { return Key(hop)<<numberBits | Key(number)&(1<<numberBits-1) }

// Hop returns the hop that the probe is for.
func (k Key) Hop() int { return int(k >> numberBits) }

// Number returns the low 24 bits of the number.
func (k Key) Number() int { return int(k & (1<<numberBits - 1)) }

// Ordinal returns the greatest number below limit that ends with the bits of the key's
// number. In a plan that numbers its probes consecutively and has sent limit of them, it is
// the number of the probe.
func (k Key) Ordinal(limit int) int {
	last := limit - 1
	return last - (last-int(k))&(1<<numberBits-1)
}

// Probe is a probe that may leave.
type Probe struct {
	Key  Key
	TTL  int // 1 to 255; 0: that of the operation
	Flow int // its number, from 0
	Size int // of the IP packet, in bytes; 0: that of the operation
}

// Kind is the kind of an Observation.
type Kind uint8

const (
	// Silent: nothing came before the timeout.
	Silent Kind = iota
	// Reply: the target sent the answer that the probe asked for.
	Reply
	// TimeExceeded: a router dropped it, because its TTL was used up.
	TimeExceeded
	// TooBig: the probe does not fit the next link.
	TooBig
	// Unreachable: a node refuses to forward or to accept the probe, by any other ICMP
	// error.
	Unreachable
	// Refused: an address other than the target's reports a closed UDP port: a firewall, or
	// an unknown address of the target.
	Refused
	// Advice: an ICMP message after which the probe may still be answered.
	Advice
	// Unclear: an answer that may belong to any of several probes. The Key is that of one
	// of them.
	Unclear
)

// Observation is one event about a probe. A probe may have any number of them, of which at
// most one settles it.
type Observation struct {
	Key        Key
	Kind       Kind
	Settles    bool       // it settles the probe: an answer, or the end of its timeout
	FromTarget bool       // the responder is the target
	Local      bool       // an error of this host itself: the probe did not leave it
	Late       bool       // it came after the timeout
	Duplicate  bool       // an answer came before
	Suspect    bool       // of Silent: this host's own socket may have lost the answer
	Responder  netip.Addr // the address that answered; the zero Addr if none did
	Sent       time.Time
	RTT        time.Duration
	MTU        int   // of TooBig, in bytes; 0: not reported
	Err        error // of Silent: why nothing can be received
}

// Answered returns when the answer came.
func (o *Observation) Answered() time.Time { return o.Sent.Add(o.RTT) }

// Plan is a strategy at work, as the driver sees it.
//
// A probe that Next returned waits until the rates allow it to leave. It is then sent,
// refused or recalled.
type Plan interface {
	// Next returns the next probe that may leave now; the driver repeats the call while
	// there is one. If there is none, wake is when to ask again; it is the zero time if the
	// answer depends on an observation, or on a probe that waits to leave.
	Next(now time.Time) (p Probe, ok bool, wake time.Time)

	// Wants reports whether a waiting probe should still leave. If not, the driver recalls
	// it.
	Wants(k Key) bool

	// Recall notes that a probe does not leave. Next may return it again.
	Recall(k Key)

	// Sent notes that the system accepted a probe.
	Sent(k Key, at time.Time)

	// Refused notes that the system did not accept a probe, and why. The probe is settled.
	Refused(k Key, err error, now time.Time)

	// Observe notes an observation of a probe.
	Observe(now time.Time, o *Observation)

	// Alone reports whether only one probe may be in flight, because answers do not
	// identify their probe (stop-and-wait). The driver then asks for the next probe when
	// none is in flight, no answer to an earlier probe can still arrive, and no other such
	// plan probes the target: the driver keeps that holdoff, not the plan.
	Alone() bool

	// Done reports whether there is nothing more to send or to wait for.
	Done() bool
}

// Prompt is embedded by a plan that needs no stop-and-wait and never recalls a waiting
// probe.
type Prompt struct{}

// Wants reports true.
func (Prompt) Wants(Key) bool { return true }

// Recall is not called.
func (Prompt) Recall(Key) {}

// Alone reports false.
func (Prompt) Alone() bool { return false }

// Earlier returns the earlier of two times; the zero time means none.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
