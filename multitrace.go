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
)

// MultiTraceroute finds the routes to many hosts, given by name or address, many at once.
// It returns a [Route] for each target, in their order. A target that cannot be resolved,
// or to which nothing can be sent, has the reason in its Err and does not affect the
// others. A target given several times is traced that many times, one after the other.
//
// Calls share their sockets, which are open only while a call runs; a [Prober] keeps them
// open. MultiTraceroute returns an error if an option cannot be used ([*ConfigError]) or
// sockets may not be opened ([os.ErrPermission]). If ctx ends, it returns the cause with
// the routes as they are then; routes to which nothing was sent have the cause as their
// Err.
func MultiTraceroute(ctx context.Context, targets []string, opts *MultiTracerouteOptions) ([]*Route, error) {
	return withShared(func(p *Prober) ([]*Route, error) { return p.MultiTraceroute(ctx, targets, opts) })
}

// MultiTraceroute finds the routes to many hosts. See the function [MultiTraceroute].
func (p *Prober) MultiTraceroute(ctx context.Context, targets []string, opts *MultiTracerouteOptions) ([]*Route, error) {
	run, err := p.newTraceSweep(opts)
	if err != nil {
		return nil, err
	}
	return ofEach(ctx, targets, run.each, func(name string, err error) *Route { return &Route{Name: name, Err: err} })
}

// MultiTracerouteSeq finds the routes to the hosts that targets yields, any number of them,
// and yields each [Route] when it is complete. Calls share their sockets, which are open
// only while a loop runs; a [Prober] keeps them open. For details, see
// [Prober.MultiTracerouteSeq].
func MultiTracerouteSeq(ctx context.Context, targets iter.Seq[string], opts *MultiTracerouteOptions) iter.Seq2[*Route, error] {
	return overShared(func(p *Prober) iter.Seq2[*Route, error] { return p.MultiTracerouteSeq(ctx, targets, opts) })
}

// MultiTracerouteSeq finds the routes to the hosts that targets yields, any number of them,
// and yields each [Route] when it is complete. Its memory is proportional to the traces in
// flight, not to the number of targets. The caller's goroutine does all the work; another
// one draws the targets, a little ahead. The end of the loop waits for the current step of
// the iterator.
//
// A panic of the iterator is raised again in the goroutine that runs the loop. If the
// iterator ends its goroutine ([runtime.Goexit]), there are no further targets. A nil
// iterator is a [*ConfigError].
//
// An error ends the sequence; see [MultiTraceroute] for which. If ctx ends,
// MultiTracerouteSeq yields the routes in flight as they are, and then the context's cause.
// Leaving the loop ends the traces. The loop drives the sending: no probe leaves while its
// body runs. The body does not affect the measured times.
func (p *Prober) MultiTracerouteSeq(ctx context.Context, targets iter.Seq[string], opts *MultiTracerouteOptions) iter.Seq2[*Route, error] {
	return sequence(func(yield func(*Route) bool) error {
		run, err := p.newTraceSweep(opts)
		if err != nil {
			return err
		}
		return run.each(ctx, targets, func(_ int, r *Route) bool { return yield(r) })
	})
}

// MultiTracerouteOptions are the options of [MultiTraceroute] and [MultiTracerouteSeq]. Nil
// and the zero value mean all defaults.
type MultiTracerouteOptions struct {
	// FirstHop and MaxHops are the first and the last TTL, from 1 to 255. The defaults are
	// 1, and 30 or FirstHop, whichever is greater.
	FirstHop int
	MaxHops  int

	// Count is the number of probes to each hop of each route, up to 1000. The
	// default is 2; a negative value is refused.
	Count int

	// Interval is the time from one probe to a hop to the next. The default is
	// 50 ms; a negative value means none.
	Interval time.Duration

	// Timeout is how long a probe waits for its answer. The default is 2 s and the maximum
	// 1 h; a negative value is refused.
	Timeout time.Duration

	// Fast probes each hop only until it answers: Count is then the number of attempts.
	Fast bool

	// GapLimit ends a trace after this many silent hops in a row. The default is no limit;
	// a negative value is refused.
	GapLimit int

	// Family chooses among the addresses of a name. The default, [AnyFamily], is IPv4 if
	// this host has a route to such an address, and otherwise IPv6.
	Family Family

	// Packet is the shape of the probes, as in [TracerouteOptions]. Each trace is one flow;
	// use [Traceroute] to trace a host with several flows.
	Packet Packet

	// Parallel is the maximum number of traces in flight, up to 65,536; memory grows with
	// it. The default is 1000; a negative value is refused.
	Parallel int

	// Rate limits the packets per second of this call; Config.Rate limits all
	// calls together. The default is 10,000; a negative value means no limit.
	Rate int

	// HopRate limits the packets per second whose TTL ends at one router. All traces begin
	// at the same routers, which limit how many errors they send; probes beyond that would
	// look silent. The default is 500; a negative value means no limit. Answers show which
	// packets go to one router: see
	// https://github.com/goicmp/icmplib/blob/main/docs/scale.md.
	HopRate int

	// Seed selects the random order in which targets and distances are probed. The same
	// Seed makes the same choices among the probes that are due, but which are due depends
	// on the answers. The default is a new seed each time.
	Seed uint64

	// Progress, if not nil, is called as described for [MultiPingOptions]; a target is
	// alive if it was reached.
	Progress func(Progress)
}

