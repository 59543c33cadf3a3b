package main

import (
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

// pingFlags is the command line of ping.
type pingFlags struct {
	probeFlags
	count     int
	interval  time.Duration
	broadcast bool
	numeric   bool
	quiet     bool
	verbose   bool
	json      bool
}

func (f *pingFlags) register(flags *pflag.FlagSet) {
	flags.IntVarP(&f.count, "count", "c", 0, "stop after this many requests; 0: go on until interrupted")
	durationVar(flags, &f.interval, "interval", "i", time.Second, "from one request to the next; 0: after each reply")
	f.probeFlags.register(flags)
	flags.BoolVarP(&f.broadcast, "broadcast", "b", false, "allow a broadcast address as the target")
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "do not look up the names of addresses")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print the summary only")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "with --json: print each reply, too")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per target")
}

// options translates the command line, and refuses what it cannot mean.
func (f *pingFlags) options() (*icmplib.PingOptions, *icmplib.Config, error) {
	if f.count < 0 {
		return nil, nil, refuse("count", f.count, "0 or more")
	}
	if err := f.check(); err != nil {
		return nil, nil, err
	}
	opts := &icmplib.PingOptions{
		Count:    orNone(f.count),
		Interval: orNone(f.interval),
		Timeout:  f.timeout,
		Family:   f.family(),
		Packet:   f.packet(),
	}
	opts.Packet.Broadcast = f.broadcast
	return opts, f.config(), nil
}

func (f *pingFlags) reporter(out io.Writer) reporter {
	if f.json {
		return &jsonReporter{out: out, replies: f.verbose}
	}
	return newTextReporter(out, f)
}
