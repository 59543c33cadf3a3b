package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

// maxQueries is the most that the library takes.
const maxQueries = 1000

// tracerouteFlags is the command line of traceroute.
type tracerouteFlags struct {
	traceFlags
	flowFlags
	manyFlags
	mtuFlag
	nat      bool
	natRaw   bool // it looks by raw sockets
	queries  int
	interval time.Duration
	gap      int
	fast     bool
	json     bool
	csv      bool
	loss     bool
	flags    *pflag.FlagSet
}

func (f *tracerouteFlags) register(flags *pflag.FlagSet) {
	flags.SetNormalizeFunc(tracerouteName)
	flags.IntVarP(&f.queries, "count", "q", 3, "probes to each hop; --queries is the same")
	durationVar(flags, &f.timeout, "timeout", "w", 2*time.Second, "how long each probe waits for its answer; --wait is the same")
	durationVar(flags, &f.interval, "interval", "z", 50*time.Millisecond, "from one probe to a hop to the next; 0: none")
	f.traceFlags.register(flags, "i")
	f.flowFlags.register(flags)
	flags.IntVar(&f.gap, "gap", 0, "end after this many silent hops in a row; 0: never")
	flags.BoolVar(&f.fast, "fast", false, "ask each hop only until it has answered once")
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "do not look up the names of addresses")
	flags.BoolVar(&f.mtu, "mtu", false, "find the MTU of each hop and of the path, and black holes")
	flags.BoolVar(&f.nat, "nat", false, "tell at the end where header fields are rewritten, as by address translators; needs raw sockets")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per target, on a line of its own")
	flags.BoolVar(&f.csv, "csv", false, "print a line of comma-separated values per hop and responder, after one of their names")
	flags.BoolVar(&f.loss, "loss", false, "probe each hop at two rates, and tell loss from rate limits; -z and -q (200) are those of the fast one")
	f.manyFlags.register(flags)
	f.flags = flags
}

// tracerouteName lets flags be called as traceroute(8) calls them, too.
func tracerouteName(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	switch name {
	case "tos":
		name = "traffic-class"
	case "wait":
		name = "timeout"
	case "queries":
		name = "count"
	}
	return pflag.NormalizedName(name)
}

// options translates the command line, and refuses what it cannot mean.
func (f *tracerouteFlags) options() (*icmplib.TracerouteOptions, *icmplib.Config, error) {
	for _, err := range []error{f.checkOwn(), f.checkFlows(), f.manyFlags.check(), f.probeFlags.check(), f.protocolFlags.check(&f.probeFlags)} {
		if err != nil {
			return nil, nil, err
		}
	}
	opts := &icmplib.TracerouteOptions{
		FirstHop: f.firstHop,
		MaxHops:  f.maxHops,
		Count:    f.queries,
		Interval: orNone(f.interval),
		Timeout:  f.timeout,
		Fast:     f.fast,
		GapLimit: f.gap,
		Flows:    f.flows.option(),
		Family:   f.family(),
		Packet:   f.packet(),
	}
	f.apply(&opts.Packet)
	cfg := f.config()
	f.lookRaw(opts, cfg)
	return opts, cfg, nil
}

func (f *tracerouteFlags) checkOwn() error {
	if err := f.checkHops(); err != nil {
		return err
	}
	switch {
	case f.queries < 1 || f.queries > maxQueries:
		return refuse("count", f.queries, fmt.Sprintf("1 to %d", maxQueries))
	case f.timeout <= 0 || f.timeout > maxTimeout:
		return refuse("timeout", f.timeout, "more than 0 and up to 1h")
	case f.gap < 0:
		return refuse("gap", f.gap, "0 or more")
	case f.json && f.csv:
		return errors.New("--json and --csv exclude each other: one of them is allowed")
	}
	return nil
}

func (f *tracerouteFlags) reporter(out io.Writer, opts *icmplib.TracerouteOptions) routeReporter {
	switch {
	case f.dot:
		return dotRoute{out}
	case f.json:
		return jsonRoute{&jsonReporter{out: out}}
	case f.csv:
		return newCSVRoute(out)
	}
	text := &textRoute{out: out, opts: opts, size: f.size, nat: f.nat}
	if !f.numeric {
		text.names = newNameCache()
	}
	return text
}
