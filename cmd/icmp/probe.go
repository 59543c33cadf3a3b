package main

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib"
)

const probeExamples = `  icmp probe 127.0.0.1
  icmp probe -t 3 -n 192.0.2.1
  icmp probe -T -p 443 -c 5 -i 200ms example.net
  icmp probe --json -P udp -t 4 example.net`

func newProbeCommand() *cobra.Command {
	flags := &probeLine{}
	cmd := &cobra.Command{
		Use:   "probe [flags] TARGET",
		Short: "Send one packet and report what became of it",
		Long: `Send one packet, or a few, and report what became of each.

A line begins with the result in the words of mtr-packet: reply, no-reply,
ttl-expired, no-route-host, no-route-network, packet-too-big and so on. With
--json each result is an object of one line, whose fields are those of
mtrpacket, and a few more.

Times are given with a unit, as 200ms, or as a number of seconds.

Exit codes: 0 the target answered, 1 it did not, whoever else did, 2 its name
was not found, 3 the command line cannot be used, 4 no permission or a system
error.`,
		Example: probeExamples,
		Args:    oneTarget,
		RunE: func(cmd *cobra.Command, targets []string) error {
			return flags.run(cmd.Context(), cmd.OutOrStdout(), targets[0])
		},
	}
	flags.register(cmd.Flags())
	cmd.SetFlagErrorFunc(explainFlag)
	return cmd
}

// A probeReporter writes what became of each probe.
type probeReporter interface {
	result(target string, r icmplib.Result)
}

// run sends the probes to a target, one after the other.
func (f *probeLine) run(ctx context.Context, out io.Writer, target string) error {
	opts, cfg, err := f.options()
	if err != nil {
		return err
	}
	prober, err := icmplib.NewProber(cfg)
	if err != nil {
		return err
	}
	defer prober.Close()
	addrs, err := prober.Resolve(ctx, target, f.family())
	if err != nil {
		return endedBy(err, errDead)
	}
	if err := suits(&opts.Packet, addrs[0]); err != nil {
		return err
	}
	report := f.reporter(out)
	return f.probe(ctx, prober, addrs[0], opts, func(r icmplib.Result) { report.result(target, r) })
}

// probe sends the probes and returns what is to be said of the target. Ctrl-C
// ends it like the last of the results.
func (f *probeLine) probe(ctx context.Context, p *icmplib.Prober, dst netip.Addr, opts *icmplib.ProbeOptions, report func(icmplib.Result)) error {
	verdict := errDead
	next := time.NewTicker(max(f.interval, 1))
	defer next.Stop()
	for seq := range f.count {
		if seq > 0 && f.interval > 0 {
			select {
			case <-next.C:
			case <-ctx.Done():
				return verdict
			}
		}
		r, err := p.Probe(ctx, dst, opts)
		if err != nil {
			return endedBy(f.explain(err), verdict)
		}
		r.Seq, r.TTL = seq, f.ttl
		if err := f.explain(r.Cause); err != r.Cause {
			return err // a flag is wrong
		}
		report(r)
		switch {
		case r.Status == icmplib.StatusReply:
			verdict = nil
		case errors.Is(r.Cause, os.ErrPermission):
			return r.Cause
		}
	}
	return verdict
}

// endedBy returns the error that ended a command: where that was Ctrl-C, what
// was to be said before.
func endedBy(err, verdict error) error {
	if errors.Is(err, context.Canceled) {
		return verdict
	}
	return err
}
