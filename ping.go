package icmplib

import (
	"cmp"
	"context"
	"iter"
	"math"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/backlog"
	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/hosts"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/cadence"
	"github.com/goicmp/icmplib/internal/plan/ping"
)

// PingOptions are the options of [Ping] and [PingSeq]. Nil and the zero value mean all
// defaults.
type PingOptions struct {
	// Count is the number of requests. The default is 4; a negative value continues until
	// the context ends.
	Count int

	// Interval is the time from one request to the next, whether or not the first was
	// answered. The default is 1 s. A negative value means none: each request then waits
	// until the one before it is settled. Intervals under a millisecond hold on average:
	// requests that are up to 2 ms late leave together.
	Interval time.Duration

	// Timeout is how long a request waits for its reply. The default is 2 s and the maximum
	// 1 h; a negative value is refused. A later reply counts as late.
	Timeout time.Duration

	// Family chooses among the addresses of a name. The default, [AnyFamily], is IPv4 if
	// this host has a route to such an address, and otherwise IPv6.
	Family Family

	// NewIDAfter is the number of consecutive silent requests after which an endless ping
	// (a negative Count) changes its id, because a firewall or an address translator may
	// hold a broken session for the old id for as long as packets arrive. If a change does
	// not help, the next one follows after twice as many requests. Stats.NewIDs counts the
	// changes. The default is 10; a negative value means never. It has no effect with a
	// Config.ID or a Packet.SourcePort.
	NewIDAfter int

	// ResolveEvery is the interval at which an endless ping looks its name up again. The
	// ping keeps its address while the name still has it, and otherwise moves to the first
	// address of the same family. A failed look-up changes nothing. The default is never; a
	// negative value is refused.
	ResolveEvery time.Duration

	// Buffer is the number of results that may wait while the body of a [PingSeq] loop
	// runs. The ping then runs on a goroutine of its own, and requests leave at their
	// interval however long the body takes. While the buffer is full, no request leaves: no
	// result is lost, and missed requests are not made up for. The default is 0: the loop
	// drives the sending. The maximum is 65,536; a greater or negative value is refused. It
	// has no effect on [Ping].
	Buffer int

	// Packet is the shape of the requests.
	Packet Packet
}

// maxPingBuffer bounds the memory that a ping reserves at its beginning.
const maxPingBuffer = 1 << 16

// Ping sends echo requests to a host, given by name or address, and returns the statistics,
// as icmplib's ping does. Calls share their sockets, which are open only while a call runs;
// a [Prober] keeps them open.
//
// Silence, ICMP errors and packets that the system refused to send are data in the [Host].
// If nothing could be sent at all, Host.Err gives the reason. Ping returns an error if a
// name cannot be resolved ([ErrNameLookup]), an option cannot be used ([*ConfigError]) or a
// socket cannot be opened ([*socket.OpError], with [os.ErrPermission] if that is the
// reason). If ctx ends, or the Prober is closed, after the target was resolved, Ping
// returns the cause together with the Host as it is then.
func Ping(ctx context.Context, target string, opts *PingOptions) (*Host, error) {
	return withShared(func(p *Prober) (*Host, error) { return p.Ping(ctx, target, opts) })
}

// Ping sends echo requests to a host. See the function [Ping].
func (p *Prober) Ping(ctx context.Context, target string, opts *PingOptions) (*Host, error) {
	run, err := p.newPingRun(ctx, target, opts)
	if err != nil {
		return nil, err
	}
	host := &Host{Address: run.dst, Name: target}
	host.KeepRTTs(run.ping.Count)
	return host, run.run(ctx, &pinging{host: host})
}

// PingSeq sends echo requests to a host, given by name or address, and yields each [Result]
// as it becomes known. Calls share their sockets, which are open only while a loop runs; a
// [Prober] keeps them open. For details, see [Prober.PingSeq].
func PingSeq(ctx context.Context, target string, opts *PingOptions) iter.Seq2[Result, error] {
	return overShared(func(p *Prober) iter.Seq2[Result, error] { return p.PingSeq(ctx, target, opts) })
}

// PingSeq sends echo requests to a host and yields each [Result] when it is settled: when
// the reply or an ICMP error arrives, or the timeout passes. It also yields late and
// duplicate replies as they arrive. Results come in the order in which they became known;
// Seq is the order of sending.
//
// Many hosts may answer a broadcast or multicast target, so such a ping lasts until the
// timeout of its last request. A ping also waits that long after a destination unreachable,
// because some routers report one and still forward the packet: the reply then corrects the
// error.
//
// An error ends the sequence. If ctx ends, PingSeq yields the open requests as
// [StatusUnsettled], and then the context's cause. Leaving the loop ends the ping: nothing
// of it runs after that. The loop drives the sending: no request leaves while its body
// runs, unless PingOptions.Buffer lets results wait. The body does not affect the measured
// times.
func (p *Prober) PingSeq(ctx context.Context, target string, opts *PingOptions) iter.Seq2[Result, error] {
	return sequence(func(yield func(Result) bool) error {
		run, err := p.newPingRun(ctx, target, opts)
		if err != nil {
			return err
		}
		return run.buffered(ctx, yield)
	})
}

