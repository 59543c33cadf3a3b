package icmplib

import (
	"cmp"
	"context"
	"iter"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/trace"
)

// tracing is the trace of one route: a task of the driver. Hops that are final go to
// yield, where that is not nil, and else into the route when it is complete.
type tracing struct {
	trace.Plan
	in    *traces
	line  drive.Line
	index int // of the target
	route *Route
	yield func(*Hop) bool

	hops   []tracedHop
	handed int   // hops that went to yield
	refuse error // why the system did not take the last of the probes that it did not
	failed error // why the trace cannot go on
}

// tracedHop is a hop and, while the first of its probes do not count (see trace.Plan),
// what was known of them.
type tracedHop struct {
	Hop
	discarded int
	before    *Hop
}

// hop returns what is known of a hop, as the plan counts its probes.
func (t *tracing) hop(index int) *tracedHop {
	for len(t.hops) <= index {
		t.hops = append(t.hops, tracedHop{Hop: newHop(t.in.trace.FirstHop + len(t.hops))})
	}
	h := &t.hops[index]
	n, _ := t.Discarded(index)
	switch {
	case n == h.discarded:
	case n == 0:
		h.Hop, h.before = *h.before, nil
	default:
		before := h.Hop
		h.Hop, h.before = newHop(before.Distance), &before
	}
	h.discarded = n
	return h
}

// newHop returns a hop of which nothing is known.
func newHop(distance int) Hop {
	h := Hop{Distance: distance, Status: StatusNoReply}
	h.receiveEveryAnswer()
	return h
}

// Line returns what all probes leave by.
func (t *tracing) Line(*plan.Probe) (*drive.Line, error) { return &t.line, nil }

// Sent notes that a probe has left.
func (t *tracing) Sent(k plan.Key, at time.Time) {
	t.in.progress.PacketsSent++
	t.Plan.Sent(k, at)
}

// Refused keeps what the system says against a probe.
func (t *tracing) Refused(k plan.Key, err error, now time.Time) {
	t.refuse = err
	r := refusedResult(t.line.Dst, k.Number(), t.in.trace.FirstHop+k.Hop(), err)
	t.hop(k.Hop()).add(&r)
	t.Plan.Refused(k, err, now)
}

// Heard keeps what became known of a probe. A hop that is final does not change any
// more.
func (t *tracing) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	if o.Fate == engine.Unclear {
		t.Observe(now, &plan.Observation{Key: k, Kind: plan.Unclear})
		return
	}
	r := t.in.p.outcome(o, t.line.Dst, t.in.trace.Packet.Protocol)
	r.Seq = k.Number()
	settles, final := o.Fate.Settles(), k.Hop() < t.Final() || t.Done()
	if settles && r.Responder.IsValid() {
		t.in.progress.PacketsReceived++
	}
	seen := observation(k, &r, settles)
	t.Observe(now, &seen)
	if final {
		return
	}
	h := t.hop(k.Hop())
	if r.Seq < h.discarded {
		h.before.add(&r)
		if !r.Responder.IsValid() {
			return
		}
	}
	h.add(&r)
}

// HasNews reports whether there are hops to hand out.
func (t *tracing) HasNews() bool { return t.yield != nil && t.handed < t.Final() }

// Hand hands them out.
func (t *tracing) Hand() (goOn bool) {
	for t.handed < t.Final() {
		h := t.final(t.handed)
		t.handed++
		if !t.yield(h) {
			return false
		}
	}
	return true
}

// final returns a hop as it is handed out.
func (t *tracing) final(index int) *Hop {
	h := t.hop(index)
	h.End = RouteEnd(t.Plan.End(index))
	compareQuotes(&t.in.trace.Packet, index, func(i int) *Hop { return &t.hops[i].Hop })
	return &h.Hop
}

