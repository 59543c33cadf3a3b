package icmplib

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"
)

// MultiPingOptions says how to ping many hosts. Nil and the zero value mean all
// defaults.
type MultiPingOptions struct {
	// Count is the number of requests to each host, up to 16,777,215. The
	// default is 2; a negative value is refused.
	Count int

	// Interval is the time from one request to a host to the next. The default
	// is 0.5 s; a negative value means none: each request to a host then waits
	// for the fate of the one before.
	Interval time.Duration

	// Timeout is how long a request waits for its reply. The default is 2 s,
	// the most 1 h, and a negative value is refused.
	Timeout time.Duration

	// Rate limits the packets per second of this call; Config.Rate limits all
	// calls together. The default is 10,000. A negative value means no limit:
	// packets then leave as fast as the system takes them and their replies
	// are read.
	Rate int

	// Family chooses among the addresses of a name. The default is
	// [AnyFamily]: IPv4 where this host has a route to such an address, else
	// IPv6.
	Family Family

	// Progress, if not nil, is called now and then, at most ten times a second,
	// and once at the end. It is called by the goroutine that runs the call and
	// keeps it waiting.
	Progress func(Progress)

	// Packet is the shape of the requests.
	Packet Packet
}

// Progress is how far a [MultiPing] or a [MultiTraceroute] has come.
type Progress struct {
	Targets   int // drawn so far
	Completed int // of those
	Alive     int // of those that are completed: they answered

	PacketsSent     int // to all targets
	PacketsReceived int // answers in time: replies, and in a trace those of routers, too
}

// The defaults of icmplib; the rate is this library's.
const (
	defaultMultiPingCount    = 2
	defaultMultiPingInterval = 500 * time.Millisecond
	defaultMultiPingRate     = 10_000

	// maxMultiPingCount is what a plan.Key has room for.
	maxMultiPingCount = 1<<24 - 1
)

// MultiPing pings hosts, names or addresses, all at once: icmplib's multiping.
// It returns a [Host] for each target, in their order. One that cannot be
// resolved, or sent to, has the reason in its Err and fails nobody else. A
// target that is given more than once is pinged once for each time, one after
// the other.
//
// Calls share their sockets, which are open only while a call runs; see
// [Prober] for one that keeps them. An error is returned for an option that
// cannot be used ([*ConfigError]) or sockets that may not be opened
// ([os.ErrPermission]). When ctx ends, its cause is returned with the hosts as
// they then stand; those that were not sent anything have it as their Err.
func MultiPing(ctx context.Context, targets []string, opts *MultiPingOptions) ([]*Host, error) {
	p, release, err := acquireShared()
	if err != nil {
		return nil, err
	}
	defer release()
	return p.MultiPing(ctx, targets, opts)
}

// MultiPing pings hosts, all at once. See the function [MultiPing].
func (p *Prober) MultiPing(ctx context.Context, targets []string, opts *MultiPingOptions) ([]*Host, error) {
	run, err := p.newSweep(opts)
	if err != nil {
		return nil, err
	}
	hosts := make([]*Host, len(targets))
	err = run.each(ctx, slices.Values(targets), func(index int, h *Host) bool {
		hosts[index] = h
		return true
	})
	for i, h := range hosts {
		if h == nil {
			hosts[i] = &Host{Name: targets[i], Err: err}
		}
	}
	return hosts, err
}

// MultiPingSeq pings the hosts that targets yields, any number of them, and
// yields each [Host] when it is completed. Calls share their sockets, which are
// open only while a loop runs; see [Prober] for one that keeps them. See
// [Prober.MultiPingSeq] for the rest.
func MultiPingSeq(ctx context.Context, targets iter.Seq[string], opts *MultiPingOptions) iter.Seq2[*Host, error] {
	return overShared(func(p *Prober) iter.Seq2[*Host, error] { return p.MultiPingSeq(ctx, targets, opts) })
}

// MultiPingSeq pings the hosts that targets yields, any number of them, and
// yields each [Host] when it is completed. Its memory is in proportion to what
// is in flight, not to the number of targets.
//
// The targets are drawn on a goroutine of their own, a little ahead of the
// sending: one that makes the iterator wait keeps no result waiting. The end of
// the loop waits for the step that the iterator is in.
//
// A panic of the iterator is one of the loop, in the goroutine that runs it; if the
// iterator ends its goroutine ([runtime.Goexit]), there are no further targets. A nil
// iterator is a [*ConfigError].
//
// An error ends the sequence; see [MultiPing] for which. When ctx ends, the
// hosts in flight are yielded as they stand, and then the context's cause.
// Leaving the loop ends the sending. The loop drives the sending: no request
// leaves while its body runs. Times are measured apart from it.
func (p *Prober) MultiPingSeq(ctx context.Context, targets iter.Seq[string], opts *MultiPingOptions) iter.Seq2[*Host, error] {
	return func(yield func(*Host, error) bool) {
		run, err := p.newSweep(opts)
		if err != nil {
			yield(nil, err)
			return
		}
		yieldEach(yield, func(yield func(*Host) bool) error {
			return run.each(ctx, targets, func(_ int, h *Host) bool { return yield(h) })
		})
	}
}

// withDefaults returns the options as they take effect, or why they cannot.
func (o *MultiPingOptions) withDefaults() (MultiPingOptions, error) {
	var opts MultiPingOptions
	if o != nil {
		opts = *o
	}
	if opts.Count < 0 || opts.Count > maxMultiPingCount {
		return opts, &ConfigError{Field: "Count", Value: opts.Count, Allowed: "up to 16777215, or 0 for the default of 2"}
	}
	if err := cmp.Or(validateUnit("Interval", opts.Interval), validateProbing(opts.Timeout, opts.Family, &opts.Packet)); err != nil {
		return opts, err
	}
	if opts.Count == 0 {
		opts.Count = defaultMultiPingCount
	}
	switch {
	case opts.Rate == 0:
		opts.Rate = defaultMultiPingRate
	case opts.Rate < 0:
		opts.Rate = 0 // the Pacer's word for no limit
	}
	opts.Interval = orDefault(opts.Interval, defaultMultiPingInterval)
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	return opts, nil
}
