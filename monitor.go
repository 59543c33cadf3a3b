package icmplib

import (
	"cmp"
	"context"
	"iter"
	"net/netip"
	"time"
)

// MonitorOptions says how to watch a route. Nil and the zero value mean all
// defaults.
type MonitorOptions struct {
	// Interval is the time from one round to the next: in each round, every hop
	// is probed once. The default is 1 s, the least 1 ms; a negative value is
	// refused.
	Interval time.Duration

	// Rounds is after how many rounds to end. The default is not to end before
	// ctx does; a negative value is refused.
	Rounds int

	// FirstHop and MaxHops are the first and the last TTL that is tried, from 1
	// to 255. The defaults are 1, and 30 or FirstHop where that is more.
	FirstHop int
	MaxHops  int

	// Timeout is how long a probe waits for its answer. The default is 2 s, the
	// most 1 h, and a negative value is refused.
	Timeout time.Duration

	// Outage is the number of silent probes to the target, one after the other,
	// that make an outage. The default is 3; a negative value means that there
	// are no events of outages.
	Outage int

	// Family chooses among the addresses of a name. The default is
	// [AnyFamily]: IPv4 where this host has a route to such an address, else
	// IPv6.
	Family Family

	// Packet is the shape of the probes, as in [TracerouteOptions].
	Packet Packet
}

// The defaults of a Monitor.
const (
	defaultMonitorInterval = time.Second
	defaultOutage          = 3

	minMonitorInterval = time.Millisecond
)

// Monitor watches the way to a host, a name or an address: mtr's continuous
// mode. It yields a [Snapshot] at the end of each round. Calls share their
// sockets, which are open only while a call runs; see [Prober] for one that
// keeps them. See [Prober.Monitor] for the rest.
func Monitor(ctx context.Context, target string, opts *MonitorOptions) iter.Seq2[*Snapshot, error] {
	return overShared(func(p *Prober) iter.Seq2[*Snapshot, error] { return p.Monitor(ctx, target, opts) })
}

// Monitor watches the way to a host. In each round every hop up to the target is
// probed once, spread over the interval; then a [Snapshot] is yielded, which is
// the caller's to keep. As long as it is not known where the way ends, hops are
// probed ahead of the farthest one that answered. What it takes of memory does
// not grow with the number of rounds. Any number of calls may run at once, one
// for each target.
//
// A name is resolved once, at the beginning. Silence, ICMP errors and packets
// that the system refuses to send are data in the Snapshot; see [Event] for what
// is made of them.
//
// The last of MonitorOptions.Rounds ends when all of its probes have their
// fates. An error ends the sequence, as in [Prober.PingSeq]: when ctx ends,
// first what is known of the round that was cut short is yielded, the probes in
// flight as [StatusUnsettled], and then the context's cause. Leaving the loop
// ends the monitoring. The loop drives the sending: no probe leaves while its
// body runs, and what was missed is not made up for.
func (p *Prober) Monitor(ctx context.Context, target string, opts *MonitorOptions) iter.Seq2[*Snapshot, error] {
	return func(yield func(*Snapshot, error) bool) {
		run, err := p.newMonitoring(ctx, target, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		yieldEach(yield, func(yield func(*Snapshot) bool) error { return run.each(ctx, yield) })
	}
}

// withDefaults returns the options as they take effect, or why they cannot.
func (o *MonitorOptions) withDefaults() (MonitorOptions, error) {
	var opts MonitorOptions
	if o != nil {
		opts = *o
	}
	opts.FirstHop, opts.MaxHops = hopRange(opts.FirstHop, opts.MaxHops)
	opts.Outage = cmp.Or(opts.Outage, defaultOutage)
	opts.Interval = cmp.Or(opts.Interval, defaultMonitorInterval)
	if err := opts.validate(); err != nil {
		return opts, err
	}
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	return opts, nil
}

func (o *MonitorOptions) validate() error {
	if err := validateUnit("Interval", o.Interval); err != nil {
		return err
	}
	switch {
	case o.Interval < minMonitorInterval:
		return &ConfigError{Field: "Interval", Value: o.Interval, Allowed: "1 ms or more, or 0 for the default of 1 s"}
	case o.Rounds < 0:
		return &ConfigError{Field: "Rounds", Value: o.Rounds, Allowed: "a number of rounds, or 0 for no end"}
	case o.Packet.TTL != 0:
		return &ConfigError{Field: "TTL", Value: o.Packet.TTL, Allowed: "0: a monitor sets it"}
	}
	if err := validateHops(o.FirstHop, o.MaxHops); err != nil {
		return err
	}
	return validateProbing(o.Timeout, o.Family, &o.Packet)
}

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

// Snapshot is what a Monitor knows at the end of a round.
type Snapshot struct {
	// Round is the ordinal of the round, from 1.
	Round int

	// Time is when the snapshot was taken.
	Time time.Time

	// Route is the way to the target as it is now. The Stats of its hops are
	// those of all rounds.
	Route

	// Results are what became known since the snapshot before: of probes of
	// this round, and of earlier ones whose answers took longer. Result.TTL is
	// the hop, and Result.Seq the ordinal of the round less one.
	Results []Result

	// Events are what has changed since the snapshot before, in order of time.
	Events []Event
}
