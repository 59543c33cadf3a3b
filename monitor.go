package icmplib

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/hosts"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/cadence"
	"github.com/goicmp/icmplib/internal/plan/watch"
	"github.com/goicmp/icmplib/internal/rewrite"
	"github.com/goicmp/icmplib/internal/words"
)

// MonitorOptions are the options of [Monitor]. Nil and the zero value mean all
// defaults.
type MonitorOptions struct {
	// Interval is the time from one round to the next; each round probes every hop once.
	// The default is 1 s, the minimum 1 ms; a negative value is refused.
	Interval time.Duration

	// Rounds is the number of rounds. By default, the Monitor runs until ctx ends; a
	// negative value is refused.
	Rounds int

	// FirstHop and MaxHops are the first and the last TTL, from 1 to 255. The defaults are
	// 1, and 30 or FirstHop, whichever is greater.
	FirstHop int
	MaxHops  int

	// Timeout is how long a probe waits for its answer. The default is 2 s and the maximum
	// 1 h; a negative value is refused.
	Timeout time.Duration

	// Outage is the number of consecutive silent probes to the target that make an outage.
	// The default is 3; a negative value turns the events of outages off.
	Outage int

	// Family chooses among the addresses of a name. The default, [AnyFamily], is IPv4 if
	// this host has a route to such an address, and otherwise IPv6.
	Family Family

	// ResolveEvery is the interval at which a name is looked up again. If the name has lost
	// the address in use, the Monitor continues with its first address of the same family:
	// it cuts the round short, with the probes in flight as [StatusUnsettled], sets
	// Snapshot.Address, and begins the statistics and the search for events anew, because
	// the route is a different one; an [EventAddressChange] reports this. The count of
	// rounds continues. A failed look-up changes nothing. The default is never; a negative
	// value is refused.
	ResolveEvery time.Duration

	// Packet is the shape of the probes, as in [TracerouteOptions].
	Packet Packet
}

// The defaults of a Monitor.
const (
	defaultMonitorInterval = time.Second
	defaultOutage          = 3

	minMonitorInterval = time.Millisecond
)

// Monitor watches the route to a host, given by name or address, as mtr does. It yields a
// [Snapshot] at the end of each round. Calls share their sockets, which are open only while
// a call runs; a [Prober] keeps them open. For details, see [Prober.Monitor].
func Monitor(ctx context.Context, target string, opts *MonitorOptions) iter.Seq2[*Snapshot, error] {
	return overShared(func(p *Prober) iter.Seq2[*Snapshot, error] { return p.Monitor(ctx, target, opts) })
}

// Monitor watches the route to a host. Each round probes every hop up to the target
// once, spread over the interval, and yields a [Snapshot], which the caller may keep.
// Until the target has answered, it also probes hops beyond the farthest one that
// answered. Its memory does not grow with the number of rounds. Any number of calls may
// run at once, one for each target.
//
// A name is resolved at the start, and again every MonitorOptions.ResolveEvery. Silence,
// ICMP errors and packets that the system refuses to send are data in the Snapshot; an
// [Event] reports what follows from them.
//
// The last of MonitorOptions.Rounds ends when all of its probes are settled. An error
// ends the sequence, as in [Prober.PingSeq]: if ctx ends, Monitor yields the round that
// was cut short, with the probes in flight as [StatusUnsettled], and then the context's
// cause. Leaving the loop ends the monitoring. The loop drives the sending: no probe
// leaves while its body runs, and missed probes are not made up for.
func (p *Prober) Monitor(ctx context.Context, target string, opts *MonitorOptions) iter.Seq2[*Snapshot, error] {
	return sequence(func(yield func(*Snapshot) bool) error {
		run, err := p.newMonitoring(ctx, target, opts)
		if err != nil {
			return err
		}
		return run.each(ctx, yield)
	})
}

