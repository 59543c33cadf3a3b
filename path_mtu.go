package icmplib

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/pmtu"
	"github.com/goicmp/icmplib/internal/words"
)

// MTUReport is the size of the largest packet that reaches a target without fragmentation:
// the result of [Prober.PathMTU]. All sizes are in bytes, of the whole IP packet.
type MTUReport struct {
	// Address is the address that was probed, and Name the target as the caller wrote it.
	Address netip.Addr
	Name    string

	// MTU is the MTU of the path: the largest packet that arrives, subject to Confirmed and
	// Exact. It is 0 if it is unknown: packets larger than the smallest were not answered,
	// and did not leave because this system refused them for a reason other than their
	// size.
	MTU int

	// Reached is set if the target answers. If it does not, MTU is that of the path to the
	// farthest router that does.
	Reached bool

	// Confirmed is set if a packet of exactly MTU bytes was answered: by the target or, if
	// Reached is not set, by the farthest router that answers.
	Confirmed bool

	// Exact is set if a packet of MTU+1 bytes is known not to arrive: a node reported it,
	// or the packet stayed silent while small ones were answered. Otherwise, MTU is the
	// largest size that was tried, or the last one that could be decided.
	Exact bool

	// LocalMTU is the largest packet that this system sends towards the target; 0 if it is
	// greater than the largest size that was tried.
	LocalMTU int

	// Hops are the hops on the path that the probes found, in order of distance, silent
	// ones included.
	Hops []HopMTU

	// BlackHoles are the places where packets that are too big vanish without a report from
	// a router, in order of distance.
	BlackHoles []BlackHole
}

// HopMTU is a router on the path, or the target.
type HopMTU struct {
	Distance int        `json:"distance"` // the TTL or hop limit at which it answers
	Address  netip.Addr `json:"address"`  // the zero Addr if it is silent

	// MTU is the largest packet that gets from this system across the link behind this hop,
	// so it never grows with the distance. At the target it is the MTU of the path. It is 0
	// if it is unknown.
	MTU int `json:"mtu,omitzero"`

	// Source is how MTU became known.
	Source MTUSource `json:"source"`

	// ReportedBy is the address that reported the MTU, if Source is [MTUReported].
	ReportedBy netip.Addr `json:"reported_by,omitzero"`
}

// BlackHole is a link that packets over a certain size do not pass and whose router does
// not report it (RFC 2923 section 2.1).
type BlackHole struct {
	// After is the last hop that answers packets that are too big for the link, and Before
	// the next one that answers smaller ones. Both are distances; 0 is this system. The
	// addresses are in Hops.
	After  int `json:"after"`
	Before int `json:"before"`

	// Replies is set if probes reach the target, and its replies, which are as large,
	// vanish or are never sent: somewhere between the target (After) and this system
	// (Before). UDP probes, whose answers are small, find this. Unsure is set if the target
	// does not answer those, so that either probes or replies vanish.
	Replies bool `json:"replies,omitzero"`
	Unsure  bool `json:"unsure,omitzero"`

	// Passes is the largest size that passes, and Fails the smallest that is known to fail.
	Passes int `json:"passes"`
	Fails  int `json:"fails"`
}

// MTUSource is how an MTU is known.
type MTUSource uint8

// The sources of an MTU.
const (
	MTUKept     MTUSource = iota // it equals that of the hop before
	MTUReported                  // a router reported it
	MTUMeasured                  // probes found it, because no report came or the report is wrong
)

var mtuSources = words.Table[MTUSource]{What: "source of an MTU", Other: "unknown", Words: []string{"kept", "reported", "measured"}}

// String returns "kept", "reported" or "measured".
func (s MTUSource) String() string { return mtuSources.String(s) }

// MarshalText returns the word, as encoding/json uses it.
func (s MTUSource) MarshalText() ([]byte, error) { return mtuSources.Marshal(s) }

// UnmarshalText sets s to the source with the given word. An unknown word is an error.
func (s *MTUSource) UnmarshalText(word []byte) error { return mtuSources.Unmarshal(s, word) }

// PathMTU finds the MTU of the path to a host, given by name or address. Calls share their
// sockets, which are open only while a call runs; a [Prober] keeps them open. For details,
// see [Prober.PathMTU].
func PathMTU(ctx context.Context, target string, opts *PathMTUOptions) (*MTUReport, error) {
	return withShared(func(p *Prober) (*MTUReport, error) { return p.PathMTU(ctx, target, opts) })
}

