package icmplib

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/plan/loss"
	"github.com/goicmp/icmplib/internal/words"
)

// ExplainLossOptions are the options of [ExplainLoss]. Nil and the zero value mean all
// defaults, which take about 75 s and send 260 probes to each hop.
type ExplainLossOptions struct {
	// SlowCount probes are sent to each hop first, one every SlowInterval. The
	// defaults are 60 and 1 s; fewer than 10 are refused.
	SlowCount    int
	SlowInterval time.Duration

	// FastCount probes follow, one every FastInterval. The defaults are 200 and
	// 50 ms; fewer than 10 are refused, and so is an interval of more than a
	// quarter of the other one, or less than 1 ms.
	FastCount    int
	FastInterval time.Duration

	// FirstHop and MaxHops are the first and the last TTL, from 1 to 255. The defaults are
	// 1, and 30 or FirstHop, whichever is greater.
	FirstHop int
	MaxHops  int

	// Timeout is how long a probe waits for its answer. The default is 2 s and the maximum
	// 1 h; a negative value is refused.
	Timeout time.Duration

	// Family chooses among the addresses of a name. The default, [AnyFamily], is IPv4 if
	// this host has a route to such an address, and otherwise IPv6.
	Family Family

	// Packet is the shape of the probes, as in [TracerouteOptions].
	Packet Packet
}

// The defaults of ExplainLossOptions.
const (
	defaultSlowCount    = 60
	defaultSlowInterval = time.Second
	defaultFastCount    = 200
	defaultFastInterval = 50 * time.Millisecond
)

// withDefaults returns the options with all defaults filled in, or an error if they cannot
// be used.
func (o *ExplainLossOptions) withDefaults() (ExplainLossOptions, error) {
	opts := given(o)
	opts.SlowCount = cmp.Or(opts.SlowCount, defaultSlowCount)
	opts.FastCount = cmp.Or(opts.FastCount, defaultFastCount)
	opts.SlowInterval = cmp.Or(opts.SlowInterval, defaultSlowInterval)
	opts.FastInterval = cmp.Or(opts.FastInterval, min(defaultFastInterval, opts.SlowInterval/loss.RateRatio))
	if err := cmp.Or(
		validateUnit("SlowInterval", opts.SlowInterval), validateUnit("FastInterval", opts.FastInterval),
		refuse(opts.SlowInterval < loss.RateRatio*minMonitorInterval, "SlowInterval", opts.SlowInterval, "4 ms or more, or 0 for the default of 1 s"),
		refuse(opts.SlowCount < loss.MinCount, "SlowCount", opts.SlowCount, "10 or more, or 0 for the default of 60"),
		refuse(opts.FastCount < loss.MinCount, "FastCount", opts.FastCount, "10 or more, or 0 for the default of 200"),
		refuse(opts.FastInterval < minMonitorInterval || opts.FastInterval > opts.SlowInterval/loss.RateRatio, "FastInterval", opts.FastInterval, "1 ms to a quarter of SlowInterval, or 0 for the default of 50 ms"),
	); err != nil {
		return opts, err
	}
	_, err := opts.phase(opts.SlowCount, opts.SlowInterval, opts.MaxHops).withDefaults()
	return opts, err
}

// LossVerdict is what happens to the answers of a hop, or to the packets on a path.
type LossVerdict uint8

// The verdicts.
const (
	LossUnclear LossVerdict = iota // the figures do not suffice
	LossNone                       // nothing is lost
	LossFound                      // packets are lost, the same share at both rates
	LossLimited                    // answers are limited: their share is smaller at the fast rate
)

var lossVerdicts = words.Table[LossVerdict]{What: "verdict on loss", Other: "unclear", Words: []string{"unclear", "none", "loss", "rate-limited"}}

// String returns the verdict as a word, such as "loss" or "rate-limited".
func (v LossVerdict) String() string { return lossVerdicts.String(v) }

