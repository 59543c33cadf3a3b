package icmplib

import (
	"context"
	"iter"
	"slices"
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
