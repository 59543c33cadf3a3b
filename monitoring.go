package icmplib

import (
	"context"
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/watch"
)

// monitoring is a route that is being watched: a task of the driver. It keeps the
// statistics of the hops, and what became known since the last snapshot.
type monitoring struct {
	watch.Plan
	p     *Prober
	opts  MonitorOptions
	line  drive.Line
	name  string
	yield func(*Snapshot) bool

	hops    []watchedHop // from FirstHop on
	results []Result
	ended   bool  // the last round was handed out
	failed  error // why the monitoring cannot go on
}

// watchedHop is what is known of a hop.
type watchedHop struct {
	Hop
	since int // the round from which on its probes count
}

// newMonitoring does all that can fail before anything is sent.
func (p *Prober) newMonitoring(ctx context.Context, target string, o *MonitorOptions) (*monitoring, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	dst, pool, err := p.aim(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	return &monitoring{p: p, opts: opts, name: target, line: drive.Line{Pool: pool, Dst: dst, Flow: opts.Packet.flow()}}, nil
}

// each watches the route and calls yield with each snapshot, until the last round is
// over, yield returns false or ctx ends.
func (t *monitoring) each(ctx context.Context, yield func(*Snapshot) bool) error {
	pk := &t.opts.Packet
	d := t.p.driver(drive.Config{
		Timeout: t.opts.Timeout, Ends: isConfigError, Listens: t.Listens, OnePort: pk.Protocol == TCP && pk.SourcePort != 0,
	})
	defer d.Close()
	cfg := t.p.opConfig(pk, t.opts.Timeout, t.line.Dst)
	cfg.Unclear = true
	t.line.Op, t.yield = d.NewOp(cfg), yield
	t.Plan = watch.New(t.opts.watch(), time.Now())
	d.Add(t)
	if err := d.Run(ctx); err != nil {
		return err
	}
	return t.failed
}

// watch returns the options as the strategy takes them.
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

// Next has the driver look again at once when the round is over. Otherwise it wakes on a
// grid that all Monitors of the Prober share: to watch many routes costs half as much
// where their probes leave together.
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

// The grid of Monitors. An interval is kept on it: no delay adds to the one before.
const (
	maxMonitorTick   = 5 * time.Millisecond
	ticksPerInterval = 200
)

// Done reports whether the last round was handed out.
func (t *monitoring) Done() bool { return t.ended }

// Line returns what all probes leave by.
func (t *monitoring) Line(*plan.Probe) (*drive.Line, error) { return &t.line, nil }

// Refused keeps what the system says against a probe.
func (t *monitoring) Refused(k plan.Key, err error, now time.Time) {
	e := t.Entry(k)
	r := refusedResult(t.line.Dst, e.Round-1, k.Hop(), err)
	t.Plan.Refused(k, err, now)
	t.add(&r, &e)
}

// Heard keeps what became known of a probe.
func (t *monitoring) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	if o.Fate == engine.Unclear {
		t.Observe(now, &plan.Observation{Key: k, Kind: plan.Unclear})
		return
	}
	r := t.p.outcome(o, t.line.Dst, t.opts.Packet.Protocol)
	t.note(k, &r, o.Fate.Settles(), now)
}

// note keeps a result of a probe, but for the silence of one that is discarded.
func (t *monitoring) note(k plan.Key, r *Result, settles bool, now time.Time) {
	e := t.Entry(k)
	r.Seq = e.Round - 1
	seen := observation(k, r, settles)
	t.Observe(now, &seen)
	switch {
	case !e.Discarded || seen.Kind != plan.Silent:
		t.add(r, &e)
	case e.Counts:
		t.hop(e.Hop).Stats.rtts.Skip(e.Ordinal)
	}
}

// add adds a result to those of the round, and to its hop.
func (t *monitoring) add(r *Result, e *watch.Entry) {
	t.results = append(t.results, *r)
	if e.Counts {
		t.hop(e.Hop).addLatest(r, e.Ordinal)
	}
}

// hop returns what is known of a hop, as far as it is not forgotten.
func (t *monitoring) hop(index int) *watchedHop {
	for len(t.hops) <= index {
		t.hops = append(t.hops, watchedHop{})
	}
	h := &t.hops[index]
	if since := t.Since(index); h.since != since {
		*h = watchedHop{since: since, Hop: Hop{Distance: t.Distance(index), Status: StatusNoReply}}
		h.receiveEveryAnswer()
	}
	return h
}

// HasNews reports whether a round is to be handed out.
func (t *monitoring) HasNews() bool { return t.Plan.Done() && !t.ended }

// Hand hands it out, and begins the next.
func (t *monitoring) Hand() (goOn bool) {
	if !t.yield(t.snapshot(time.Now())) {
		return false
	}
	if t.ended = t.IsLast(); !t.ended {
		t.Begin(time.Now())
	}
	return true
}

// End hands out what is known of a round that is cut short, with the probes in flight
// as unsettled.
func (t *monitoring) End(err error) (goOn bool) {
	if err == nil {
		return true
	}
	if isConfigError(err) {
		t.failed = err
	}
	for k, e := range t.InFlight() {
		r := Result{Dst: t.line.Dst, Status: StatusUnsettled, Seq: e.Round - 1, TTL: k.Hop(), Sent: e.Sent}
		t.add(&r, &e)
	}
	return len(t.results) == 0 || t.yield(t.snapshot(time.Now()))
}

// snapshot returns what is known at the end of a round. What it shares with t does not
// change any more.
func (t *monitoring) snapshot(now time.Time) *Snapshot {
	n, why := t.Show()
	s := &Snapshot{Round: t.Round(), Time: now, Results: t.results, Events: eventsOf(t.Events())}
	s.Address, s.Name, s.Reached, s.End = t.line.Dst, t.name, t.Reached(), RouteEnd(why)
	t.results = nil
	s.Hops = make([]Hop, n)
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
		compareQuotes(&t.opts.Packet, i, func(j int) *Hop { return &s.Hops[j] })
	}
	if n > 0 {
		s.Hops[n-1].End = s.End
	}
	return s
}

// eventsOf returns what a strategy noticed.
func eventsOf(noticed []watch.Event) (all []Event) {
	for _, e := range noticed {
		all = append(all, Event{Kind: EventKind(e.Kind), Time: e.Time, Round: e.Round, Distance: e.Hop, From: e.From, To: e.To, Duration: e.Duration})
	}
	return all
}