// withDefaults returns the options with all defaults filled in, or an error if they cannot
// be used.
func (o *MonitorOptions) withDefaults() (MonitorOptions, error) {
	opts := given(o)
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
	return cmp.Or(
		validateUnit("Interval", o.Interval),
		refuse(o.Interval < minMonitorInterval, "Interval", o.Interval, "1 ms or more, or 0 for the default of 1 s"),
		refuse(o.Rounds < 0, "Rounds", o.Rounds, "a number of rounds, or 0 for no end"),
		refuse(o.Packet.TTL != 0, "TTL", o.Packet.TTL, "0: a monitor sets it"),
		refuse(o.ResolveEvery < 0, "ResolveEvery", o.ResolveEvery, "an interval, or 0 for never"),
		validateUnit("ResolveEvery", o.ResolveEvery),
		validateHops(o.FirstHop, o.MaxHops),
		validateProbing(o.Timeout, o.Family, &o.Packet),
	)
}

// Event is a change that a Monitor reports.
type Event struct {
	Kind  EventKind // what happened
	Time  time.Time // when it happened, as far as the probes can tell
	Round int       // the ordinal of the round in which it happened, from 1

	// Distance is the hop of an EventRouteChange. From answered there before, and To
	// answers now. The zero Addr means no address: the path became longer or shorter. In an
	// EventAddressChange, From and To are the old and the new address of the target.
	Distance int
	From, To netip.Addr

	// Duration is the duration of the outage that an EventRecovery ends: from the sending
	// of the first lost probe to that of the first answered one.
	Duration time.Duration
}

// EventKind is the kind of an [Event].
type EventKind uint8

// The kinds of events.
const (
	EventRouteChange EventKind = iota + 1 // another router answers at a hop
	EventOutage                           // the target no longer answers
	EventRecovery                         // it answers again

	// EventAddressChange is the first event after the target's name has moved to another
	// address; see MonitorOptions.ResolveEvery.
	EventAddressChange
)

var eventKinds = words.Table[EventKind]{What: "kind of event", Other: "unknown", Words: []string{"unknown", "route-change", "outage", "recovery", "address-change"}}

// String returns the kind as a word, such as "outage".
func (k EventKind) String() string { return eventKinds.String(k) }

// MarshalText returns the word, as encoding/json uses it.
func (k EventKind) MarshalText() ([]byte, error) { return eventKinds.Marshal(k) }

// UnmarshalText sets k to the kind with the given word. An unknown word is an error.
func (k *EventKind) UnmarshalText(word []byte) error { return eventKinds.Unmarshal(k, word) }

// Snapshot is what a Monitor knows at the end of a round.
type Snapshot struct {
	// Round is the ordinal of the round, from 1.
	Round int

	// Time is when the snapshot was taken.
	Time time.Time

	// Route is the current route to the target. The Stats of its hops are those of all
	// rounds.
	Route

	// Results are the results that became known since the previous snapshot: those of
	// probes of this round, and of earlier probes whose answers took longer. Result.TTL is
	// the hop, and Result.Seq the ordinal of the round minus one.
	Results []Result

	// Events are the changes since the previous snapshot, in order of time.
	Events []Event
}

// monitoring is a route that is being watched: a task of the driver that all Monitors of a
// Prober share. It keeps the statistics of the hops, and what became known since the last
// snapshot. Only the goroutine of the driver uses it, except for hand, which passes
// snapshots to the loop of the caller.
type monitoring struct {
	watch.Plan
	p     *Prober
	opts  MonitorOptions
	line  drive.Line
	name  string
	rules drive.Rules
	d     *drive.Driver
	ref   drive.Ref

	hops    []watchedHop // from FirstHop on
	results []Result
	lent    bool            // a snapshot was handed out, and the body of the loop has not ended
	ended   bool            // the last round was handed out
	gone    bool            // it has ended
	before  int             // rounds of the routes to earlier addresses of the name
	told    int             // the last round that was handed out, those included
	moved   drive.Line      // to another address of the name; see errMoved
	change  Event           // the change of the address, for the first snapshot; the zero Event: none
	left    context.Context // ends with the loop
	named   *drive.Name     // nil: it is not looked up again

	hand drive.Handover[*Snapshot] // to the loop of the caller
}

