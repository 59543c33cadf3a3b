package icmplib

import (
	"cmp"
	"context"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/trace"
	"github.com/goicmp/icmplib/internal/rewrite"
)

// TracerouteOptions are the options of [Traceroute] and [TracerouteSeq]. Nil and the zero
// value mean all defaults.
type TracerouteOptions struct {
	// FirstHop and MaxHops are the first and the last TTL, from 1 to 255. The defaults are
	// 1, and 30 or FirstHop, whichever is greater.
	FirstHop int
	MaxHops  int

	// Count is the number of probes to each hop, up to 1000. The default is 2;
	// a negative value is refused.
	Count int

	// Interval is the time from one probe to a hop to the next. The default is
	// 50 ms; a negative value means none.
	Interval time.Duration

	// Timeout is how long a probe waits for its answer. The default is 2 s and the maximum
	// 1 h; a negative value is refused.
	Timeout time.Duration

	// Flows is the number of flows to trace, up to [MaxFlows]. The default of 0, and 1,
	// trace one flow, which shows one path. With several flows, Route.Graph shows the paths
	// along which routers balance load. A negative value adds flows until all paths are
	// known, with a confidence of 95 % for each hop. With several flows, Count is the
	// number of attempts for each flow and hop, Fast is refused, and hops are handed out
	// when all are final. See
	// https://github.com/goicmp/icmplib/blob/main/docs/multipath.md.
	Flows int

	// Fast probes each hop only until it answers: Count is then the number of attempts.
	Fast bool

	// GapLimit ends the trace after this many silent hops in a row. The default is no
	// limit; a negative value is refused.
	GapLimit int

	// Family chooses among the addresses of a name. The default, [AnyFamily], is IPv4 if
	// this host has a route to such an address, and otherwise IPv6.
	Family Family

	// Packet is the shape of the probes. All of them belong to one flow: header fields by
	// which routers balance load are the same in each, so that all take the same path. TCP
	// without raw sockets is the exception, because each probe has a source port of its
	// own. Packet.TTL must be 0. With Flows, Packet.SourcePort is the port of the first
	// flow, and further flows use the ports after it; over IPv6 each flow also has its own
	// flow label.
	Packet Packet
}

// The defaults of icmplib.
const (
	defaultTracerouteCount    = 2
	defaultTracerouteInterval = 50 * time.Millisecond

	maxTracerouteCount = 1000
)

// Traceroute finds the route to a host, given by name or address, as icmplib's traceroute
// does. It probes several hops at a time; how many adapts to the path. Calls share their
// sockets, which are open only while a call runs; a [Prober] keeps them open.
//
// A silent target is no error: see Route.End. Errors are those of [Ping]. If ctx ends after
// sending began, Traceroute returns its cause together with the Route as far as it is
// known.
func Traceroute(ctx context.Context, target string, opts *TracerouteOptions) (*Route, error) {
	return withShared(func(p *Prober) (*Route, error) { return p.Traceroute(ctx, target, opts) })
}

// Traceroute finds the route to a host. See the function [Traceroute].
func (p *Prober) Traceroute(ctx context.Context, target string, opts *TracerouteOptions) (*Route, error) {
	run, err := p.newTrace(ctx, target, opts)
	if err != nil {
		return nil, err
	}
	return run.route(ctx, target)
}

// TracerouteSeq finds the route to a host, given by name or address, and yields each [Hop]
// when it is final. Calls share their sockets, which are open only while a loop runs; a
// [Prober] keeps them open. For details, see [Prober.TracerouteSeq].
func TracerouteSeq(ctx context.Context, target string, opts *TracerouteOptions) iter.Seq2[*Hop, error] {
	return overShared(func(p *Prober) iter.Seq2[*Hop, error] { return p.TracerouteSeq(ctx, target, opts) })
}

// TracerouteSeq finds the route to a host and yields its hops in order of distance, each
// when it is final: when all of its probes, and those to the hops before it, are settled.
// The last hop is the target, if it answers.
//
// An error, such as the context's cause, ends the sequence. Leaving the loop ends the
// trace.
func (p *Prober) TracerouteSeq(ctx context.Context, target string, opts *TracerouteOptions) iter.Seq2[*Hop, error] {
	return sequence(func(yield func(*Hop) bool) error {
		run, err := p.newTrace(ctx, target, opts)
		if err != nil {
			return err
		}
		return run.each(ctx, yield)
	})
}

// withDefaults returns the options with all defaults filled in, or an error if they cannot
// be used.
func (o *TracerouteOptions) withDefaults() (TracerouteOptions, error) {
	opts := given(o)
	opts.FirstHop, opts.MaxHops = hopRange(opts.FirstHop, opts.MaxHops)
	opts.Count = cmp.Or(opts.Count, defaultTracerouteCount)
	if err := opts.validate(); err != nil {
		return opts, err
	}
	opts.Interval = orDefault(opts.Interval, defaultTracerouteInterval)
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	return opts, nil
}

func (o *TracerouteOptions) validate() error {
	return cmp.Or(
		validateHops(o.FirstHop, o.MaxHops),
		refuse(o.Count < 1 || o.Count > maxTracerouteCount, "Count", o.Count, "1 to 1000, or 0 for the default of 2"),
		refuse(o.GapLimit < 0, "GapLimit", o.GapLimit, "a number of hops, or 0 for none"),
		refuse(o.Packet.TTL != 0, "TTL", o.Packet.TTL, "0: a trace sets it"),
		o.validateFlows(),
		validateUnit("Interval", o.Interval),
		validateProbing(o.Timeout, o.Family, &o.Packet),
	)
}

