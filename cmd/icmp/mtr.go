package main

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/icmp/internal/live"
)

const mtrExamples = `  icmp mtr example.net
  icmp mtr -T -p 443 -i 200ms example.net example.org
  icmp mtr --report -c 20 -n 192.0.2.1
  icmp mtr --json -c 60 -6 example.net > route.json`

func newMTRCommand() *cobra.Command {
	flags := &mtrFlags{}
	cmd := &cobra.Command{
		Use:     "mtr [flags] TARGET...",
		Aliases: []string{"monitor"},
		Short:   "Watch the routes to hosts, live",
		Long: `Watch the routes to one or more hosts on the whole screen: the loss and the
round-trip times of each router on the way, and what changes. The ? key shows
the others. On quitting, the table is printed, so that it stays.

With --report, --json or --csv nothing is shown: so many rounds are measured,
and the result is printed at the end.

Times are given with a unit, as 200ms, or as a number of seconds.

Exit codes: 0 all targets answered, 1 some did not, 2 a name was not found,
3 the command line cannot be used, 4 no permission or a system error.`,
		Example: mtrExamples,
		Args:    needMTRTarget,
		RunE: func(cmd *cobra.Command, targets []string) error {
			return flags.run(cmd.Context(), terminal{cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()}, targets)
		},
	}
	flags.register(cmd.Flags())
	cmd.SetFlagErrorFunc(explainFlag)
	return cmd
}

func needMTRTarget(_ *cobra.Command, targets []string) error {
	if len(targets) == 0 {
		return errors.New("mtr: a TARGET is missing: one or more names or addresses are allowed")
	}
	return nil
}

// run watches the targets and shows or reports them.
func (f *mtrFlags) run(ctx context.Context, term terminal, targets []string) error {
	if err := f.check(); err != nil {
		return err
	}
	if !f.reports() && !isTerminal(term.out) {
		return errors.New("mtr: standard output is not a terminal: give --report, --json or --csv, and --count")
	}
	prober, err := icmplib.NewProber(f.config())
	if err != nil {
		return err
	}
	defer prober.Close()

	watch := watching(prober)
	if f.reports() {
		outcomes := collect(ctx, watch, targets, f.monitorOptions(f.settings()))
		return f.conclude(term.out, outcomes)
	}
	outcomes, err := f.show(ctx, watch, targets)
	if err != nil {
		return err
	}
	return f.conclude(term.out, outcomes)
}

// watching is how targets are watched.
func watching(p *icmplib.Prober) live.Watch {
	return func(ctx context.Context, target string, opts *icmplib.MonitorOptions) iter.Seq2[*icmplib.Snapshot, error] {
		return p.Monitor(ctx, target, opts)
	}
}

// conclude prints the outcomes, and returns what is to be said of them.
func (f *mtrFlags) conclude(out io.Writer, outcomes []*mtrOutcome) error {
	for _, o := range outcomes {
		o.err = f.explain(o.err)
	}
	f.reporter(out).outcomes(outcomes)
	return mtrVerdict(outcomes)
}