// withDefaults returns the options with all defaults filled in, or an error if they cannot
// be used.
func (o *PingOptions) withDefaults() (PingOptions, error) {
	opts := given(o)
	if err := cmp.Or(
		refuse(opts.ResolveEvery < 0, "ResolveEvery", opts.ResolveEvery, "an interval, or 0 for never"),
		refuse(opts.Buffer < 0 || opts.Buffer > maxPingBuffer, "Buffer", opts.Buffer, "up to 65536 results, or 0 for none"),
		validateUnit("Interval", opts.Interval), validateUnit("ResolveEvery", opts.ResolveEvery),
		validateProbing(opts.Timeout, opts.Family, &opts.Packet),
	); err != nil {
		return opts, err
	}
	opts.Count = cmp.Or(opts.Count, defaultPingCount)
	opts.Interval = orDefault(opts.Interval, defaultPingInterval)
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	opts.NewIDAfter = cmp.Or(opts.NewIDAfter, defaultNewIDAfter)
	return opts, nil
}

// pinging is the ping of one host: a task of the driver. Its results go to yield or, if
// yield is nil, into its host.
type pinging struct {
	ping.Plan
	p        *Prober
	line     drive.Line
	protocol Protocol

	host  *Host
	index int    // of the target
	sweep *sweep // nil: one host is pinged

	endless *endless // nil: the ping has an end

	yield    func(Result) bool
	news     []Result
	inFlight ping.InFlight // requests; without yield, they are only counted
	failed   error         // why the ping cannot go on
}

// Line returns the line that all requests use.
func (t *pinging) Line(*plan.Probe) (*drive.Line, error) { return &t.line, nil }

// Sent notes that a request was sent.
func (t *pinging) Sent(k plan.Key, at time.Time) {
	if t.yield == nil {
		t.host.Err = nil
	} else {
		t.inFlight.Sent(t.Tried(), at)
	}
	if t.sweep != nil {
		t.sweep.progress.PacketsSent++
	}
	t.Plan.Sent(k, at)
}

// Refused keeps the reason why the system did not send a request.
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

// Heard keeps an outcome of a request.
func (t *pinging) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	seq, dst := k.Ordinal(t.Tried()), t.line.Dst
	if t.endless != nil {
		dst = t.endless.moved.Target(seq, dst)
	}
	var r Result
	t.p.outcome(&r, o, dst, t.protocol)
	r.Seq = seq
	if t.endless != nil {
		t.endless.judge(t, &r)
	}
	settles := o.Fate.Settles()
	t.Observe(now, &plan.Observation{Key: k, Kind: r.kind(), Settles: settles, Duplicate: r.Duplicate, Sent: r.Sent})
	if t.yield != nil {
		t.news = append(t.news, r)
		if settles {
			t.inFlight.Settle(r.Seq)
		}
		return
	}
	t.host.count(&r, false)
	if r.Cause != nil && t.host.PacketsReceived == 0 {
		t.host.Err = r.Cause // nothing can be received
	}
	if t.sweep != nil && r.Status == StatusReply && (r.Settles() || r.Corrects && !r.Late) {
		t.sweep.progress.PacketsReceived++
	}
}

// HasNews reports whether results are ready.
func (t *pinging) HasNews() bool { return len(t.news) > 0 }

// Hand yields the results that are ready.
func (t *pinging) Hand() (goOn bool) {
	for i := range t.news {
		if !t.yield(t.news[i]) {
			return false
		}
	}
	t.news = t.news[:0]
	return true
}

// End completes the host, or yields the requests that are not settled.
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
	for seq, sent := range t.inFlight.All() {
		t.news = append(t.news, Result{Dst: t.line.Dst, Status: StatusUnsettled, Seq: seq, TTL: t.line.TTL, Sent: sent})
	}
	return t.Hand()
}

// driver returns the driver of an operation.
func (p *Prober) driver(cfg drive.Config) *drive.Driver { return drive.New(p.driverConfig(cfg)) }

// driverConfig fills in what all drivers of the Prober have in common.
func (p *Prober) driverConfig(cfg drive.Config) drive.Config {
	cfg.Closed, cfg.All, cfg.Locks = p.closed, p.pacer, &p.locks
	return cfg
}

// pingRun is the ping of one host.
type pingRun struct {
	p       *Prober
	pool    *engine.Pool
	dst     netip.Addr
	packet  *Packet
	timeout time.Duration
	buffer  int // results that may wait; 0: the caller's goroutine sends
	ping    ping.Options
	cfg     drive.Config
	patient bool // a parameter problem settles no request, because the reply may still come
	endless *endless
}