// PathMTU finds the size of the largest packet that reaches a host, given by name or
// address, and where on the path larger ones are dropped. It needs no privileges. It
// ignores the path MTU that the system has cached.
//
// Silent targets and routers are not errors: the fields of [MTUReport] say what is known.
// Errors are those of [Ping]. If ctx ends after sending began, PathMTU returns its cause
// together with what is known by then.
func (p *Prober) PathMTU(ctx context.Context, target string, opts *PathMTUOptions) (*MTUReport, error) {
	run, err := p.newPathMTU(ctx, target, opts)
	if err != nil {
		return nil, err
	}
	err = run.find(ctx)
	return run.report(), err
}

// PathMTUOptions are the options of [PathMTU]. Nil and the zero value mean all defaults.
type PathMTUOptions struct {
	// Count is the number of packets of one size that are sent before their silence is
	// examined, 1 to 100. The default is 3. Whatever Count is, a size counts as failing
	// only if so many small packets are answered at the same time that chance is ruled out.
	Count int

	// Interval is the time from one packet to the next. The default is 100 ms; a
	// negative value means none.
	Interval time.Duration

	// Timeout is how long a probe waits for its answer. The default is 2 s and the maximum
	// 1 h; a negative value is refused.
	Timeout time.Duration

	// MaxHops is the greatest distance, 1 to 255. The default is 30.
	MaxHops int

	// MaxMTU is the largest packet to try, in bytes. The default is the largest that this
	// system can send to the target in one piece, at most 65,535.
	MaxMTU int

	// Family chooses among the addresses of a name. The default, [AnyFamily], is IPv4 if
	// this host has a route to such an address, and otherwise IPv6.
	Family Family

	// Packet is the shape of the probes: Protocol is [ICMP] or [UDP]. Size, Payload and TTL
	// must be zero, because the probes differ in them. DontFragment is always set.
	Packet Packet
}

const (
	defaultPathMTUCount    = 3
	defaultPathMTUInterval = 100 * time.Millisecond
	maxPathMTUCount        = 100
)

// withDefaults returns the options with all defaults filled in, or an error if they cannot
// be used.
func (o *PathMTUOptions) withDefaults() (PathMTUOptions, error) {
	opts := given(o)
	opts.Count = cmp.Or(opts.Count, defaultPathMTUCount)
	opts.MaxHops = cmp.Or(opts.MaxHops, defaultMaxHops)
	opts.MaxMTU = cmp.Or(opts.MaxMTU, pmtu.Largest)
	if err := opts.validate(); err != nil {
		return opts, err
	}
	opts.Interval = orDefault(opts.Interval, defaultPathMTUInterval)
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	opts.Packet.DontFragment = true
	return opts, nil
}

func (o *PathMTUOptions) validate() error {
	pk := &o.Packet
	return cmp.Or(
		refuse(o.Count < 1 || o.Count > maxPathMTUCount, "Count", o.Count, "1 to 100, or 0 for the default of 3"),
		refuse(o.MaxHops < 1 || o.MaxHops > maxTTL, "MaxHops", o.MaxHops, "1 to 255, or 0 for the default of 30"),
		refuse(o.MaxMTU < pmtu.Least4 || o.MaxMTU > pmtu.Largest, "MaxMTU", o.MaxMTU, "68 to 65535 bytes (1280 at the least with IPv6), or 0 for the largest there is"),
		refuse(pk.Protocol == TCP || pk.Protocol == SCTP, "Protocol", pk.Protocol, "ICMP or UDP: probes of TCP and SCTP carry no data, so their size cannot be chosen"),
		refuse(pk.TTL != 0, "TTL", pk.TTL, "0: it is set as is needed"),
		refuse(pk.Size != 0, "Size", pk.Size, "0: it is what is tried; see MaxMTU"),
		refuse(pk.Service != NoService, "Service", pk.Service, "NoService: the size of a service's message is given"),
		refuse(pk.Payload != nil, "Payload", len(pk.Payload), "none: its size is what is tried"),
		validateUnit("Interval", o.Interval),
		validateProbing(o.Timeout, o.Family, pk),
	)
}

// LogValue returns the target, the MTU, whether it is confirmed and exact, and the number
// of black holes.
func (r MTUReport) LogValue() slog.Value {
	var a fields.Attrs
	a.Target(r.Name, r.Address)
	a = append(a, slog.Int("mtu", r.MTU), slog.Bool("reached", r.Reached), slog.Bool("confirmed", r.Confirmed), slog.Bool("exact", r.Exact))
	a.Count("black_holes", len(r.BlackHoles))
	return a.Group()
}