// watchedHop is the state of a hop.
type watchedHop struct {
	Hop
	since int // the round from which on its probes count
}

// newMonitoring does everything that can fail before anything is sent.
func (p *Prober) newMonitoring(ctx context.Context, target string, o *MonitorOptions) (*monitoring, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	dst, pool, err := p.aim(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	return p.monitoringOf(target, &opts, drive.Line{Pool: pool, Dst: dst, Flow: opts.Packet.flow()}), nil
}

// monitoringOf returns the monitoring of the route to an address of a target.
func (p *Prober) monitoringOf(target string, opts *MonitorOptions, line drive.Line) *monitoring {
	return &monitoring{
		p: p, opts: *opts, name: target, hand: drive.NewHandover[*Snapshot](), line: line,
		rules: drive.Rules{Timeout: opts.Timeout, Ends: isConfigError, OnePort: opts.Packet.isOnePort()},
	}
}

// errMoved is why a monitoring ends if the name has another address.
var errMoved = errors.New("the name has another address")

// each watches the route and calls yield with each snapshot, until the last round is
// over, yield returns false or ctx ends.
func (t *monitoring) each(ctx context.Context, yield func(*Snapshot) bool) error {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	for {
		t.left = ctx
		if err := t.hand.Run(ctx, &t.p.crowd, t.begin, t.goOn, yield); err != errMoved {
			return err
		}
		opts, told := t.opts, t.told
		if opts.Rounds > 0 {
			if opts.Rounds -= told - t.before; opts.Rounds <= 0 {
				return nil
			}
		}
		change := Event{Kind: EventAddressChange, Time: time.Now(), Round: told + 1, From: t.line.Dst, To: t.moved.Dst}
		t = t.p.monitoringOf(t.name, &opts, t.moved)
		t.before, t.told, t.change = told, told, change
	}
}

// begin begins the first round. The goroutine of the driver calls it and the methods below.
func (t *monitoring) begin(d *drive.Driver) drive.Ref {
	if d.Full() {
		t.hand.End(errTooMany)
		return t.ref
	}
	cfg := t.p.opConfig(&t.opts.Packet, t.opts.Timeout, t.line.Dst)
	cfg.Unclear = true
	t.line.Op = d.Borrow(cfg)
	t.d, t.Plan = d, watch.New(t.opts.watch(), time.Now())
	t.ref = d.AddBy(t, &t.rules, t.line.Dst)
	if _, err := netip.ParseAddr(t.name); err == nil || t.opts.ResolveEvery == 0 {
		return t.ref
	}
	if d.Full() {
		d.Cut(t.ref, errTooMany)
		return t.ref
	}
	now, every := time.Now(), t.opts.ResolveEvery
	family := familyOf(t.line.Dst)
	t.named = &drive.Name{
		Renewal: cadence.NewRenewal(cadence.Beat{Epoch: now, Interval: every, Phase: every}, 0, true, now),
		Find: func(ctx context.Context) ([]netip.Addr, error) {
			return t.p.resolveFor(ctx, t.name, family, &t.opts.Packet)
		},
		Until: t.left, Found: t.follow,
	}
	d.Renew(t.named)
	return t.ref
}

// follow ends the monitoring if the name has lost the address, and there is a socket for
// the new one.
func (t *monitoring) follow(addrs []netip.Addr, err error) {
	if t.gone || err != nil {
		return
	}
	dst, moved := hosts.Moved(addrs, t.line.Dst)
	if !moved {
		return
	}
	if pool, err := t.p.poolFor(&t.opts.Packet, dst); err == nil {
		t.moved = drive.Line{Pool: pool, Dst: dst, Flow: t.line.Flow}
		t.d.Cut(t.ref, errMoved)
	}
}

// goOn begins the next round when the body of the loop has ended.
func (t *monitoring) goOn() {
	t.next()
	t.d.Look(t.ref)
}

// next begins the next round if the one before was handed out.
func (t *monitoring) next() {
	if t.lent {
		t.lent = false
		t.Begin(time.Now())
	}
}

// watch returns the options in the form of the strategy.
func (o *MonitorOptions) watch() watch.Config {
	return watch.Config{
		FirstHop: o.FirstHop, MaxHops: o.MaxHops, Interval: o.Interval, Timeout: o.Timeout,
		Rounds: o.Rounds, Outage: o.Outage, NoPath: isNoPath,
	}
}

// isNoPath reports whether a packet was refused because there is no path to its
// destination.
func isNoPath(err error) bool {
	switch refusedStatus(err) {
	case StatusNetworkUnreachable, StatusUnreachable, StatusNetworkDown, StatusHostDown:
		return true
	}
	return false
}

// Attention returns how soon answers matter: when something is due anyway, unless the next
// probe, or the end of the last round, depends on them.
func (t *monitoring) Attention() drive.Attention {
	switch {
	case t.Plan.Alone(), t.IsLast():
		return drive.AtOnce
	case t.Listens():
		return drive.Soon
	}
	return drive.WhenDue
}

// Next makes the driver look again at once when the round is over. Otherwise it wakes on a
// grid that all Monitors of the Prober share, because watching many routes costs half as
// much if their probes leave together.
func (t *monitoring) Next(now time.Time) (probe plan.Probe, ok bool, wake time.Time) {
	probe, ok, wake = t.Plan.Next(now)
	switch {
	case t.HasNews():
		wake = now
	case !wake.IsZero():
		tick := min(maxMonitorTick, t.opts.Interval/ticksPerInterval)
		if late := wake.Sub(t.p.made) % tick; late != 0 {
			wake = wake.Add(tick - late)
		}
	}
	return probe, ok, wake
}

// The grid of Monitors. Intervals are exact on it: delays do not add up.
const (
	maxMonitorTick   = 5 * time.Millisecond
	ticksPerInterval = 200
)

// Done reports whether the last round was handed out.
func (t *monitoring) Done() bool { return t.ended }

// Line returns the line that all probes use.
func (t *monitoring) Line(*plan.Probe) (*drive.Line, error) { return &t.line, nil }

// Refused notes that the system refused a probe.
func (t *monitoring) Refused(k plan.Key, err error, now time.Time) {
	e := t.Entry(k)
	r := refusedResult(t.line.Dst, t.seq(&e), k.Hop(), err)
	t.Plan.Refused(k, err, now)
	t.add(&r, &e)
}

// Heard notes a result of a probe.
func (t *monitoring) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	if o.Fate == engine.Unclear {
		t.Observe(now, &plan.Observation{Key: k, Kind: plan.Unclear})
		return
	}
	var r Result
	t.p.outcome(&r, o, t.line.Dst, t.opts.Packet.Protocol)
	t.note(k, &r, o.Fate.Settles(), now)
}

