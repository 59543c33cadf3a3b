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
	"github.com/goicmp/icmplib/internal/plan/ping"
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
	progress progressReport
}

// newSweep does all that can fail before anything is sent.
func (p *Prober) newSweep(o *MultiPingOptions) (*sweep, error) {
	if p.closed == nil {
		return nil, errNotMade
	}
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &sweep{
		p: p, opts: opts,
		ping:     ping.Options{Count: opts.Count, Interval: opts.Interval, Timeout: opts.Timeout},
		progress: progressReport{tell: opts.Progress},
	}, nil
}

// each pings the targets and calls yield for each host that is completed, until
// all are, yield returns false or ctx ends.
func (s *sweep) each(ctx context.Context, targets iter.Seq[string], yield func(int, *Host) bool) error {
	if targets == nil {
		return errNoTargets()
	}
	s.yield = yield
	feed := drive.NewFeed(ctx, targets, s.p.names(s.opts.Family, &s.opts.Packet))
	s.driver = s.p.driver(drive.Config{
		Own: engine.NewPacer(s.opts.Rate), Timeout: s.opts.Timeout,
		Targets: feed, Parallel: drive.MaxParallel, Ahead: drive.Ahead, Begin: s.begin,
		Progress: func(last bool) { s.progress.report(feed, last) },
	})
	defer s.driver.Close()
	cfg := s.p.opConfig(&s.opts.Packet, s.opts.Timeout, netip.Addr{})
	cfg.Patient = true
	s.op = s.driver.NewOp(cfg)
	return s.driver.Run(ctx)
}

// begin begins a target. One that cannot be sent to is completed at once; an error is
// what concerns all of them.
func (s *sweep) begin(t drive.Target) (drive.Task, error) {
	pk, err := &s.opts.Packet, t.Err
	if err == nil {
		err = s.aim(t.Addr)
	}
	if concernsAll(err) {
		return nil, err
	}
	task := s.task()
	task.index, task.host = t.Index, &Host{Name: t.Name, Address: t.Addr, Err: err}
	task.host.KeepRTTs(s.opts.Count)
	if err != nil {
		if !s.completed(task) {
			s.driver.Stop()
		}
		return nil, nil
	}
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

// task returns a task, which may have served before.
func (s *sweep) task() *pinging {
	n := len(s.spare)
	if n == 0 {
		return &pinging{p: s.p, protocol: s.opts.Packet.Protocol, sweep: s}
	}
	t := s.spare[n-1]
	s.spare = s.spare[:n-1]
	return t
}

// completed hands out the host of a task that is done, and reports whether to go on.
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

// errNoTargets refuses an iterator that is not there.
func errNoTargets() error {
	return &ConfigError{Field: "targets", Value: nil, Allowed: "an iterator, such as slices.Values of a list"}
}

// concernsAll reports whether an error of a target is one of all of them.
func concernsAll(err error) bool {
	return errors.Is(err, os.ErrPermission) || errors.Is(err, net.ErrClosed)
}

// names says how names of targets become addresses for packets of a shape.
func (p *Prober) names(family Family, packet *Packet) drive.Names {
	return drive.Names{
		Parse: func(name string) (netip.Addr, bool) {
			addr, err := netip.ParseAddr(name)
			if err != nil || addr.Zone() != "" || !family.includes(addr) {
				return netip.Addr{}, false
			}
			return thisHost(addr.Unmap()), true
		},
		LookUp: func(ctx context.Context, name string) (netip.Addr, error) {
			addrs, err := p.resolveFor(ctx, name, family, packet)
			if err != nil {
				return netip.Addr{}, err
			}
			return thisHost(addrs[0]), nil
		},
	}
}

// progressEvery bounds how often Progress is called.
const progressEvery = 100 * time.Millisecond

// progressReport is how far a sweep has come, and who is told.
type progressReport struct {
	Progress
	tell func(Progress) // nil: nobody
	told time.Time
}

// report tells, but not too often save for the last time.
func (r *progressReport) report(targets interface{ Count() int }, last bool) {
	if r.tell == nil {
		return
	}
	now := time.Now()
	if !last && now.Sub(r.told) < progressEvery {
		return
	}
	r.told = now
	r.Targets = targets.Count()
	r.tell(r.Progress)
}
