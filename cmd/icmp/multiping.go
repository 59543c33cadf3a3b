package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib"
)

const multipingExamples = `  icmp multiping 127.0.0.1 ::1 localhost
  icmp multiping --alive 192.168.1.0/24
  icmp multiping -f hosts.txt --json > hosts.ndjson
  icmp multiping -c 1 -r 1000 --shuffle --shard 0/4 10.0.0.0/8
  generate-targets | icmp multiping --csv`

func newMultipingCommand() *cobra.Command {
	flags := &multipingFlags{}
	cmd := &cobra.Command{
		Use:   "multiping [flags] [TARGET...]",
		Short: "Ask very many hosts at once whether they are there",
		Long: `Send echo requests to very many hosts at once and report each as it completes.

A TARGET is a name, an address, a prefix (10.0.0.0/24, 2001:db8::/120) or a
range (10.0.0.1-10.0.0.20, 10.0.0.1-20). They are also read from lists, one per
line, with comments after a #: see --file. Without TARGET and --file, they are
read from standard input, unless that is a terminal. Those of the command line
and of files are checked before anything is sent; those of standard input are
pinged as they come. Of an IPv4 prefix of up to 30 bits the first and the last
address, those of the network and of its broadcast, are left out.

Results go to standard output, the summary to standard error. Times are given
with a unit, as 200ms, or as a number of seconds.

Exit codes: 0 all targets answered, 1 some did not, 2 a name was not found,
3 the command line cannot be used, 4 no permission or a system error.`,
		Example: multipingExamples,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			return flags.run(cmd.Context(), words, terminal{cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()})
		},
	}
	flags.register(cmd.Flags())
	cmd.SetFlagErrorFunc(explainFlag)
	return cmd
}

// run pings the targets and reports each as it completes.
func (f *multipingFlags) run(ctx context.Context, words []string, term terminal) error {
	opts, cfg, err := f.options()
	if err != nil {
		return err
	}
	list, err := f.targets(ctx, words, term.in)
	if err != nil {
		return err
	}
	prober, err := icmplib.NewProber(cfg)
	if err != nil {
		return err
	}
	defer prober.Close()

	bar := f.bar(term, list.count())
	opts.Progress = bar.update
	report := f.reporter(term.out)
	total := &sweepTotal{began: time.Now()}
	for host, err := range prober.MultiPingSeq(ctx, list.seq(ctx), opts) {
		if err != nil {
			total.end(f.explain(err))
			break
		}
		if err := f.explain(host.Err); err != host.Err {
			total.end(err) // a flag is wrong, and would be for every host
			break
		}
		fate := fateOf(host, opts.Count)
		total.add(host, fate)
		if f.shows(fate) {
			bar.hide()
			report.host(host, fate)
		}
	}
	bar.hide()
	if list.err != nil {
		total.end(list.err)
	}
	if f.sumsUp() && total.begun() {
		total.write(term.err, time.Since(total.began), list.order)
	}
	return total.verdict()
}

// targets opens the lists.
func (f *multipingFlags) targets(ctx context.Context, words []string, stdin io.Reader) (*targetList, error) {
	files := f.files
	if len(words) == 0 && len(files) == 0 {
		if isTerminal(stdin) {
			return nil, errors.New("multiping: a TARGET is missing: one or more names, addresses, prefixes or ranges are allowed")
		}
		files = []string{"-"}
	}
	list := &targetList{stdin: stdin, all: f.allAddresses, order: f.order()}
	return list, list.open(ctx, words, files)
}