// note keeps a result of a probe, except for the silence of a discarded probe.
func (t *monitoring) note(k plan.Key, r *Result, settles bool, now time.Time) {
	e := t.Entry(k)
	r.Seq = t.seq(&e)
	seen := observation(k, r, settles)
	t.Observe(now, &seen)
	switch {
	case !e.Discarded || seen.Kind != plan.Silent:
		t.add(r, &e)
	case e.Counts:
		t.hop(e.Hop).Stats.rtts.Skip(e.Ordinal)
	}
}

// seq returns the ordinal of the round of a probe, from 0.
func (t *monitoring) seq(e *watch.Entry) int { return t.before + e.Round - 1 }

// add adds a result to those of the round, and to its hop.
func (t *monitoring) add(r *Result, e *watch.Entry) {
	t.results = append(t.results, *r)
	if e.Counts {
		t.hop(e.Hop).addLatest(r, e.Ordinal)
	}
}

// hop returns the state of a hop, unless the strategy has forgotten it: then the hop
// begins anew.
func (t *monitoring) hop(index int) *watchedHop {
	for len(t.hops) <= index {
		t.hops = append(t.hops, watchedHop{})
	}
	h := &t.hops[index]
	if since := t.Since(index); h.since != since {
		*h = watchedHop{since: since, Hop: Hop{Distance: t.Distance(index), Status: StatusNoReply}}
	}
	return h
}

