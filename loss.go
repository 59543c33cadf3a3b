package icmplib

import (
	"context"
	"net/netip"
	"time"
)

// LossReport is what [Prober.ExplainLoss] found.
type LossReport struct {
	// Address is the address that was probed, and Name the target as the caller
	// gave it.
	Address netip.Addr `json:"address"`
	Name    string     `json:"name"`

	// Reached is set where the target answered.
	Reached bool `json:"reached"`

	// Verdict is that of the whole way, there and back. It is LossUnclear where
	// the target was not reached.
	Verdict LossVerdict `json:"verdict"`

	// From is the distance of the first hop from which on packets are lost; 0
	// where the Verdict is not LossFound.
	From int `json:"from,omitzero"`

	// Hops are all hops up to the end of the way, silent ones too.
	Hops []HopLoss `json:"hops"`
}

// HopLoss is what was found about a hop.
type HopLoss struct {
	Distance int        `json:"distance"` // the TTL, or hop limit, of the probes
	Address  netip.Addr `json:"address"`  // who answers; the zero Addr for a silent hop

	// Slow and Fast are what was answered at each of the two rates.
	Slow LossShare `json:"slow"`
	Fast LossShare `json:"fast"`

	// Verdict is that of the hop's own answers: what is lost of them is no loss
	// of packets to the target where Path says so.
	Verdict LossVerdict `json:"verdict"`

	// Path is that of the way to this hop and back, for which the answers of the
	// hops behind it speak, too: the probes to them came past it.
	Path LossVerdict `json:"path"`
}

// LossShare is how many probes were answered at one rate. Those of which it may
// be this system's fault that they were not are left out.
type LossShare struct {
	PacketsSent     int // that the kernel took
	PacketsAnswered int // also those whose answers were late

	// Low and High bound the part that is lost, from 0 to 1, with a confidence
	// of 95 % (Wilson's interval). They are 0 and 1 where nothing was sent.
	Low, High float64

	// Interval is the time from one probe to the next, as it came about.
	Interval time.Duration
}

// Loss returns the part of the packets that was lost, from 0 to 1; 0 where none
// was sent. Unlike [Stats.PacketLoss] it counts a late answer as an answer.
func (s *LossShare) Loss() float64 {
	if s.PacketsSent == 0 {
		return 0
	}
	return float64(s.PacketsSent-s.PacketsAnswered) / float64(s.PacketsSent)
}

// ExplainLoss tells loss from rate limits: a router that limits how many errors
// it sends answers less the more it is asked, while a link that loses packets
// does not care. See [Prober.ExplainLoss].
func ExplainLoss(ctx context.Context, target string, opts *ExplainLossOptions) (*LossReport, error) {
	p, release, err := acquireShared()
	if err != nil {
		return nil, err
	}
	defer release()
	return p.ExplainLoss(ctx, target, opts)
}

// ExplainLoss probes each hop on the way to a host, a name or an address, at a
// slow and then at a fast rate, and says of each whether packets are lost or
// answers limited. It never calls a limit loss; where the figures do not
// suffice, it says that it is unclear.
//
// It takes SlowCount*SlowInterval and FastCount*FastInterval, and sends
// SlowCount+FastCount probes to each hop, and some to hops that turn out not to
// exist. An error is returned as by [Ping]. When ctx ends, its cause is returned
// together with what is known, in which what is not is LossUnclear.
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
	if err == nil && len(report.Hops) > 0 {
		var fast *lossPhase
		last := report.Hops[len(report.Hops)-1].Distance
		fast, err = p.losses(ctx, slow.route.Address.String(), o.phase(o.FastCount, o.FastInterval, last))
		report.compare(slow, fast)
	}
	report.judge()
	return report, err
}

// phase returns the options of a Monitor that sends at one of the rates.
func (o *ExplainLossOptions) phase(count int, interval time.Duration, maxHops int) *MonitorOptions {
	return &MonitorOptions{
		Interval: interval, Rounds: count, FirstHop: o.FirstHop, MaxHops: maxHops,
		Timeout: o.Timeout, Outage: -1, Family: o.Family, Packet: o.Packet,
	}
}

// lossPhase is what was found at one rate.
type lossPhase struct {
	route    Route
	changed  map[int]bool // hops at which the route changed
	interval time.Duration
}

// losses probes all hops at one rate. What there is, is returned with an error,
// too, nil if that is nothing.
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
