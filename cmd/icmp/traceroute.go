package main

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib"
)

const tracerouteExamples = `  icmp traceroute example.net
  icmp traceroute -n -q 1 --gap 5 192.0.2.1
  icmp traceroute -T -p 443 -m 20 example.net
  icmp traceroute --json -6 example.net
  icmp traceroute --mtu example.net
  icmp traceroute --loss example.net
  icmp traceroute --flows all example.net
  icmp traceroute --flows all --dot example.net | dot -Tsvg
  icmp traceroute --json -q 1 --file targets.txt > routes.ndjson`

func newTracerouteCommand() *cobra.Command {
	flags := &tracerouteFlags{}
	cmd := &cobra.Command{
		Use:     "traceroute [flags] TARGET...",
		Aliases: []string{"trace"},
		Short:   "Find the routers on the way to a host",
		Long: `Find the routers on the way to a host, and what they say.

Several hops are probed at a time, with packets that all belong to one flow, or
to --flows of them, whose ways are then printed as a graph below the hops.
Each hop is printed when it is final: who answered, further responders on lines
of their own, round-trip times in sending order, or the least, mean and greatest
of many, and * for a silent hop. Marks are those of traceroute: !N network, !H
host and !P protocol unreachable, !X prohibited, !F-MTU too big for the next
link, !S source route failed, !V and !C precedence, !<n> another code. [MPLS]
is the label stack with which the probe arrived; [rewritten: ...] names header
fields that the hop saw otherwise than the one before; --nat tells where they are
rewritten.

With --loss each hop is probed slowly and then fast, 260 times in 75 seconds, to
tell the loss of packets from routers that limit how often they answer. The loss
of both rates is printed with its bounds (95 % confidence), what it means for the
hop's own answers, and for the way.

Many targets are traced at once, thousands if need be: names, addresses,
prefixes (10.0.0.0/24) or ranges (10.0.0.1-20), as words or in lists, one per
line; see --file, --rate, --hop-rate and --parallel. Each route is printed when
it is complete.

Times are given with a unit, as 200ms, or as a number of seconds.

Exit codes: 0 the targets were reached, 1 some were not, 2 a name was not found,
3 the command line cannot be used, 4 no permission or a system error.`,
		Example: tracerouteExamples,
		Args:    flags.someTargets,
		RunE: func(cmd *cobra.Command, targets []string) error {
			return flags.runAll(cmd.Context(), terminal{cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()}, targets)
		},
	}
	flags.register(cmd.Flags())
	cmd.SetFlagErrorFunc(explainFlag)
	return cmd
}

func oneTarget(cmd *cobra.Command, targets []string) error {
	switch {
	case len(targets) == 0:
		return errors.New(cmd.Name() + ": a TARGET is missing: one name or address is allowed")
	case len(targets) > 1:
		return errors.New(cmd.Name() + " " + targets[0] + " " + targets[1] + ": one TARGET is allowed")
	}
	return nil
}

// A routeReporter writes a route as it becomes known: start once it is certain
// that something can be sent, each hop as it becomes final, and end in any case,
// with the error that there was.
type routeReporter interface {
	start(r *icmplib.Route)
	hop(r *icmplib.Route, h *icmplib.Hop)
	end(r *icmplib.Route, err error)
}

// run traces the route to a target and reports it.
func (f *tracerouteFlags) run(ctx context.Context, out io.Writer, target string) error {
	opts, cfg, err := f.options()
	if err != nil {
		return err
	}
	var loss *icmplib.ExplainLossOptions
	if f.loss {
		if loss, err = f.lossOptions(opts); err != nil {
			return err
		}
	}
	cfg.Rate = f.rate
	prober, err := icmplib.NewProber(cfg)
	if err != nil {
		return err
	}
	defer prober.Close()

	if f.loss {
		return f.explainLoss(ctx, prober, out, target, loss)
	}
	report := f.reporter(out, opts)
	route := &icmplib.Route{Name: target}
	err = f.explain(trace(ctx, prober, route, opts, report))
	blind := f.looked(route)
	if f.json && err == nil {
		err = blind
	}
	report.end(route, err)
	if verdict := routeVerdict(route, err); verdict != nil || blind == nil {
		return verdict
	}
	return blind
}

// trace fills the route. Ctrl-C ends it: what there is by then is the result.
func trace(ctx context.Context, p *icmplib.Prober, route *icmplib.Route, opts *icmplib.TracerouteOptions, report routeReporter) error {
	addrs, err := p.Resolve(ctx, route.Name, opts.Family)
	if err != nil {
		return unlessInterrupted(err)
	}
	route.Address = addrs[0]
	if err := suits(&opts.Packet, route.Address); err != nil {
		return err
	}
	if err := rehearse(p, route.Address, opts); err != nil {
		return err
	}
	if opts.Flows != 0 {
		return traceFlows(ctx, p, route, opts, report)
	}
	report.start(route)
	sent := false
	for hop, err := range p.TracerouteSeq(ctx, route.Address.String(), opts) {
		if err != nil && !sent && len(route.Hops) > 0 {
			route.Hops = nil
			return &notSentError{err}
		}
		if err != nil {
			return unlessInterrupted(err)
		}
		route.Hops = append(route.Hops, *hop)
		// Hops are held back while nothing has left: if nothing ever does,
		// there is one thing to say, and not one for each.
		if !sent && hop.PacketsSent > 0 {
			sent = true
			for i := range len(route.Hops) - 1 {
				report.hop(route, &route.Hops[i])
			}
		}
		if sent {
			report.hop(route, hop)
		}
	}
	route.End = route.Hops[len(route.Hops)-1].End
	route.Reached = route.End == icmplib.EndReached
	return nil
}

// rehearse finds what keeps a trace from beginning, so that nothing is printed
// of it: a trace whose context has ended opens its sockets and sends nothing.
func rehearse(p *icmplib.Prober, target netip.Addr, opts *icmplib.TracerouteOptions) error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range p.TracerouteSeq(ctx, target.String(), opts) {
		if err != nil {
			return unlessInterrupted(err)
		}
	}
	return nil
}

func unlessInterrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// routeVerdict returns the error that a route stands for. Packets that the
// system did not send make an unreachable target, unless it lacked the
// permission.
func routeVerdict(r *icmplib.Route, err error) error {
	switch {
	case r.Reached:
		return nil
	case err == nil:
		return errDead
	}
	var unsent *notSentError
	if errors.As(err, &unsent) && !errors.Is(err, os.ErrPermission) {
		return errDead
	}
	return err
}

// notSentError is why the system sent none of the probes.
type notSentError struct{ err error }

func (e *notSentError) Error() string { return "not sent: " + e.err.Error() }
func (e *notSentError) Unwrap() error { return e.err }