// newPingRun does everything that can fail before anything is sent.
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
		p: p, pool: pool, dst: dst, packet: &opts.Packet, timeout: opts.Timeout, buffer: opts.Buffer, patient: true,
		ping: ping.Options{Count: opts.Count, Interval: opts.Interval, Timeout: opts.Timeout},
	}
	if opts.Packet.isGroup(dst) {
		r.ping.Linger = opts.Timeout
	}
	if opts.Count < 0 {
		r.endless = newEndless(target, &opts)
	}
	return r, nil
}

// run sends the requests until all are settled, the caller wants no more or ctx ends.
func (r *pingRun) run(ctx context.Context, t *pinging) error {
	r.cfg.Timeout = r.timeout
	d := r.p.driver(r.cfg)
	defer d.Close()
	op := r.p.opConfig(r.packet, r.timeout, r.dst)
	op.Patient = r.patient
	t.endless = r.endless
	t.Plan, t.p, t.protocol = ping.New(&r.ping), r.p, r.packet.Protocol
	t.line = drive.Line{Pool: r.pool, Op: d.NewOp(op), Dst: r.dst, TTL: r.packet.ttl(), Flow: r.packet.flow()}
	d.Add(t)
	if r.endless != nil {
		r.endless.begin(d, t)
	}
	return cmp.Or(d.Run(ctx), t.failed)
}

// each sends the requests and calls yield with each result, until all are settled,
// yield returns false or ctx ends.
func (r *pingRun) each(ctx context.Context, yield func(Result) bool) error {
	return r.run(ctx, &pinging{yield: yield})
}

// buffered is each, but while yield runs requests leave as long as there is room for
// results.
func (r *pingRun) buffered(ctx context.Context, yield func(Result) bool) error {
	if r.buffer == 0 {
		return r.each(ctx, yield)
	}
	return backlog.Ahead(ctx, r.buffer, r.each, yield)
}

// endless is the additional state of an endless ping, which may change its id and the
// address of its name.
type endless struct {
	opts *PingOptions
	name string // to look up again; "": none

	t     *pinging
	pulse cadence.Pulse
	turn  uint8       // which of watchTurns ids it uses
	moved hosts.Moves // of the name
}

func newEndless(target string, opts *PingOptions) *endless {
	e := &endless{opts: opts}
	if _, err := netip.ParseAddr(target); err != nil && opts.ResolveEvery > 0 {
		e.name = target
	}
	return e
}

// begin starts the repeated look-ups of the name.
func (e *endless) begin(d *drive.Driver, t *pinging) {
	e.t = t
	if e.name == "" {
		return
	}
	now, family := time.Now(), familyOf(t.line.Dst)
	d.Renew(&drive.Name{
		Renewal: cadence.NewRenewal(cadence.Beat{Epoch: now, Interval: e.opts.ResolveEvery, Phase: e.opts.ResolveEvery}, 0, true, now),
		Find: func(ctx context.Context) ([]netip.Addr, error) {
			return t.p.resolveFor(ctx, e.name, family, &e.opts.Packet)
		},
		Found: e.move,
	})
}

// move switches to another address if the name has lost the one in use. If the look-up
// failed, or there is no socket for the new address, nothing changes until the next
// look-up.
func (e *endless) move(addrs []netip.Addr, err error) {
	if err != nil {
		return
	}
	t := e.t
	dst, moved := hosts.Moved(addrs, t.line.Dst)
	if pk := &e.opts.Packet; !moved || pk.isGroup(dst) != pk.isGroup(t.line.Dst) {
		return // groups need another operation of the engine
	}
	pool, err := e.pool(dst)
	if err != nil {
		return
	}
	e.moved.Add(t.line.Dst, t.Tried())
	t.line.Dst, t.line.Pool = dst, pool
}

// pool returns the sockets for packets to an address, with the id in use.
func (e *endless) pool(dst netip.Addr) (*engine.Pool, error) {
	key, err := e.opts.Packet.key(&e.t.p.cfg, dst)
	if err != nil {
		return nil, err
	}
	key.turn = e.turn
	return e.t.p.pool(key)
}

// judge changes the id after a run of silent requests, and marks the result that completed
// the run.
func (e *endless) judge(t *pinging, r *Result) {
	fate, ok := pulseFate(r)
	if !ok || e.opts.NewIDAfter <= 0 || t.p.cfg.ID != 0 || e.opts.Packet.SourcePort != 0 {
		return
	}
	if _, also := e.pulse.Observe(r.Seq, fate, math.MaxInt, e.opts.NewIDAfter); also != cadence.Stuck {
		return
	}
	e.turn = (e.turn + 1) % watchTurns
	if pool, err := e.pool(t.line.Dst); err == nil {
		t.line.Pool, r.NewID = pool, true
	}
}