// MarshalText returns the word, as encoding/json uses it.
func (v LossVerdict) MarshalText() ([]byte, error) { return lossVerdicts.Marshal(v) }

// UnmarshalText sets v to the verdict with the given word. An unknown word is an error.
func (v *LossVerdict) UnmarshalText(word []byte) error { return lossVerdicts.Unmarshal(v, word) }

// LossReport is the result of [Prober.ExplainLoss].
type LossReport struct {
	// Address is the address that was probed, and Name the target as the caller wrote it.
	Address netip.Addr
	Name    string

	// Reached is set if the target answered.
	Reached bool

	// Verdict is that of the whole path in both directions. It is LossUnclear if the target
	// was not reached.
	Verdict LossVerdict

	// From is the distance of the hop at which loss begins, or 0 if the Verdict is not
	// LossFound.
	From int

	// Hops are all hops up to the end of the path, silent ones included.
	Hops []HopLoss
}

// HopLoss is the finding about one hop.
type HopLoss struct {
	Distance int        `json:"distance"` // the TTL, or hop limit, of the probes
	Address  netip.Addr `json:"address"`  // the address that answers; the zero Addr for a silent hop

	// Slow and Fast are the answered shares at each of the two rates.
	Slow LossShare `json:"slow"`
	Fast LossShare `json:"fast"`

	// Verdict is that of the hop's own answers. Lost answers do not mean that packets to
	// the target are lost: see Path.
	Verdict LossVerdict `json:"verdict"`

	// Path is the verdict about the path to this hop and back. Answers of the hops beyond
	// it count, too, because their probes passed it.
	Path LossVerdict `json:"path"`
}

// LossShare is how many probes were answered at one rate. It leaves out probes whose
// silence may be this system's fault.
type LossShare struct {
	PacketsSent     int // accepted by the kernel
	PacketsAnswered int // including those answered late

	// Low and High are the bounds of the lost share, from 0 to 1, with a confidence of 95 %
	// (Wilson's interval). They are 0 and 1 if nothing was sent.
	Low, High float64

	// Interval is the actual time from one probe to the next.
	Interval time.Duration
}

// Loss returns the lost share of the packets, from 0 to 1, or 0 if none was sent. Unlike
// [Stats.PacketLoss], it counts a late answer as an answer.
func (s *LossShare) Loss() float64 {
	if s.PacketsSent == 0 {
		return 0
	}
	return float64(s.PacketsSent-s.PacketsAnswered) / float64(s.PacketsSent)
}

// ExplainLoss distinguishes loss from rate limits: a router that limits its errors answers
// a smaller share at a higher rate, while a link loses the same share. For details, see
// [Prober.ExplainLoss].
func ExplainLoss(ctx context.Context, target string, opts *ExplainLossOptions) (*LossReport, error) {
	return withShared(func(p *Prober) (*LossReport, error) { return p.ExplainLoss(ctx, target, opts) })
}

// ExplainLoss probes each hop on the path to a host, given by name or address, at a slow
// and then at a fast rate, and reports for each whether packets are lost or answers
// limited. It never calls a limit loss; if the figures do not suffice, the verdict is
// unclear.
//
// It takes SlowCount*SlowInterval plus FastCount*FastInterval, and sends
// SlowCount+FastCount probes to each hop, and some to hops that turn out not to exist.
// Errors are those of [Ping]. If ctx ends, ExplainLoss returns its cause together with what
// is known; the rest is LossUnclear.
func (p *Prober) ExplainLoss(ctx context.Context, target string, opts *ExplainLossOptions) (*LossReport, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	slow, err := p.losses(ctx, target, o.phase(o.SlowCount, o.SlowInterval, o.MaxHops))
	if slow == nil {
		return nil, err
	}
	report := newLossReport(slow)
	var fast *lossPhase
	if err == nil && len(report.Hops) > 0 {
		last := report.Hops[len(report.Hops)-1].Distance
		fast, err = p.losses(ctx, slow.route.Address.String(), o.phase(o.FastCount, o.FastInterval, last))
	}
	report.judge(slow, fast)
	return report, err
}

