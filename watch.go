package icmplib

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/goicmp/icmplib/internal/backlog"
	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/names"
	"github.com/goicmp/icmplib/internal/words"
)

// WatchProbing defines how a host is probed. Zero fields mean the defaults.
type WatchProbing struct {
	// Interval is the time from one probe of an address to the next. The default is 1 s,
	// the minimum 1 ms.
	Interval time.Duration

	// Timeout is the time that an answer may take. The default is 2 s, the maximum 1 h.
	Timeout time.Duration

	// Family selects the addresses of a name. The default is [AnyFamily]: the first
	// look-up decides, and the decision is kept.
	Family Family

	// AllAddresses makes the Watch probe all addresses of a name. By default it probes only
	// the first one, which stays in use while the name has it: the order of the addresses
	// in an answer means nothing.
	AllAddresses bool

	// ResolveEvery is the interval at which a name is looked up again. The default is
	// 1 min; a negative value means never. A failed look-up changes nothing and is repeated
	// after 10 s. Only the answer that the name does not exist removes its addresses.
	ResolveEvery time.Duration

	// DownAfter is the number of consecutive unanswered probes after which an address
	// counts as down. The default is 3.
	DownAfter int

	// NewIDAfter is the number of consecutive silent probes after which an address is
	// probed with another id, because a firewall or an address translator may keep a broken
	// session for the old one. If a change does not help, the next one follows after twice
	// as many probes. The default is 10; a negative value means never. It has no effect if
	// Packet has a SourcePort.
	NewIDAfter int

	// Packet is the shape of the probes.
	Packet Packet
}

// WatchTarget is a host to watch.
type WatchTarget struct {
	// Host is a name or an address.
	Host string

	// ID identifies the target, and is unique in a set. The default is Host.
	ID string

	// Value is any value of the caller; each event returns it.
	Value any

	// Probing defines how it is probed; nil means WatchOptions.Probing.
	Probing *WatchProbing
}

// WatchOptions are the options of a [Watch]. Nil and the zero value mean all defaults.
type WatchOptions struct {
	// Probing applies to all targets without their own.
	Probing WatchProbing

	// Buffer is the number of events that may wait for the consumer. The default is 65,536.
	// If there is no room, results are dropped and counted in WatchEvent.Missed. For
	// changes (all other kinds of events) there is room for that many more.
	Buffer int

	// Lookup, if not nil, finds the addresses of all hosts instead of the Prober's
	// resolver, for example in a registry of services. A [net.DNSError] with IsNotFound, or
	// an answer without an address of the family, removes the addresses. Its context ends
	// after 10 s, or when the Watch is closed; Close waits for Lookup to return.
	Lookup func(ctx context.Context, host string, family Family) ([]netip.Addr, error)
}

// WatchKind is the kind of a [WatchEvent].
type WatchKind uint8

// The kinds of a WatchEvent.
const (
	WatchResult       WatchKind = iota // a result of a probe, as PingSeq yields it
	WatchUp                            // an address answers, for the first time or again
	WatchDown                          // DownAfter probes of it in a row were not answered
	WatchAdded                         // an address is probed from now on
	WatchGone                          // an address is no longer probed
	WatchNewID                         // an address is probed with another id: see NewIDAfter
	WatchLookupFailed                  // a name was not resolved; Err says why
)

var watchKinds = words.Table[WatchKind]{Type: "WatchKind", Words: []string{"result", "up", "down", "added", "gone", "new-id", "lookup-failed"}}

// String returns "result", "up", "down", "added", "gone", "new-id" or "lookup-failed", and
// "WatchKind(n)" for a value without a word.
func (k WatchKind) String() string { return watchKinds.String(k) }

