// Package plan is what a strategy and the driver say to each other.
//
// A strategy decides which probe leaves when, and what the answers mean. It is
// pure: it has no socket, no clock, no goroutine and no lock, and imports nothing
// but the standard library, this package and what is as pure. So each of its rules is tested by
// observations and moments that go in, and probes and verdicts that come out.
//
// The driver, internal/drive, asks a Plan what may leave, sends it, and hands it
// what becomes known.
package plan

import (
	"net/netip"
	"time"
)

// Key names a probe within its plan: the hop that it is for, up to 255, and a
// number of the plan's choice, of 24 bits. A plan that sends more probes than
// that to a hop finds out by the time which one is meant.
type Key uint32

const numberBits = 24

// MakeKey returns the key of a probe; of number it takes the low 24 bits.
func MakeKey(hop, number int) Key { return Key(hop)<<numberBits | Key(number)&(1<<numberBits-1) }

// Hop returns the hop that the probe is for.
func (k Key) Hop() int { return int(k >> numberBits) }

// Number returns the low 24 bits of the number.
func (k Key) Number() int { return int(k & (1<<numberBits - 1)) }

// Ordinal returns the greatest number below limit that ends with those bits: that of a
// probe of a plan that numbers them one after the other, and has sent so many.
func (k Key) Ordinal(limit int) int {
	last := limit - 1
	return last - (last-int(k))&(1<<numberBits-1)
}

// Probe is what may leave.
type Probe struct {
	Key  Key
	TTL  int // 1 to 255; 0: that of the operation
	Flow int // its number, from 0
	Size int // of the IP packet, in bytes; 0: that of the operation
}

// Kind is what became known of a probe.
type Kind uint8

const (
	// Silent: nothing came before the timeout.
	Silent Kind = iota
	// Reply: the target answered as it was asked to.
	Reply
	// TimeExceeded: a router dropped it, because its TTL was used up.
	TimeExceeded
	// TooBig: it does not fit the next link.
	TooBig
	// Unreachable: somebody refuses to forward or to accept it, by any other
	// ICMP error.
	Unreachable
	// Refused: another address than the target's says that the UDP port is closed:
	// a firewall, or an unknown address of the target.
	Refused
	// Advice: an ICMP message that does not say that the probe ended.
	Advice
	// Unclear: an answer to one of several probes, without saying to which. The
	// Key is that of one of them.
	Unclear
)

// Observation is what became known of a probe. There may be any number of them
// for one, of which at most one settles it.
type Observation struct {
	Key        Key
	Kind       Kind
	Settles    bool       // it is the fate of the probe, or its time is over
	FromTarget bool       // the responder is the target
	Local      bool       // an error of this host itself: the probe did not leave it
	Late       bool       // it came after the timeout
	Duplicate  bool       // an answer came before
	Suspect    bool       // of Silent: this host's own socket may have lost the answer
	Responder  netip.Addr // who answered; the zero Addr where nobody did
	Sent       time.Time
	RTT        time.Duration
	MTU        int   // of TooBig, in bytes; 0: it does not say
	Err        error // of Silent: why nothing can be received
}

// Answered returns when the answer came.
func (o *Observation) Answered() time.Time { return o.Sent.Add(o.RTT) }

// Plan is a strategy at work, in the driver's eyes.
//
// A probe that Next returned waits until the rates allow that it leaves, and is then
// either sent, or refused, or recalled.
type Plan interface {
	// Next returns the probe that may leave now, as often as there is one. Where
	// there is none, wake is when to ask again; the zero time if only an
	// observation, or what becomes of a probe that waits, can tell.
	Next(now time.Time) (p Probe, ok bool, wake time.Time)

	// Wants reports whether a probe that waits is still to leave. If not, it is
	// recalled.
	Wants(k Key) bool

	// Recall notes that a probe does not leave. Next may return it again.
	Recall(k Key)

	// Sent notes that the system took a probe.
	Sent(k Key, at time.Time)

	// Refused notes that the system did not take it, and why. It has met its fate.
	Refused(k Key, err error, now time.Time)

	// Observe notes what became known of a probe.
	Observe(now time.Time, o *Observation)

	// Alone reports whether only one probe may be in flight, because answers do not
	// say which one they are to (stop-and-wait). The driver then asks for the next
	// one when nothing is in flight, when no answer to an earlier probe can come any
	// more, and when no other plan of that kind probes the target: a plan keeps no
	// Holdoff for that.
	Alone() bool

	// Done reports whether nothing more is to be sent or waited for.
	Done() bool
}

// Prompt is embedded by a plan that needs neither stop-and-wait nor to recall a
// probe that waits.
type Prompt struct{}

// Wants reports true.
func (Prompt) Wants(Key) bool { return true }

// Recall is not called.
func (Prompt) Recall(Key) {}

// Alone reports false.
func (Prompt) Alone() bool { return false }
