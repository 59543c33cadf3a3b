package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib"
)

// someTargets wants a target, as words or in a list.
func (f *tracerouteFlags) someTargets(cmd *cobra.Command, words []string) error {
	if len(words) == 0 && len(f.files) == 0 {
		return errors.New(cmd.Name() + ": a TARGET is missing: one or more names, addresses, prefixes or ranges are allowed")
	}
	return nil
}

// runAll traces the target, or all of them at once.
func (f *tracerouteFlags) runAll(ctx context.Context, term terminal, words []string) error {
	opts, cfg, err := f.options()
	if err != nil {
		return err
	}
	list, many, err := f.targets(ctx, words, term)
	switch {
	case err != nil:
		return err
	case !many && f.mtu:
		return f.mtuFlag.run(ctx, term.out, words[0], f)
	case !many:
		return f.run(ctx, term.out, words[0])
	}
	if err := f.refuseMany(); err != nil {
		return err
	}
	prober, err := icmplib.NewProber(cfg)
	if err != nil {
		return err
	}
	defer prober.Close()
	return f.runMany(ctx, prober, opts, list, term)
}

// refuseMany refuses what is for one target only.
func (f *tracerouteFlags) refuseMany() error {
	for _, flag := range []string{"mtu", "loss", "flows", "dot"} {
		if f.given(flag) {
			return fmt.Errorf("--%s with many targets: one TARGET is allowed", flag)
		}
	}
	return nil
}

// runMany reports each route when it is complete. A route that is cut short by
// Ctrl-C is not reported.
func (f *tracerouteFlags) runMany(ctx context.Context, p *icmplib.Prober, opts *icmplib.TracerouteOptions, list *targetList, term terminal) error {
	many := f.manyFlags.options(opts)
	var packets int
	many.Progress = func(g icmplib.Progress) { packets = g.PacketsSent }
	report := newRoutesReport(f.routesReporter(term.out, opts))
	defer report.close()
	var faults failures
	all, reached, dead := 0, 0, false
	for route, err := range p.MultiTracerouteSeq(ctx, list.seq(ctx), many) {
		if err != nil {
			if err = f.explain(err); unlessInterrupted(err) != nil {
				faults = faults.with(err)
			}
			dead = true
			break
		}
		if err := f.explain(route.Err); err != route.Err {
			faults = faults.with(err) // a flag is wrong, and would be for every target
			break
		}
		if route.Err == nil && route.End == icmplib.EndUnknown || errors.Is(route.Err, context.Canceled) {
			continue
		}
		all++
		switch err := routeFault(route); {
		case route.Reached:
			reached++
		case err != nil && len(faults) == 0:
			faults = faults.with(err) // the first: they may be very many
			dead = true
		default:
			dead = true
		}
		if err := f.looked(route); err != nil {
			faults = faults.with(err)
		}
		report.route(route)
	}
	report.close()
	if list.err != nil {
		faults = faults.with(list.err)
	}
	if !f.json && !f.csv && all > 0 {
		fmt.Fprintf(term.err, "%d targets, %d reached, %d packets sent\n", all, reached, packets)
	}
	return faults.orDead(dead)
}

// routeFault returns what stood in the way of a trace, and is more than that the
// target cannot be reached.
func routeFault(r *icmplib.Route) error {
	if errors.Is(r.Err, icmplib.ErrNameLookup) || errors.Is(r.Err, os.ErrPermission) {
		return r.Err
	}
	return nil
}