// End hands out what is left: of a trace that was cut short the hops as they stand, up
// to the last that answered.
func (t *tracing) End(err error) (goOn bool) {
	if isConfigError(err) {
		t.failed = err
	}
	hops := t.Final()
	for i := hops; err != nil && i < t.Hops(); i++ {
		if !t.IsSilent(i) {
			hops = i + 1
		}
	}
	if t.yield != nil {
		for i := t.handed; i < hops; i++ {
			if !t.yield(t.cut(i)) {
				return false
			}
		}
		return true
	}
	t.route.Hops = make([]Hop, hops)
	for i := range t.route.Hops {
		t.route.Hops[i] = *t.cut(i)
	}
	return t.in.completed(t, err)
}

// cut returns a hop as it stands.
func (t *tracing) cut(index int) *Hop {
	if index < t.Final() {
		return t.final(index)
	}
	h := t.hop(index)
	if n, all := t.Discarded(index); all && n > 0 {
		h.Hop = *h.before
	}
	h.abandon(t.Open(index))
	return t.final(index)
}

// verdict returns why a trace ended. Where the system took none of its probes it has no
// end, but a reason for that.
func (t *tracing) verdict() (RouteEnd, error) {
	if t.Taken() == 0 {
		return EndUnknown, cmp.Or(t.failed, t.refuse)
	}
	return RouteEnd(t.Plan.End(t.Final() - 1)), t.failed
}

// compareQuotes holds how a hop saw the probe against how the hop before it did, and
// the first one against what was sent.
func compareQuotes(packet *Packet, index int, hop func(int) *Hop) {
	h := hop(index)
	seen := seenIn(h)
	if seen == nil {
		return // the target's answer quotes nothing
	}
	for i := index - 1; i >= 0; i-- {
		if before := hop(i); seenIn(before) != nil {
			h.sent = before.sent
			h.Rewritten = differences(seenIn(before), seen) & h.sent.telling()
			return
		}
	}
	h.sent = sentAs(packet, seen)
	h.Rewritten = differences(&h.sent, seen) & h.sent.telling()
}

// traces is the traces of one operation: one, or those of a MultiTraceroute.
type traces struct {
	p     *Prober
	trace *TracerouteOptions // of each route
	opts  trace.Options      // the same, for plans
	op    *engine.Op

	many     MultiTracerouteOptions
	driver   *drive.Driver
	yield    func(index int, r *Route) bool
	spare    []*tracing // traces that are done, for other targets
	progress progressReport
}

func (p *Prober) newTraces(opts *TracerouteOptions) *traces {
	return &traces{p: p, trace: opts, opts: trace.Options{
		FirstHop: opts.FirstHop,
		Hops:     opts.MaxHops - opts.FirstHop + 1,
		Count:    opts.Count,
		Interval: opts.Interval,
		Timeout:  opts.Timeout,
		Fast:     opts.Fast,
		GapLimit: opts.GapLimit,
	}}
}

// maxUnmarked bounds the probes in flight where an answer may have no mark of
// its probe: the engine then looks for the only one to the host, among not too
// many.
const maxUnmarked = 2048

// drive makes the driver of the traces.
func (s *traces) drive(cfg drive.Config, dst netip.Addr) {
	pk := &s.trace.Packet
	cfg.Timeout, cfg.Ends = s.trace.Timeout, isConfigError
	cfg.OnePort = pk.Protocol == TCP && pk.SourcePort != 0
	if pk.Protocol == UDP || pk.Protocol == SCTP {
		cfg.MaxInFlight = maxUnmarked
	}
	s.driver = s.p.driver(cfg)
	op := s.p.opConfig(pk, s.trace.Timeout, dst)
	op.Unclear = true
	s.op = s.driver.NewOp(op)
}

// begin returns the trace of a target.
func (s *traces) begin(dst netip.Addr, pool *engine.Pool) *tracing {
	t, done := &tracing{in: s}, (*trace.Plan)(nil)
	if n := len(s.spare); n > 0 {
		t, s.spare = s.spare[n-1], s.spare[:n-1]
		done = &t.Plan
		clear(t.hops)
		*t = tracing{Plan: t.Plan, in: s, hops: t.hops[:0]}
	}
	t.Plan = trace.New(&s.opts, done)
	t.line = drive.Line{Pool: pool, Op: s.op, Dst: dst, Flow: s.trace.Packet.flow()}
	return t
}

