package icmplib

import (
	"cmp"
	"context"
	"iter"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
)

// MultiTraceroute finds the ways to many hosts, names or addresses, many at
// once. It returns a [Route] for each target, in their order. One that cannot be
// resolved, or sent to, has the reason in its Err and fails nobody else. A
// target that is given more than once is traced once for each time, one after
// the other.
//
// Calls share their sockets, which are open only while a call runs; see
// [Prober] for one that keeps them. An error is returned for an option that
// cannot be used ([*ConfigError]) or sockets that may not be opened
// ([os.ErrPermission]). When ctx ends, its cause is returned with the routes as
// they then stand; those that were not sent anything have it as their Err.
func MultiTraceroute(ctx context.Context, targets []string, opts *MultiTracerouteOptions) ([]*Route, error) {
	p, release, err := acquireShared()
	if err != nil {
		return nil, err
	}
	defer release()
	return p.MultiTraceroute(ctx, targets, opts)
}

// MultiTraceroute finds the ways to many hosts. See the function
// [MultiTraceroute].
func (p *Prober) MultiTraceroute(ctx context.Context, targets []string, opts *MultiTracerouteOptions) ([]*Route, error) {
	run, err := p.newTraceSweep(opts)
	if err != nil {
		return nil, err
	}
	routes := make([]*Route, len(targets))
	err = run.each(ctx, slices.Values(targets), func(index int, r *Route) bool {
		routes[index] = r
		return true
	})
	for i, r := range routes {
		if r == nil {
			routes[i] = &Route{Name: targets[i], Err: err}
		}
	}
	return routes, err
}

// MultiTracerouteSeq finds the ways to the hosts that targets yields, any number
// of them, and yields each [Route] when it is complete. Calls share their
// sockets, which are open only while a loop runs; see [Prober] for one that keeps
// them. See [Prober.MultiTracerouteSeq] for the rest.
func MultiTracerouteSeq(ctx context.Context, targets iter.Seq[string], opts *MultiTracerouteOptions) iter.Seq2[*Route, error] {
	return overShared(func(p *Prober) iter.Seq2[*Route, error] { return p.MultiTracerouteSeq(ctx, targets, opts) })
}

// MultiTracerouteSeq finds the ways to the hosts that targets yields, any number
// of them, and yields each [Route] when it is complete. Its memory is in
// proportion to the traces in flight, not to the number of targets. One
// goroutine does everything, the caller's; the targets are drawn on another, a
// little ahead, and the end of the loop waits for the step that the iterator is
// in.
//
// A panic of the iterator is one of the loop, in the goroutine that runs it; if the
// iterator ends its goroutine ([runtime.Goexit]), there are no further targets. A nil
// iterator is a [*ConfigError].
//
// An error ends the sequence; see [MultiTraceroute] for which. When ctx ends, the
// routes in flight are yielded as they stand, and then the context's cause.
// Leaving the loop ends the traces. The loop drives the sending: no probe leaves
// while its body runs. Times are measured apart from it.
func (p *Prober) MultiTracerouteSeq(ctx context.Context, targets iter.Seq[string], opts *MultiTracerouteOptions) iter.Seq2[*Route, error] {
	return func(yield func(*Route, error) bool) {
		run, err := p.newTraceSweep(opts)
		if err != nil {
			yield(nil, err)
			return
		}
		yieldEach(yield, func(yield func(*Route) bool) error {
			return run.each(ctx, targets, func(_ int, r *Route) bool { return yield(r) })
		})
	}
}

// MultiTracerouteOptions says how to trace many routes. Nil and the zero value
// mean all defaults.
type MultiTracerouteOptions struct {
	// FirstHop and MaxHops are the first and the last TTL that is tried, from 1
	// to 255. The defaults are 1, and 30 or FirstHop where that is more.
	FirstHop int
	MaxHops  int

	// Count is the number of probes to each hop of each route, up to 1000. The
	// default is 2; a negative value is refused.
	Count int

	// Interval is the time from one probe to a hop to the next. The default is
	// 50 ms; a negative value means none.
	Interval time.Duration

	// Timeout is how long a probe waits for its answer. The default is 2 s, the
	// most 1 h, and a negative value is refused.
	Timeout time.Duration

	// Fast asks each hop only until it has answered once: Count is then the
	// number of attempts.
	Fast bool

	// GapLimit ends a trace after so many silent hops in a row. The default is
	// none; a negative value is refused.
	GapLimit int

	// Family chooses among the addresses of a name. The default is
	// [AnyFamily]: IPv4 where this host has a route to such an address, else
	// IPv6.
	Family Family

	// Packet is the shape of the probes, as in [TracerouteOptions]. Those of one
	// trace are one flow; with several flows a host is traced by [Traceroute].
	Packet Packet

	// Parallel is how many traces are in flight at the most, up to 65,536, and
	// with it what memory they take. The default is 1000; a negative value is
	// refused.
	Parallel int

	// Rate limits the packets per second of this call; Config.Rate limits all
	// calls together. The default is 10,000; a negative value means no limit.
	Rate int

	// HopRate limits the packets per second whose TTL ends at one router. All
	// traces begin at the same routers, and those bound how many errors they
	// send: what is beyond that would look silent. The default is 500; a
	// negative value means no limit. Which packets go to one router is known
	// from the answers: see https://github.com/goicmp/icmplib/blob/main/docs/scale.md.
	HopRate int

	// Seed decides the order in which targets and distances are asked: the
	// same one chooses the same of the probes that are due, which are not the
	// same each time. The default is another one each time.
	Seed uint64

	// Progress, if not nil, is called as [MultiPingOptions] says of its own;
	// a target is alive where it was reached.
	Progress func(Progress)
}

// Bounds and defaults of a MultiTraceroute.
const (
	defaultParallel  = 1000
	maxParallel      = drive.MaxParallel
	defaultTraceRate = 10_000
	defaultHopRate   = 500
)

// withDefaults returns the options as they take effect, or why they cannot.
func (o *MultiTracerouteOptions) withDefaults() (MultiTracerouteOptions, error) {
	var opts MultiTracerouteOptions
	if o != nil {
		opts = *o
	}
	if opts.Parallel < 0 || opts.Parallel > maxParallel {
		return opts, &ConfigError{Field: "Parallel", Value: opts.Parallel, Allowed: "up to 65536, or 0 for the default of 1000"}
	}
	trace, err := opts.trace().withDefaults()
	if err != nil {
		return opts, err
	}
	opts.setTrace(&trace)
	opts.Parallel = cmp.Or(opts.Parallel, defaultParallel)
	// 0 is the word for no limit from here on.
	opts.Rate = max(0, cmp.Or(opts.Rate, defaultTraceRate))
	opts.HopRate = max(0, cmp.Or(opts.HopRate, defaultHopRate))
	return opts, nil
}

// trace returns how each of the routes is traced.
func (o *MultiTracerouteOptions) trace() *TracerouteOptions {
	return &TracerouteOptions{
		FirstHop: o.FirstHop, MaxHops: o.MaxHops, Count: o.Count, Interval: o.Interval, Timeout: o.Timeout,
		Fast: o.Fast, GapLimit: o.GapLimit, Family: o.Family, Packet: o.Packet,
	}
}

// setTrace is the inverse of trace.
func (o *MultiTracerouteOptions) setTrace(t *TracerouteOptions) {
	o.FirstHop, o.MaxHops, o.Count, o.Interval, o.Timeout = t.FirstHop, t.MaxHops, t.Count, t.Interval, t.Timeout
	o.Fast, o.GapLimit, o.Family, o.Packet = t.Fast, t.GapLimit, t.Family, t.Packet
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