// WatchEvent is a result or a change of a watched host.
type WatchEvent struct {
	Kind    WatchKind  // what happened
	Time    time.Time  // when it became known
	ID      string     // of the WatchTarget, as are Host and Value
	Host    string     // as given
	Value   any        // the caller's
	Address netip.Addr // the address that it is about; the zero Addr: it is about the name
	Result  Result     // of a WatchResult; of WatchUp and WatchDown the one that caused it
	Err     error      // of a WatchLookupFailed

	// Missed is the number of results of any target that were dropped before this event:
	// see WatchOptions.Buffer. Those after the last event come with the error that ends
	// the sequence of a closed Watch.
	Missed int
}

// LogValue returns the fields that are set, with the Result as text.
func (e WatchEvent) LogValue() slog.Value {
	a := fields.Attrs{slog.String("kind", e.Kind.String()), slog.String("host", e.Host)}
	if e.ID != e.Host {
		a = append(a, slog.String("id", e.ID))
	}
	a.Addr("address", e.Address)
	if e.Result.Dst.IsValid() {
		a.Text("result", e.Result.String())
	}
	a.Error("error", e.Err)
	a.Count("missed", e.Missed)
	return a.Group()
}

// The defaults of a Watch.
const (
	defaultWatchInterval = time.Second
	defaultResolveEvery  = time.Minute
	defaultDownAfter     = 3
	defaultNewIDAfter    = 10
	defaultWatchBuffer   = 1 << 16
)

// A Watch probes any number of hosts until it is closed, each at its own interval, evenly
// spread over time. The set of hosts can be replaced while it runs.
//
// It sends on a goroutine of the Prober, so a slow consumer of its events delays no probe.
// Several goroutines may use it at once.
type Watch struct {
	p    *Prober
	opts WatchOptions
	d    *drive.Driver
	run  *watchRun

	closed context.Context // ends when Close is called
	close  context.CancelFunc
	ending sync.Once
	done   chan struct{} // closed when nothing of the Watch runs any more

	events *backlog.Queue[WatchEvent]
}

// NewWatch returns a Watch without hosts: call [Watch.Set] to add them. It must be closed.
// The error is a [*ConfigError], or [net.ErrClosed] for a closed Prober.
func (p *Prober) NewWatch(opts *WatchOptions) (*Watch, error) {
	o := given(opts)
	var err error
	o.Probing, err = o.Probing.withDefaults()
	if err = cmp.Or(err, refuse(o.Buffer < 0, "Buffer", o.Buffer, "1 or more, or 0 for the default of 65536")); err != nil {
		return nil, err
	}
	o.Buffer = cmp.Or(o.Buffer, defaultWatchBuffer)
	if p.closed == nil {
		return nil, errNotMade
	}
	closed, closeIt := context.WithCancel(context.Background())
	w := &Watch{
		p: p, opts: o, d: p.crowd.Enter(), closed: closed, close: closeIt,
		done: make(chan struct{}), events: backlog.New(o.Buffer, func(e *WatchEvent) *int { return &e.Missed }),
	}
	w.run = newWatchRun(w, w.d)
	return w, nil
}

// Set replaces the targets. Unchanged targets continue undisturbed; their Value may change.
// A new target is first probed within its interval.
//
// If a target cannot be watched, Set changes nothing and returns a [*ConfigError]. It
// returns [net.ErrClosed] if the Watch or its Prober is closed. Set does not wait for names
// to be resolved.
func (w *Watch) Set(targets []WatchTarget) error {
	if w.p == nil {
		return errWatchNotMade
	}
	wanted := make([]*watchTarget, 0, len(targets))
	ids := make(map[string]bool, len(targets))
	for i := range targets {
		t, err := w.target(targets[i])
		if err != nil {
			return err
		}
		if ids[t.ID] {
			return &ConfigError{Field: "ID", Value: t.ID, Allowed: "one that no other target has: give those of one Host different IDs"}
		}
		ids[t.ID] = true
		wanted = append(wanted, t)
	}
	if w.closed.Err() != nil || !w.d.Do(func() { w.run.exchange(wanted) }) {
		return net.ErrClosed
	}
	return nil
}

