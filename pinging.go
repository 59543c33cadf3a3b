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
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/ping"
)

// pinging is a host that is being pinged: a task of the driver. The results go into
// its host, or to yield where that is not nil.
type pinging struct {
	ping.Plan
	p        *Prober
	line     drive.Line
	protocol Protocol

	host  *Host
	index int    // of the target
	sweep *sweep // nil: the ping is of one host

	yield   func(Result) bool
	news    []Result
	pending []inFlight // requests from the first one that has no fate on
	failed  error      // why it cannot go on
}

// inFlight is a request that has left.
type inFlight struct {
	seq     int
	sent    time.Time
	settled bool
}

// Line returns what all requests leave by.
func (t *pinging) Line(*plan.Probe) (*drive.Line, error) { return &t.line, nil }

// Sent notes that a request has left.
func (t *pinging) Sent(k plan.Key, at time.Time) {
	if t.yield == nil {
		t.host.Err = nil
	} else {
		t.pending = append(t.pending, inFlight{seq: t.Tried(), sent: at})
	}
	if t.sweep != nil {
		t.sweep.progress.PacketsSent++
	}
	t.Plan.Sent(k, at)
}

// Refused keeps what the system says against a request.
func (t *pinging) Refused(k plan.Key, err error, now time.Time) {
	r := refusedResult(t.line.Dst, t.Tried(), t.line.TTL, err)
	t.Plan.Refused(k, err, now)
	if t.yield != nil {
		t.news = append(t.news, r)
		return
	}
	t.host.Add(r)
	if t.host.PacketsSent == 0 && t.Open() == 0 {
		t.host.Err = err
	}
}

// Heard keeps what became known of a request.
func (t *pinging) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	r := t.p.outcome(o, t.line.Dst, t.protocol)
	r.Seq = k.Ordinal(t.Tried())
	settles := o.Fate.Settles()
	t.Observe(now, &plan.Observation{Key: k, Kind: r.kind(), Settles: settles, Duplicate: r.Duplicate, Sent: r.Sent})
	if t.yield != nil {
		t.news = append(t.news, r)
		if settles {
			t.settle(r.Seq)
		}
		return
	}
	t.host.Add(r)
	if r.Cause != nil && t.host.PacketsReceived == 0 {
		t.host.Err = r.Cause // nothing can be received
	}
	if t.sweep != nil && r.Status == StatusReply && (r.Settles() || r.Corrects && !r.Late) {
		t.sweep.progress.PacketsReceived++
	}
}

// settle notes that a request has its fate.
func (t *pinging) settle(seq int) {
	i, found := slices.BinarySearchFunc(t.pending, seq, func(q inFlight, seq int) int { return q.seq - seq })
	if found {
		t.pending[i].settled = true
	}
	for len(t.pending) > 0 && t.pending[0].settled {
		t.pending = t.pending[1:]
	}
}

// HasNews reports whether there are results to hand out.
func (t *pinging) HasNews() bool { return len(t.news) > 0 }

// Hand hands them out.
func (t *pinging) Hand() (goOn bool) {
	for i := range t.news {
		if !t.yield(t.news[i]) {
			return false
		}
	}
	t.news = t.news[:0]
	return true
}

// End completes the host, or hands out the requests whose fates will not be known.
func (t *pinging) End(err error) (goOn bool) {
	if t.yield == nil {
		t.host.abandon(t.Open())
		if err != nil && t.Tried() == 0 {
			t.host.Err = err
		}
		return t.sweep == nil || t.sweep.completed(t)
	}
	if isConfigError(err) {
		t.failed = err
	}
	for _, q := range t.pending {
		if !q.settled {
			t.news = append(t.news, Result{Dst: t.line.Dst, Status: StatusUnsettled, Seq: q.seq, TTL: t.line.TTL, Sent: q.sent})
		}
	}
	return t.Hand()
}

// driver returns the driver of an operation.
func (p *Prober) driver(cfg drive.Config) *drive.Driver {
	cfg.Closed, cfg.All, cfg.Locks = p.closed, p.pacer, &p.locks
	return drive.New(cfg)
}

// pingRun is the ping of one host.
type pingRun struct {
	p       *Prober
	pool    *engine.Pool
	dst     netip.Addr
	packet  *Packet
	timeout time.Duration
	ping    ping.Options
	cfg     drive.Config
	patient bool // a parameter problem settles no request, for the reply may come
}

// newPingRun does all that can fail before anything is sent.
func (p *Prober) newPingRun(ctx context.Context, target string, o *PingOptions) (*pingRun, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	dst, pool, err := p.aim(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	r := &pingRun{
		p: p, pool: pool, dst: dst, packet: &opts.Packet, timeout: opts.Timeout, patient: true,
		ping: ping.Options{Count: opts.Count, Interval: opts.Interval, Timeout: opts.Timeout},
	}
	if opts.Packet.isGroup(dst) {
		r.ping.Linger = opts.Timeout
	}
	return r, nil
}

// run drives the task of the ping.
func (r *pingRun) run(ctx context.Context, t *pinging) error {
	r.cfg.Timeout = r.timeout
	d := r.p.driver(r.cfg)
	defer d.Close()
	op := r.p.opConfig(r.packet, r.timeout, r.dst)
	op.Patient = r.patient
	t.Plan, t.p, t.protocol = ping.New(&r.ping), r.p, r.packet.Protocol
	t.line = drive.Line{Pool: r.pool, Op: d.NewOp(op), Dst: r.dst, TTL: r.packet.ttl(), Flow: r.packet.flow()}
	d.Add(t)
	return cmp.Or(d.Run(ctx), t.failed)
}

// each sends the requests and calls yield with each result, until all are settled,
// yield returns false or ctx ends.
func (r *pingRun) each(ctx context.Context, yield func(Result) bool) error {
	return r.run(ctx, &pinging{yield: yield})
}

// into sends the requests and adds their results to a host.
func (r *pingRun) into(ctx context.Context, h *Host) error {
	return r.run(ctx, &pinging{host: h})
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
