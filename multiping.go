package icmplib

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/hosts"
	"github.com/goicmp/icmplib/internal/names"
	"github.com/goicmp/icmplib/internal/plan/ping"
)

// MultiPingOptions are the options of [MultiPing] and [MultiPingSeq]. Nil and the zero
// value mean all defaults.
type MultiPingOptions struct {
	// Count is the number of requests to each host, up to 16,777,215. The
	// default is 2; a negative value is refused.
	Count int

	// Interval is the time from one request to a host to the next. The default is 0.5 s. A
	// negative value means none: each request to a host then waits until the one before it
	// is settled.
	Interval time.Duration

	// Timeout is how long a request waits for its reply. The default is 2 s and the maximum
	// 1 h; a negative value is refused.
	Timeout time.Duration

	// Rate limits the packets per second of this call; Config.Rate limits all calls
	// together. The default is 10,000. A negative value means no limit: packets then leave
	// as fast as the system accepts them and their replies are read.
	Rate int

	// Family chooses among the addresses of a name. The default, [AnyFamily], is IPv4 if
	// this host has a route to such an address, and otherwise IPv6.
	Family Family

	// Progress, if not nil, is called at most ten times a second, and once at the end. It
	// runs on the goroutine of the call, which waits for it.
	Progress func(Progress)

	// Packet is the shape of the requests.
	Packet Packet
}

// Progress is the progress of a [MultiPing] or [MultiTraceroute].
type Progress struct {
	Targets   int // targets drawn so far
	Completed int // targets with a complete result
	Alive     int // completed targets that answered

	PacketsSent     int // to all targets
	PacketsReceived int // answers in time: replies, and in a trace those of routers, too
}

// The defaults of icmplib; the rate is this library's.
const (
	defaultMultiPingCount    = 2
	defaultMultiPingInterval = 500 * time.Millisecond
	defaultMultiPingRate     = 10_000

	// maxMultiPingCount is the greatest ordinal that fits into a plan.Key.
	maxMultiPingCount = 1<<24 - 1
)

// MultiPing pings hosts, given by name or address, all at once, as icmplib's multiping
// does. It returns a [Host] for each target, in their order. A target that cannot be
// resolved, or to which nothing can be sent, has the reason in its Err and does not affect
// the others. A target given several times is pinged that many times, one after the other.
//
// Calls share their sockets, which are open only while a call runs; a [Prober] keeps them
// open. MultiPing returns an error if an option cannot be used ([*ConfigError]) or sockets
// may not be opened ([os.ErrPermission]). If ctx ends, it returns the cause with the hosts
// as they are then; hosts to which nothing was sent have the cause as their Err.
func MultiPing(ctx context.Context, targets []string, opts *MultiPingOptions) ([]*Host, error) {
	return withShared(func(p *Prober) ([]*Host, error) { return p.MultiPing(ctx, targets, opts) })
}

// MultiPing pings many hosts at once. See the function [MultiPing].
func (p *Prober) MultiPing(ctx context.Context, targets []string, opts *MultiPingOptions) ([]*Host, error) {
	run, err := p.newSweep(opts)
	if err != nil {
		return nil, err
	}
	return ofEach(ctx, targets, run.each, func(name string, err error) *Host { return &Host{Name: name, Err: err} })
}

// ofEach returns the result of each target, in their order. If an error left a target
// without a result, none makes one.
func ofEach[T any](ctx context.Context, targets []string, each func(context.Context, iter.Seq[string], func(int, *T) bool) error, none func(name string, err error) *T) ([]*T, error) {
	got := make([]*T, len(targets))
	err := each(ctx, slices.Values(targets), func(index int, t *T) bool {
		got[index] = t
		return true
	})
	for i, t := range got {
		if t == nil {
			got[i] = none(targets[i], err)
		}
	}
	return got, err
}

// MultiPingSeq pings the hosts that targets yields, any number of them, and yields each
// [Host] when it is complete. Calls share their sockets, which are open only while a loop
// runs; a [Prober] keeps them open. For details, see [Prober.MultiPingSeq].
func MultiPingSeq(ctx context.Context, targets iter.Seq[string], opts *MultiPingOptions) iter.Seq2[*Host, error] {
	return overShared(func(p *Prober) iter.Seq2[*Host, error] { return p.MultiPingSeq(ctx, targets, opts) })
}

// MultiPingSeq pings the hosts that targets yields, any number of them, and yields each
// [Host] when it is complete. Its memory is proportional to the hosts in flight, not to the
// number of targets.
//
// Another goroutine draws the targets, a little ahead of the sending, so an iterator that
// waits delays no result. The end of the loop waits for the current step of the iterator.
//
// A panic of the iterator is raised again in the goroutine that runs the loop. If the
// iterator ends its goroutine ([runtime.Goexit]), there are no further targets. A nil
// iterator is a [*ConfigError].
//
// An error ends the sequence; see [MultiPing] for which. If ctx ends, MultiPingSeq yields
// the hosts in flight as they are, and then the context's cause. Leaving the loop ends the
// sending. The loop drives the sending: no request leaves while its body runs. The body
// does not affect the measured times.
func (p *Prober) MultiPingSeq(ctx context.Context, targets iter.Seq[string], opts *MultiPingOptions) iter.Seq2[*Host, error] {
	return sequence(func(yield func(*Host) bool) error {
		run, err := p.newSweep(opts)
		if err != nil {
			return err
		}
		return run.each(ctx, targets, func(_ int, h *Host) bool { return yield(h) })
	})
}