// errWatchNotMade is the error of the zero Watch.
var errWatchNotMade = errors.New("the Watch was not made by NewWatch: call Prober.NewWatch")

// target checks a target and fills in the defaults.
func (w *Watch) target(t WatchTarget) (*watchTarget, error) {
	probing := w.opts.Probing
	if t.Probing != nil {
		var err error
		if probing, err = t.Probing.withDefaults(); err != nil {
			return nil, err
		}
	}
	t.ID, t.Probing = cmp.Or(t.ID, t.Host), nil
	addr, err := netip.ParseAddr(t.Host)
	if err != nil && w.opts.Lookup == nil {
		if err := names.Check(t.Host); err != nil {
			return nil, &ConfigError{Field: "Host", Value: t.Host, Allowed: "the name of a host, or an address"}
		}
	}
	if addr.IsValid() && !names.Family(probing.Family).Includes(addr) {
		return nil, &ConfigError{Field: "Host", Value: t.Host, Allowed: "an address of " + probing.Family.String()}
	}
	if addr.IsValid() {
		if _, err := probing.Packet.key(&w.p.cfg, addr.Unmap()); err != nil {
			return nil, err
		}
	}
	return &watchTarget{WatchTarget: t, probing: probing, literal: addr}, nil
}

// Events yields events in the order in which they became known. After a loop was left, or
// its ctx has ended, the next loop continues where it stopped; loops that run at the same
// time share the events.
//
// An error ends the sequence: the cause of ctx as soon as that ends, or [net.ErrClosed]
// when the Watch or its Prober is closed and all events are taken. In the event that comes
// with an error, only Missed is set.
func (w *Watch) Events(ctx context.Context) iter.Seq2[WatchEvent, error] {
	return func(yield func(WatchEvent, error) bool) {
		if w.p == nil {
			yield(WatchEvent{}, errWatchNotMade)
			return
		}
		missed, err := w.events.Each(ctx, w.done, w.d.Ended(), func(e WatchEvent) bool { return yield(e, nil) })
		if err != nil {
			yield(WatchEvent{Missed: missed}, err)
		}
	}
}

// Close stops the Watch. When it returns, nothing of the Watch runs any more;
// [Watch.Events] still yields the remaining events. The Prober stays open.
func (w *Watch) Close() {
	if w.p == nil {
		return // it was not made
	}
	w.ending.Do(func() {
		w.close()
		if w.d.Do(w.run.end) {
			select {
			case <-w.run.idle:
			case <-w.d.Ended():
			}
		}
		w.p.crowd.Leave()
		close(w.done)
	})
}

// withDefaults returns the options with all defaults filled in, or an error if they cannot
// be used.
func (o WatchProbing) withDefaults() (WatchProbing, error) {
	if err := cmp.Or(
		refuse(o.Interval < 0 || o.Interval > 0 && o.Interval < time.Millisecond, "Interval", o.Interval, "1ms or more, or 0 for the default of 1s"),
		refuse(o.DownAfter < 0, "DownAfter", o.DownAfter, "1 or more, or 0 for the default of 3"),
		validateUnit("ResolveEvery", o.ResolveEvery), validateProbing(o.Timeout, o.Family, &o.Packet),
	); err != nil {
		return o, err
	}
	o.Packet.Payload = slices.Clone(o.Packet.Payload) // the caller may reuse its slice
	o.Interval = cmp.Or(o.Interval, defaultWatchInterval)
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.ResolveEvery = orDefault(o.ResolveEvery, defaultResolveEvery)
	o.DownAfter = cmp.Or(o.DownAfter, defaultDownAfter)
	switch {
	case o.NewIDAfter < 0 || o.Packet.SourcePort != 0:
		o.NewIDAfter = 0
	case o.NewIDAfter == 0:
		o.NewIDAfter = defaultNewIDAfter
	}
	return o, nil
}