// tracing is the trace of one route: a task of the driver. Final hops go to yield or, if
// that is nil, into the route when it is complete.
type tracing struct {
	trace.Plan
	in    *traces
	line  drive.Line
	index int // of the target
	route *Route
	yield func(*Hop) bool

	hops   []tracedHop
	path   rewrite.Path
	handed int   // hops that went to yield
	refuse error // why the system last refused a probe
	failed error // why the trace cannot go on
}

// tracedHop is a hop and, while the first of its probes do not count (see trace.Plan), the
// state before them.
type tracedHop struct {
	Hop
	discarded int
	before    *Hop
}

// hop returns the state of a hop, as the plan counts its probes.
func (t *tracing) hop(index int) *tracedHop {
	if index >= len(t.hops) {
		t.hops = slices.Grow(t.hops, max(index+1, t.Hops())-len(t.hops))
	}
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

// newHop returns a hop without results.
func newHop(distance int) Hop {
	return Hop{Distance: distance, Status: StatusNoReply}
}

// Line returns the line that all probes use.
func (t *tracing) Line(*plan.Probe) (*drive.Line, error) { return &t.line, nil }

// Sent notes that a probe has left.
func (t *tracing) Sent(k plan.Key, at time.Time) {
	t.in.progress.PacketsSent++
	t.Plan.Sent(k, at)
}

// Refused keeps the reason why the system refused a probe.
func (t *tracing) Refused(k plan.Key, err error, now time.Time) {
	t.refuse = err
	r := refusedResult(t.line.Dst, k.Number(), t.in.trace.FirstHop+k.Hop(), err)
	t.hop(k.Hop()).Add(r)
	t.Plan.Refused(k, err, now)
}

// Heard keeps an outcome of a probe. A final hop no longer changes.
func (t *tracing) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	r, seen := t.in.p.observed(k, o, t.line.Dst, t.in.trace.Packet.Protocol)
	r.Seq = k.Number()
	final := k.Hop() < t.Final() || t.Done()
	if seen.Settles && r.Responder.IsValid() && !r.Local {
		t.in.progress.PacketsReceived++
	}
	t.Observe(now, &seen)
	if final || seen.Kind == plan.Unclear {
		return
	}
	h := t.hop(k.Hop())
	if r.Seq < h.discarded {
		h.before.Add(r)
		if !r.Responder.IsValid() {
			return
		}
	}
	h.Add(r)
}

// HasNews reports whether final hops are ready to be handed out.
func (t *tracing) HasNews() bool { return t.yield != nil && t.handed < t.Final() }

// Hand yields the final hops that are not handed out yet.
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

// final returns a hop as it is handed out: each once, in order.
func (t *tracing) final(index int) *Hop {
	h := t.hop(index)
	h.End = RouteEnd(t.Plan.End(index))
	h.follow(&t.path, &t.in.trace.Packet)
	return &h.Hop
}

// End hands out the remaining hops: for a trace that was cut short, the hops as they are,
// up to the last one that answered.
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
	t.route.Hops = slices.Grow(t.route.Hops, hops)
	for i := range hops {
		t.route.Hops = append(t.route.Hops, *t.cut(i))
	}
	return t.in.completed(t, err)
}

// cut returns a hop as it is.
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

// verdict returns why a trace ended. If the system sent none of its probes, verdict returns
// an error instead of an end.
func (t *tracing) verdict() (RouteEnd, error) {
	if t.Taken() == 0 {
		return EndUnknown, cmp.Or(t.failed, t.refuse)
	}
	return RouteEnd(t.Plan.End(t.Final() - 1)), t.failed
}

// traces are the traces of one operation: one, or those of a MultiTraceroute.
type traces struct {
	p     *Prober
	trace *TracerouteOptions // of each route
	opts  trace.Options      // the same, for plans
	op    *engine.Op

	many     MultiTracerouteOptions
	driver   *drive.Driver
	yield    func(index int, r *Route) bool
	spare    []*tracing // traces that are done, for other targets
	progress Progress
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

// maxUnmarked limits the probes in flight if an answer may not identify its probe: the
// engine then searches for the only probe to the host, which must not take long.
const maxUnmarked = 2048

// drive makes the driver of the traces.
func (s *traces) drive(cfg drive.Config, dst netip.Addr) {
	pk := &s.trace.Packet
	cfg.Timeout, cfg.Ends = s.trace.Timeout, isConfigError
	cfg.OnePort = pk.isOnePort()
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
	p     *Prober
	pool  *engine.Pool // of the first flow
	dst   netip.Addr
	opts  TracerouteOptions
	end   RouteEnd
	graph *Graph // of several flows; nil: of one
}

// newTrace does everything that can fail before anything is sent.
func (p *Prober) newTrace(ctx context.Context, target string, o *TracerouteOptions) (*traceRun, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &traceRun{p: p, opts: opts}
	if r.dst, err = p.target(ctx, target, opts.Family, &opts.Packet); err != nil {
		return nil, err
	}
	r.pool, err = r.flowPool(0)
	return r, err
}

// each traces the route and calls yield with each final hop, until all are final, yield
// returns false or ctx ends.
func (r *traceRun) each(ctx context.Context, yield func(*Hop) bool) error {
	if r.opts.isMultipath() {
		return r.eachOfFlows(ctx, yield)
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
	route.End, route.Reached, route.Graph = r.end, r.end == EndReached, r.graph
	return route, err
}