// Bounds and defaults of a MultiTraceroute.
const (
	defaultParallel  = 1000
	maxParallel      = drive.MaxParallel
	defaultTraceRate = 10_000
	defaultHopRate   = 500
)

// withDefaults returns the options, and those of each trace, with all defaults filled in, or
// an error if they cannot be used.
func (o *MultiTracerouteOptions) withDefaults() (opts MultiTracerouteOptions, trace TracerouteOptions, err error) {
	opts = given(o)
	if err := refuse(opts.Parallel < 0 || opts.Parallel > maxParallel, "Parallel", opts.Parallel, "up to 65536, or 0 for the default of 1000"); err != nil {
		return opts, trace, err
	}
	trace, err = opts.trace().withDefaults()
	opts.Parallel = cmp.Or(opts.Parallel, defaultParallel)
	// From here on, 0 means no limit.
	opts.Rate = max(0, cmp.Or(opts.Rate, defaultTraceRate))
	opts.HopRate = max(0, cmp.Or(opts.HopRate, defaultHopRate))
	return opts, trace, err
}

// trace returns the options of each trace.
func (o *MultiTracerouteOptions) trace() *TracerouteOptions {
	return &TracerouteOptions{
		FirstHop: o.FirstHop, MaxHops: o.MaxHops, Count: o.Count, Interval: o.Interval, Timeout: o.Timeout,
		Fast: o.Fast, GapLimit: o.GapLimit, Family: o.Family, Packet: o.Packet,
	}
}

// newTraceSweep does everything that can fail before anything is sent.
func (p *Prober) newTraceSweep(o *MultiTracerouteOptions) (*traces, error) {
	opts, trace, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := p.newTraces(&trace)
	s.many, s.opts.Patient = opts, true
	for s.many.Seed == 0 {
		s.many.Seed = rand.Uint64()
	}
	return s, nil
}

// each traces the targets and calls yield for each complete route, until all are complete,
// yield returns false or ctx ends.
func (s *traces) each(ctx context.Context, targets iter.Seq[string], yield func(int, *Route) bool) error {
	feed, err := s.p.feed(ctx, targets, s.trace.Family, &s.trace.Packet)
	if err != nil {
		return err
	}
	s.yield = yield
	s.drive(drive.Config{
		Own:     engine.NewPacer(s.many.Rate),
		Routers: &drive.Routers{Rate: s.many.HopRate, Seed: s.many.Seed},
		Targets: feed, Parallel: s.many.Parallel, Begin: s.beginTarget,
		Progress: s.progress.reporter(s.many.Progress),
	}, netip.Addr{})
	defer s.driver.Close()
	return s.driver.Run(ctx)
}

// beginTarget begins a target. An error concerns all targets.
func (s *traces) beginTarget(target *drive.Target) (drive.Task, error) {
	var pool *engine.Pool
	if target.Err == nil {
		if pool, target.Err = s.p.poolFor(&s.trace.Packet, target.Addr); concernsAll(target.Err) {
			return nil, target.Err
		}
	}
	t := s.begin(target.Addr, pool)
	t.index, t.route = target.Index, &Route{Name: target.Name, Address: target.Addr}
	return t, nil
}

// completed hands out the route of a trace that is done, or that an error cut short, and
// reports whether to go on.
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