// mtuRun finds the MTU of a path: a task of the driver.
type mtuRun struct {
	*pmtu.Plan
	drive.AtEnd
	p         *Prober
	pool      *engine.Pool
	datagrams *engine.Pool // for probes of flow 1; nil: none
	dst       netip.Addr
	name      string
	opts      PathMTUOptions
	driver    *drive.Driver
	lines     map[mtuShape]*drive.Line
}

// mtuShape is what the probes of one line have in common.
type mtuShape struct {
	size      int
	datagrams bool
}

// newPathMTU does everything that can fail before anything is sent.
func (p *Prober) newPathMTU(ctx context.Context, target string, o *PathMTUOptions) (*mtuRun, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	dst, pool, err := p.aim(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	if err := refuse(opts.MaxMTU < pmtu.Least(dst), "MaxMTU", opts.MaxMTU, "at least 1280 for the target ", dst.String(), ": each link of IPv6 takes that"); err != nil {
		return nil, err
	}
	return &mtuRun{p: p, pool: pool, dst: dst, name: target, opts: opts, lines: map[mtuShape]*drive.Line{}}, nil
}

// find searches until everything is known or ctx ends.
func (r *mtuRun) find(ctx context.Context) error {
	cfg := pmtu.Config{
		Least: pmtu.Least(r.dst), Largest: r.opts.MaxMTU, MaxHops: r.opts.MaxHops, Count: r.opts.Count,
		Interval: r.opts.Interval, Timeout: r.opts.Timeout,
		TooBig: func(err error) bool { return errors.Is(err, syscall.EMSGSIZE) },
		Guess:  r.linkMTU,
	}
	if r.opts.Packet.Protocol == ICMP {
		cfg.Datagrams = r.useDatagrams
	}
	r.Plan = pmtu.New(cfg)
	r.driver = r.p.driver(drive.Config{Rules: drive.Rules{Timeout: r.opts.Timeout, Ends: isConfigError}})
	defer r.driver.Close()
	r.driver.Add(r)
	if err := r.driver.Run(ctx); err != nil {
		return err
	}
	return cmp.Or(r.Failed, r.Err())
}

// useDatagrams opens the sockets for datagrams, and reports whether it could.
func (r *mtuRun) useDatagrams() bool {
	packet := r.opts.Packet
	packet.Protocol = UDP
	pool, err := r.p.poolFor(&packet, r.dst)
	if err == nil {
		r.datagrams = pool
	}
	return err == nil
}

// Line returns the line for probes of one size.
func (r *mtuRun) Line(p *plan.Probe) (*drive.Line, error) {
	shape := mtuShape{size: cmp.Or(p.Size, pmtu.Least(r.dst)), datagrams: p.Flow == 1}
	if line := r.lines[shape]; line != nil {
		return line, nil
	}
	packet, pool := r.opts.Packet, r.pool
	packet.Size = pmtu.Payload(shape.size, r.dst)
	if shape.datagrams {
		packet.Protocol, pool = UDP, r.datagrams
	}
	cfg := r.p.opConfig(&packet, r.opts.Timeout, r.dst)
	cfg.Unclear = true
	line := &drive.Line{Pool: pool, Op: r.driver.NewOp(cfg), Dst: r.dst, Flow: packet.flow()}
	r.lines[shape] = line
	return line, nil
}

// Heard passes the result of a probe to the plan.
func (r *mtuRun) Heard(k plan.Key, o *engine.Outcome, now time.Time) {
	protocol := r.opts.Packet.Protocol
	if r.IsDatagram(k) {
		protocol = UDP
	}
	_, seen := r.p.observed(k, o, r.dst, protocol)
	r.Observe(now, &seen)
}

// report returns what is known.
func (r *mtuRun) report() *MTUReport {
	m := &MTUReport{
		Address: r.dst, Name: r.name, MTU: r.MTU, Reached: r.Reached, Confirmed: r.Confirmed, Exact: r.Exact, LocalMTU: r.LocalMTU,
	}
	for _, h := range r.Hops {
		m.Hops = append(m.Hops, HopMTU{Distance: h.Distance, Address: h.Address, MTU: h.MTU, Source: MTUSource(h.Source), ReportedBy: h.ReportedBy})
	}
	for _, h := range r.Holes {
		m.BlackHoles = append(m.BlackHoles, BlackHole(h))
	}
	return m
}

// linkMTU returns the MTU of the interface that leads to the target, as a first guess, or 0
// if it is unknown.
func (r *mtuRun) linkMTU() int {
	key, err := r.opts.Packet.key(&r.p.cfg, r.dst)
	if err != nil || r.p.other != nil {
		return 0
	}
	return key.LinkMTU(r.dst)
}