// traceRun is the trace of one target.
type traceRun struct {
	p    *Prober
	pool *engine.Pool
	dst  netip.Addr
	opts TracerouteOptions
	end  RouteEnd

	paths *multipathRun // of several flows; nil: of one
}

// newTrace does all that can fail before anything is sent.
func (p *Prober) newTrace(ctx context.Context, target string, o *TracerouteOptions) (*traceRun, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if opts.isMultipath() {
		return p.newMultipath(ctx, target, opts)
	}
	dst, pool, err := p.aim(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	return &traceRun{p: p, pool: pool, dst: dst, opts: opts}, nil
}

// each traces the route and calls yield with each hop that is final, until all
// are, yield returns false or ctx ends.
func (r *traceRun) each(ctx context.Context, yield func(*Hop) bool) error {
	if r.paths != nil {
		return r.paths.each(ctx, r, yield)
	}
	s := r.p.newTraces(&r.opts)
	s.drive(drive.Config{}, r.dst)
	defer s.driver.Close()
	t := s.begin(r.dst, r.pool)
	t.yield = yield
	s.driver.Add(t)
	err := s.driver.Run(ctx)
	if err == nil {
		r.end, err = t.verdict()
	}
	return err
}

// route traces the route to its end, and returns it.
func (r *traceRun) route(ctx context.Context, name string) (*Route, error) {
	route := &Route{Address: r.dst, Name: name}
	err := r.each(ctx, func(h *Hop) bool {
		route.Hops = append(route.Hops, *h)
		return true
	})
	route.End, route.Reached, route.Graph = r.end, r.end == EndReached, r.graph()
	return route, err
}

// newTraceSweep does all that can fail before anything is sent.
func (p *Prober) newTraceSweep(o *MultiTracerouteOptions) (*traces, error) {
	if p.closed == nil {
		return nil, errNotMade
	}
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := p.newTraces(opts.trace())
	s.many, s.opts.Patient, s.progress.tell = opts, true, opts.Progress
	for s.many.Seed == 0 {
		s.many.Seed = rand.Uint64()
	}
	return s, nil
}

// each traces the targets and calls yield for each route that is complete,
// until all are, yield returns false or ctx ends.
func (s *traces) each(ctx context.Context, targets iter.Seq[string], yield func(int, *Route) bool) error {
	if targets == nil {
		return errNoTargets()
	}
	s.yield = yield
	feed := drive.NewFeed(ctx, targets, s.p.names(s.trace.Family, &s.trace.Packet))
	s.drive(drive.Config{
		Own:     engine.NewPacer(s.many.Rate),
		Routers: &drive.Routers{Rate: s.many.HopRate, Seed: s.many.Seed},
		Targets: feed, Parallel: s.many.Parallel, Begin: s.beginTarget,
		Progress: func(last bool) { s.progress.report(feed, last) },
	}, netip.Addr{})
	defer s.driver.Close()
	return s.driver.Run(ctx)
}

// beginTarget begins a target. One that cannot be sent to is complete at once; an error
// is what concerns all of them.
func (s *traces) beginTarget(target drive.Target) (drive.Task, error) {
	err := target.Err
	var pool *engine.Pool
	if err == nil {
		if pool, err = s.p.poolFor(&s.trace.Packet, target.Addr); concernsAll(err) {
			return nil, err
		}
	}
	t := s.begin(target.Addr, pool)
	t.index, t.route = target.Index, &Route{Name: target.Name, Address: target.Addr}
	if err != nil {
		t.failed = err
		if !s.completed(t, err) {
			s.driver.Stop()
		}
		return nil, nil
	}
	return t, nil
}

// completed hands out the route of a trace that is done, or was cut short by an error,
// and reports whether to go on.
func (s *traces) completed(t *tracing, err error) (goOn bool) {
	r, index := t.route, t.index
	if r.End, r.Err = t.verdict(); r.Err == nil && t.Taken() == 0 {
		r.Err = err
	}
	r.Reached = r.End == EndReached
	s.spare = append(s.spare, t)
	s.progress.Completed++
	if r.Reached {
		s.progress.Alive++
	}
	return s.yield(index, r)
}