// HasNews reports whether a round is ready to be handed out.
func (t *monitoring) HasNews() bool { return t.Plan.Done() && !t.lent && !t.ended }

// Hand hands out the round. No probe leaves until the body of the loop has ended; goOn then
// begins the next round.
func (t *monitoring) Hand() (goOn bool) {
	t.hand.Put(t.snapshot(time.Now()))
	t.ended = t.IsLast()
	t.lent = !t.ended
	return true
}

// End hands out what is known of a round that is cut short, with the probes in flight
// as unsettled.
func (t *monitoring) End(err error) (goOn bool) {
	defer t.hand.End(err)
	t.d.GiveBack(t.line.Op)
	t.gone = true
	if t.named != nil {
		t.named.Stop()
	}
	if err == nil || err == drive.ErrLeft {
		return true
	}
	t.next()
	for k, e := range t.InFlight() {
		r := Result{Dst: t.line.Dst, Status: StatusUnsettled, Seq: t.seq(&e), TTL: k.Hop(), Sent: e.Sent}
		t.add(&r, &e)
	}
	if len(t.results) > 0 {
		t.hand.Put(t.snapshot(time.Now()))
	}
	return true
}

// snapshot returns what is known at the end of a round. The parts that it shares with t no
// longer change.
func (t *monitoring) snapshot(now time.Time) *Snapshot {
	n, why := t.Show()
	s := &Snapshot{Round: t.before + t.Round(), Time: now, Results: t.results, Events: eventsOf(t.Events(), t.before)}
	if t.change.Kind != 0 {
		s.Events, t.change = append([]Event{t.change}, s.Events...), Event{}
	}
	t.told = s.Round
	s.Address, s.Name, s.Reached, s.End = t.line.Dst, t.name, t.Reached(), RouteEnd(why)
	t.results = make([]Result, 0, len(s.Results)) // the next round has as many
	s.Hops = make([]Hop, n)
	var path rewrite.Path
	for i := range s.Hops {
		h, from := &s.Hops[i], t.hop(i)
		*h = from.Hop
		h.Stats = from.Stats.Snapshot()
		h.Responders = slices.Clone(from.Responders)
		h.Address = t.Address(i)
		for j := range h.Responders {
			if e := &h.Responders[j]; e.Address == h.Address {
				h.ReturnDistance = returnDistance(e.ReplyTTL)
			}
		}
		h.follow(&path, &t.opts.Packet)
	}
	if n > 0 {
		s.Hops[n-1].End = s.End
	}
	return s
}

// eventsOf translates the events of a strategy that began after so many rounds.
func eventsOf(noticed []watch.Event, before int) (all []Event) {
	for _, e := range noticed {
		all = append(all, Event{Kind: EventKind(e.Kind), Time: e.Time, Round: before + e.Round, Distance: e.Hop, From: e.From, To: e.To, Duration: e.Duration})
	}
	return all
}

// LogValue returns the round, what [Route.LogValue] returns, and the numbers of results and
// events.
func (s Snapshot) LogValue() slog.Value {
	a := fields.Attrs{slog.Int("round", s.Round)}
	logRoute(&a, &s.Route)
	a.Count("results", len(s.Results))
	a.Count("events", len(s.Events))
	return a.Group()
}

// LogValue returns the fields that are set.
func (e Event) LogValue() slog.Value {
	a := fields.Attrs{slog.String("kind", e.Kind.String()), slog.Int("round", e.Round)}
	a.Count("distance", e.Distance)
	a.Addr("from", e.From)
	a.Addr("to", e.To)
	a.Duration("duration", e.Duration)
	return a.Group()
}
