package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

// maxParallelTraces is the most that the library takes.
const maxParallelTraces = 1 << 16

// manyFlags is what concerns traces of many targets.
type manyFlags struct {
	files    []string
	rate     int
	hopRate  int
	parallel int
}

func (f *manyFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.files, "file", nil, "list of targets, one per line; -: standard input; may be repeated")
	flags.IntVar(&f.rate, "rate", 10_000, "packets per second, of all traces together; 0: no limit")
	flags.IntVar(&f.hopRate, "hop-rate", 500, "with many targets, packets per second that end at one router; 0: no limit")
	flags.IntVar(&f.parallel, "parallel", 1000, "traces at the same time, at the most")
}

func (f *manyFlags) check() error {
	switch {
	case f.rate < 0:
		return refuse("rate", f.rate, "0 or more")
	case f.hopRate < 0:
		return refuse("hop-rate", f.hopRate, "0 or more")
	case f.parallel < 1 || f.parallel > maxParallelTraces:
		return refuse("parallel", f.parallel, fmt.Sprintf("1 to %d", maxParallelTraces))
	}
	return nil
}

// options adds what many traces need to the options of one.
func (f *manyFlags) options(opts *icmplib.TracerouteOptions) *icmplib.MultiTracerouteOptions {
	many := &icmplib.MultiTracerouteOptions{
		FirstHop: opts.FirstHop, MaxHops: opts.MaxHops, Count: opts.Count, Interval: opts.Interval, Timeout: opts.Timeout,
		Fast: opts.Fast, GapLimit: opts.GapLimit, Family: opts.Family, Packet: opts.Packet,
		Parallel: f.parallel, Rate: f.rate, HopRate: f.hopRate,
	}
	if many.Rate == 0 {
		many.Rate = -1 // the library's word for no limit
	}
	if many.HopRate == 0 {
		many.HopRate = -1
	}
	return many
}

// targets reads the targets, and tells whether they are many: a list, several
// words, or a word that stands for several addresses.
func (f *manyFlags) targets(ctx context.Context, words []string, term terminal) (list *targetList, many bool, err error) {
	if len(words) == 1 && len(f.files) == 0 {
		s, err := parseSpan(words[0], false)
		if err == nil && s.name != "" {
			return nil, false, nil
		}
	}
	list = &targetList{stdin: term.in, order: order{shards: 1}}
	return list, true, list.open(ctx, words, f.files)
}
