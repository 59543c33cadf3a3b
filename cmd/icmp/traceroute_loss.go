package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/goicmp/icmplib"
)

// slowness is how many times slower than the fast rate the slow one is.
const slowness = 20

// lossOptions translates the command line for a look at loss. --interval and
// --count are those of the fast rate.
func (f *tracerouteFlags) lossOptions(opts *icmplib.TracerouteOptions) (*icmplib.ExplainLossOptions, error) {
	switch {
	case f.csv:
		return nil, errors.New("--loss and --csv exclude each other: --json is allowed")
	case f.fast:
		return nil, errors.New("--loss and --fast exclude each other: one of them is allowed")
	case f.flows != 1:
		return nil, errors.New("--loss and --flows exclude each other: one of them is allowed")
	case f.nat:
		return nil, errors.New("--loss and --nat exclude each other: one of them is allowed")
	case f.gap > 0:
		return nil, errors.New("--loss and --gap exclude each other: --max-hops is allowed")
	case f.interval < time.Millisecond:
		return nil, refuse("interval", f.interval, "1ms or more with --loss")
	case f.asked() && f.queries < 10:
		return nil, refuse("count", f.queries, "10 or more with --loss")
	}
	o := &icmplib.ExplainLossOptions{
		SlowInterval: slowness * f.interval,
		FastInterval: f.interval,
		FirstHop:     opts.FirstHop,
		MaxHops:      opts.MaxHops,
		Timeout:      opts.Timeout,
		Family:       opts.Family,
		Packet:       opts.Packet,
	}
	if f.asked() {
		o.FastCount, o.SlowCount = f.queries, max(10, f.queries*3/10)
	}
	return o, nil
}

// asked reports whether the number of queries was given.
func (f *tracerouteFlags) asked() bool { return f.flags != nil && f.flags.Changed("count") }

// explainLoss looks for loss on the way to a target and reports it. Ctrl-C ends
// it: what there is by then is the result.
func (f *tracerouteFlags) explainLoss(ctx context.Context, p *icmplib.Prober, term terminal, target string, opts *icmplib.ExplainLossOptions) error {
	status, term := newStatus(term)
	status.follow(func(elapsed time.Duration) string {
		return fmt.Sprintf("looking for loss for %s of some %s", seconds(elapsed), seconds(lossTime(opts)))
	})
	report, err := f.lookForLoss(ctx, p, target, opts)
	status.end()
	err = f.explain(unlessInterrupted(err))
	if report == nil {
		report = &icmplib.LossReport{}
	}
	report.Name = target
	if f.json {
		(&jsonWriter{out: term.out}).write(report, jsonError(err))
	} else if err == nil {
		fmt.Fprint(term.out, lossText(report))
	}
	return routeVerdict(&icmplib.Route{Reached: report.Reached}, err)
}

// lossTime is how long the probes of both rates take. The counts that are not given
// are those of the library.
func lossTime(o *icmplib.ExplainLossOptions) time.Duration {
	slow, fast := o.SlowCount, o.FastCount
	if fast == 0 {
		slow, fast = 60, 200
	}
	return time.Duration(slow)*o.SlowInterval + time.Duration(fast)*o.FastInterval
}

func (f *tracerouteFlags) lookForLoss(ctx context.Context, p *icmplib.Prober, target string, opts *icmplib.ExplainLossOptions) (*icmplib.LossReport, error) {
	addrs, err := p.Resolve(ctx, target, opts.Family)
	if err != nil {
		return nil, err
	}
	if err := suits(&opts.Packet, addrs[0]); err != nil {
		return nil, err
	}
	report, err := p.ExplainLoss(ctx, addrs[0].String(), opts)
	if report == nil {
		report = &icmplib.LossReport{Address: addrs[0]}
	}
	return report, err
}

// lossText is what people read of a report.
func lossText(r *icmplib.LossReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "loss on the way to %s\n", routeName(&icmplib.Route{Name: r.Name, Address: r.Address}))
	width := len("address")
	for i := range r.Hops {
		width = max(width, len(hopAddress(&r.Hops[i])))
	}
	fmt.Fprintf(&b, "hop  %-*s  %-28s  %-28s  %-12s  way\n", width, "address", "slow", "fast", "answers")
	for i := range r.Hops {
		h := &r.Hops[i]
		fmt.Fprintf(&b, "%3d  %-*s  %-28s  %-28s  %-12v  %v\n", h.Distance, width, hopAddress(h),
			shareText(&h.Slow), shareText(&h.Fast), h.Verdict, h.Path)
	}
	fmt.Fprintln(&b, lossVerdictText(r))
	return b.String()
}

func hopAddress(h *icmplib.HopLoss) string {
	if !h.Address.IsValid() {
		return "*"
	}
	return h.Address.String()
}

// shareText says how much was lost, and the bounds of that with 95 % confidence.
func shareText(s *icmplib.LossShare) string {
	if s.PacketsSent == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d lost, %.1f to %.1f %%", s.PacketsSent-s.PacketsAnswered, s.PacketsSent, 100*s.Low, 100*s.High)
}

// lossVerdictText says in a sentence what is the matter with the way.
func lossVerdictText(r *icmplib.LossReport) string {
	switch {
	case !r.Reached:
		return "unclear: the target did not answer"
	case r.Verdict == icmplib.LossFound:
		return fmt.Sprintf("loss: packets are lost from distance %d on", r.From)
	case r.Verdict == icmplib.LossNone:
		return "none: no packet to the target is lost"
	}
	return "unclear: too few answers; use more queries"
}
