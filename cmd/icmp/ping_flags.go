package main

import (
	"errors"
	"os"
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
	histogram bool
	lines     bool
	looks     looksFlags
	given     func(flag string) bool // tells whether a flag is on the command line
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
	flags.BoolVar(&f.histogram, "histogram", false, "draw the distribution of the round-trip times; of one target on a terminal, it is drawn anyway")
	flags.BoolVar(&f.lines, "lines", false, "print a line for each reply, and no table for several targets on a terminal")
	f.looks.register(flags)
	f.given = flags.Changed
}

// options translates the command line, and refuses what it cannot mean.
func (f *pingFlags) options() (*icmplib.PingOptions, *icmplib.Config, error) {
	for _, check := range []func() error{f.checkOwn, f.check} {
		if err := check(); err != nil {
			return nil, nil, err
		}
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

// checkOwn refuses what cannot be meant.
func (f *pingFlags) checkOwn() error {
	switch {
	case f.count < 0:
		return refuse("count", f.count, "0 or more")
	case f.json && f.histogram:
		return errors.New("--json and --histogram exclude each other: one of them is allowed")
	}
	return nil
}

// reporter returns what reports on the hosts. Several of them are a table, if
// somebody looks at it: what a program reads stays what it is.
func (f *pingFlags) reporter(t terminal, hosts []*icmplib.Host, interrupt func()) reporter {
	if f.json {
		return &jsonReporter{out: t.out, replies: f.verbose}
	}
	looks, watched := f.looks.apply(looksOf(os.Getenv)), isTerminal(t.out)
	if watched && looks.moving && len(hosts) > 1 && !f.quiet && !f.lines {
		return startLive(t, hosts, looks, interrupt)
	}
	text := newTextReporter(t.out, f)
	text.unicode = looks.unicode
	text.drawn = watched && len(hosts) == 1 && !f.lines
	if f.given("histogram") {
		text.drawn = f.histogram
	}
	return text
}
