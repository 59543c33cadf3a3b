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

	// AllAddresses makes the Watch probe all addresses of a name. The default is the
	// first, which stays in use as long as the name has it: the order of an answer means
	// nothing.
	AllAddresses bool

	// ResolveEvery is the interval at which a name is looked up again. The default is
	// 1 min; a negative value means never. A failed look-up changes nothing and is repeated
	// after 10 s. Only the answer that the name does not exist removes its addresses.
	ResolveEvery time.Duration

	// DownAfter is the number of unanswered probes in a row that make an address down. The
	// default is 3.
	DownAfter int

	// NewIDAfter is the number of silent probes in a row after which an address is probed
	// with another id, because a firewall or an address translator may keep a bad session
	// for the old one. If that does not help, the next change comes after twice as many.
	// The default is 10; a negative value means never. It has no effect if Packet has a
	// SourcePort.
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

	// Value is the caller's, and comes back with each event.
	Value any

	// Probing defines how it is probed; nil means WatchOptions.Probing.
	Probing *WatchProbing
}

// WatchOptions are the options of a [Watch]. Nil and the zero value mean all defaults.
type WatchOptions struct {
	// Probing applies to all targets without their own.
	Probing WatchProbing

	// Buffer is the number of events that may wait for the consumer. The default is
	// 65,536. If there is no room, results are dropped and counted in WatchEvent.Missed;
	// changes have the same room again.
	Buffer int

	// Lookup, if not nil, finds the addresses of all hosts instead of the Prober's
	// resolver, for example in a registry of services. A [net.DNSError] with IsNotFound, or
	// an answer without an address of the family, removes the addresses. Its context ends
	// after 10 s, and when the Watch is closed, which waits for it.
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

// String returns "result", "up", "down", "added", "gone", "new-id" or "lookup-failed",
// and "WatchKind(n)" for a value that has no word.
func (k WatchKind) String() string { return watchKinds.String(k) }

// WatchEvent is a result or a change of a watched host.
type WatchEvent struct {
	Kind    WatchKind  // what happened
	Time    time.Time  // when it became known
	ID      string     // of the target, as are Host and Value
	Host    string     // as given
	Value   any        // the caller's
	Address netip.Addr // one of its addresses; the zero Addr: it is about the name
	Result  Result     // of a WatchResult; of WatchUp and WatchDown the one that caused it
	Err     error      // of a WatchLookupFailed

	// Missed is the number of results of any target that were dropped before this event:
	// see WatchOptions.Buffer. Those after the last event come with the error that ends
	// the sequence of a closed Watch.
	Missed int
}

// LogValue returns the fields that are set; of the Result its text.
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

// A Watch probes any number of hosts for ever, each at its own interval, evenly spread. The
// set of hosts can be replaced while it runs.
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
	done   chan struct{} // closed when nothing of it runs any more

	events *backlog.Queue[WatchEvent]
}

// NewWatch returns a Watch without hosts: [Watch.Set] gives it some. It must be closed.
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
// The error is a [*ConfigError] for a target that cannot be watched, and then nothing has
// changed; or [net.ErrClosed]. Set does not wait for names to be resolved.
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

// target checks a target and fills in what is not said.
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
// its ctx ended, another one continues where it stopped; two loops at once share the
// events.
//
// An error ends the sequence: the cause of ctx as soon as that ends, or [net.ErrClosed]
// when the Watch or its Prober was closed and all events were taken. The event that comes
// with an error has only Missed.
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

// Close ends the watching. When it returns, nothing of the Watch runs any more; the
// events that it has can still be taken. The Prober stays open.
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

// withDefaults returns the options as they take effect, or why they cannot.
func (o WatchProbing) withDefaults() (WatchProbing, error) {
	if err := cmp.Or(
		refuse(o.Interval < 0 || o.Interval > 0 && o.Interval < time.Millisecond, "Interval", o.Interval, "1ms or more, or 0 for the default of 1s"),
		refuse(o.DownAfter < 0, "DownAfter", o.DownAfter, "1 or more, or 0 for the default of 3"),
		validateUnit("ResolveEvery", o.ResolveEvery), validateProbing(o.Timeout, o.Family, &o.Packet),
	); err != nil {
		return o, err
	}
	o.Packet.Payload = slices.Clone(o.Packet.Payload) // the caller's may be used again
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