// withDefaults returns the options with all defaults filled in, or an error if they cannot
// be used.
func (o *MultiPingOptions) withDefaults() (MultiPingOptions, error) {
	opts := given(o)
	if err := cmp.Or(
		refuse(opts.Count < 0 || opts.Count > maxMultiPingCount, "Count", opts.Count, "up to 16777215, or 0 for the default of 2"),
		validateUnit("Interval", opts.Interval), validateProbing(opts.Timeout, opts.Family, &opts.Packet),
	); err != nil {
		return opts, err
	}
	opts.Count = cmp.Or(opts.Count, defaultMultiPingCount)
	opts.Rate = max(0, cmp.Or(opts.Rate, defaultMultiPingRate)) // for a Pacer, 0 means no limit
	opts.Interval = orDefault(opts.Interval, defaultMultiPingInterval)
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	return opts, nil
}

// sweep is the ping of many hosts.
type sweep struct {
	p     *Prober
	opts  MultiPingOptions
	ping  ping.Options
	op    *engine.Op
	yield func(index int, h *Host) bool

	driver   *drive.Driver
	key      socketKey // of the last target, and its sockets: most have the same
	pool     *engine.Pool
	spare    []*pinging // tasks that are done, for other hosts
	progress Progress
}

// newSweep does everything that can fail before anything is sent.
func (p *Prober) newSweep(o *MultiPingOptions) (*sweep, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &sweep{
		p: p, opts: opts,
		ping: ping.Options{Count: opts.Count, Interval: opts.Interval, Timeout: opts.Timeout},
	}, nil
}

// each pings the targets and calls yield for each completed host, until all are complete,
// yield returns false or ctx ends.
func (s *sweep) each(ctx context.Context, targets iter.Seq[string], yield func(int, *Host) bool) error {
	feed, err := s.p.feed(ctx, targets, s.opts.Family, &s.opts.Packet)
	if err != nil {
		return err
	}
	s.yield = yield
	s.driver = s.p.driver(drive.Config{
		Rules: drive.Rules{Timeout: s.opts.Timeout}, Own: engine.NewPacer(s.opts.Rate),
		Targets: feed, Parallel: drive.MaxParallel, Ahead: drive.Ahead, Begin: s.begin,
		Progress: s.progress.reporter(s.opts.Progress),
	})
	defer s.driver.Close()
	cfg := s.p.opConfig(&s.opts.Packet, s.opts.Timeout, netip.Addr{})
	cfg.Patient = true
	s.op = s.driver.NewOp(cfg)
	return s.driver.Run(ctx)
}

// begin begins a target. An error concerns all targets.
func (s *sweep) begin(t *drive.Target) (drive.Task, error) {
	if t.Err == nil {
		if t.Err = s.aim(t.Addr); concernsAll(t.Err) {
			return nil, t.Err
		}
	}
	task, pk := s.task(), &s.opts.Packet
	task.index, task.host = t.Index, &Host{Name: t.Name, Address: t.Addr}
	task.host.KeepRTTs(s.opts.Count)
	task.Plan = ping.New(&s.ping)
	task.line = drive.Line{Pool: s.pool, Op: s.op, Dst: t.Addr, TTL: pk.ttl(), Flow: pk.flow()}
	return task, nil
}

// aim finds the sockets for packets to an address.
func (s *sweep) aim(dst netip.Addr) error {
	key, err := s.opts.Packet.key(&s.p.cfg, dst)
	if err != nil || s.pool != nil && key == s.key {
		return err
	}
	s.key = key
	s.pool, err = s.p.pool(key)
	return err
}

// task returns a task, reused if possible.
func (s *sweep) task() *pinging {
	n := len(s.spare)
	if n == 0 {
		return &pinging{p: s.p, protocol: s.opts.Packet.Protocol, sweep: s}
	}
	t := s.spare[n-1]
	s.spare = s.spare[:n-1]
	return t
}

// completed hands out the host of a finished task, and reports whether to go on.
func (s *sweep) completed(t *pinging) (goOn bool) {
	h := t.host
	t.host = nil
	s.spare = append(s.spare, t)
	s.progress.Completed++
	if h.IsAlive() {
		s.progress.Alive++
	}
	return s.yield(t.index, h)
}

// concernsAll reports whether an error that left one target without sockets concerns all
// targets.
func concernsAll(err error) bool {
	return errors.Is(err, os.ErrPermission) || errors.Is(err, net.ErrClosed)
}

// feed draws targets, and finds the addresses of those that are names for packets of a shape.
func (p *Prober) feed(ctx context.Context, targets iter.Seq[string], family Family, packet *Packet) (*drive.Feed, error) {
	switch {
	case p.closed == nil:
		return nil, errNotMade
	case targets == nil:
		return nil, &ConfigError{Field: "targets", Value: nil, Allowed: "an iterator, such as slices.Values of a list"}
	}
	return drive.NewFeed(ctx, targets, drive.Names{
		Parse: func(name string) (netip.Addr, bool) {
			addr, ok := names.Literal(name, names.Family(family))
			return hosts.Target(addr), ok
		},
		LookUp: func(ctx context.Context, name string) (netip.Addr, error) {
			return p.target(ctx, name, family, packet)
		},
	}), nil
}

// reporter returns a function that reports the progress to the caller, given the number of
// targets drawn so far; nil if the caller wants no reports.
func (g *Progress) reporter(tell func(Progress)) func(targets int) {
	if tell == nil {
		return nil
	}
	return func(targets int) {
		g.Targets = targets
		tell(*g)
	}
}
