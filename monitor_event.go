package icmplib

import (
	"net/netip"
	"time"
)

// Event is something that a Monitor noticed.
type Event struct {
	Kind  EventKind // what happened
	Time  time.Time // when it happened, as far as the probes can tell
	Round int       // the ordinal of that round, from 1

	// Distance is the hop of an EventRouteChange, and From and To are who
	// answered there before and who does now. The zero Addr stands for nobody:
	// the way has become longer or shorter.
	Distance int
	From, To netip.Addr

	// Duration is how long the outage lasted that an EventRecovery ends: from
	// the sending of the first probe that was lost to that of the first one that
	// was answered.
	Duration time.Duration
}

// EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	EventRouteChange EventKind = iota + 1 // another router answers at a hop
	EventOutage                           // the target has ceased to answer
	EventRecovery                         // it answers again
)

var eventWords = [...]string{"unknown", "route-change", "outage", "recovery"}

// String returns the kind in a word, such as "outage".
func (k EventKind) String() string {
	return wordOf(k, eventWords[:], eventWords[0])
}

// MarshalText returns the word, for JSON and its like.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText sets k to the kind whose word is given. An unknown word is an
// error.
func (k *EventKind) UnmarshalText(word []byte) error {
	return setByWord(k, eventWords[:], EventRouteChange, word, "kind of event")
}