// phase returns the options of a Monitor that sends at one of the rates.
func (o *ExplainLossOptions) phase(count int, interval time.Duration, maxHops int) *MonitorOptions {
	return &MonitorOptions{
		Interval: interval, Rounds: count, FirstHop: o.FirstHop, MaxHops: maxHops,
		Timeout: o.Timeout, Outage: -1, Family: o.Family, Packet: o.Packet,
	}
}

// lossPhase is the finding at one rate.
type lossPhase struct {
	route    Route
	changed  map[int]bool // hops at which the route changed
	interval time.Duration
}

// losses probes all hops at one rate. With an error, it returns its findings so far, or nil
// if there are none.
func (p *Prober) losses(ctx context.Context, target string, opts *MonitorOptions) (*lossPhase, error) {
	var phase *lossPhase
	var first time.Time
	for s, err := range p.Monitor(ctx, target, opts) {
		if err != nil {
			return phase, err
		}
		if phase == nil {
			phase, first = &lossPhase{changed: map[int]bool{}, interval: opts.Interval}, s.Time
		} else if s.Round < opts.Rounds { // the last round waits for its answers
			phase.interval = s.Time.Sub(first) / time.Duration(s.Round-1)
		}
		phase.route = s.Route
		for _, e := range s.Events {
			phase.changed[e.Distance] = true
		}
	}
	return phase, nil
}

func newLossReport(slow *lossPhase) *LossReport {
	r := &LossReport{Address: slow.route.Address, Name: slow.route.Name, Reached: slow.route.Reached}
	for i := range slow.route.Hops {
		h := &slow.route.Hops[i]
		r.Hops = append(r.Hops, HopLoss{Distance: h.Distance, Address: h.Address, Slow: slow.share(h)})
	}
	return r
}

// share returns how many probes to a hop were answered.
func (f *lossPhase) share(h *Hop) LossShare {
	s := LossShare{
		PacketsSent:     h.PacketsSent - h.Unsettled - h.Suspect,
		PacketsAnswered: h.PacketsReceived + h.Late,
		Interval:        f.interval,
	}
	s.Low, s.High = loss.Wilson(s.PacketsSent-s.PacketsAnswered, s.PacketsSent)
	return s
}

// judge adds the finding at the fast rate (nil: there is none), and the verdicts.
func (r *LossReport) judge(slow, fast *lossPhase) {
	hops := make([]loss.Hop, len(r.Hops))
	for i := range r.Hops {
		h := &r.Hops[i]
		if fast != nil && i < len(fast.route.Hops) { // otherwise the hop no longer exists
			again := &fast.route.Hops[i]
			h.Fast = fast.share(again)
			hops[i].Changed = again.Address != h.Address || slow.changed[h.Distance] || fast.changed[h.Distance]
		}
		hops[i].Slow, hops[i].Fast = h.Slow.plain(), h.Fast.plain()
	}
	verdict, from := loss.Judge(hops, r.Reached)
	r.Verdict = LossVerdict(verdict)
	if from >= 0 {
		r.From = r.Hops[from].Distance
	}
	for i := range r.Hops {
		r.Hops[i].Verdict, r.Hops[i].Path = LossVerdict(hops[i].Verdict), LossVerdict(hops[i].Path)
	}
}

func (s *LossShare) plain() loss.Share {
	return loss.Share{Sent: s.PacketsSent, Answered: s.PacketsAnswered, Interval: s.Interval}
}

// LogValue returns the target, the verdict, and the hop at which loss begins.
func (r LossReport) LogValue() slog.Value {
	var a fields.Attrs
	a.Target(r.Name, r.Address)
	a = append(a, slog.String("verdict", r.Verdict.String()), slog.Bool("reached", r.Reached))
	a.Count("from", r.From)
	return a.Group()
}
