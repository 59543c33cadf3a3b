package main

import (
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

// probeLine is the command line of probe: its flags are those of ping, and of
// traceroute what ping does not have.
type probeLine struct {
	probeFlags
	protocolFlags
	count    int
	interval time.Duration
	numeric  bool
	json     bool
}

func (f *probeLine) register(flags *pflag.FlagSet) {
	flags.IntVarP(&f.count, "count", "c", 1, "how many probes to send, one after the other")
	durationVar(flags, &f.interval, "interval", "i", time.Second, "from one probe to the next, at the least; 0: none")
	f.probeFlags.register(flags)
	f.protocolFlags.register(flags, "")
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "do not look up the names of addresses")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per probe")
}

// options translates the command line, and refuses what it cannot mean.
func (f *probeLine) options() (*icmplib.ProbeOptions, *icmplib.Config, error) {
	if f.count < 1 {
		return nil, nil, refuse("count", f.count, "1 or more")
	}
	if err := f.probeFlags.check(); err != nil {
		return nil, nil, err
	}
	if err := f.protocolFlags.check(&f.probeFlags); err != nil {
		return nil, nil, err
	}
	opts := &icmplib.ProbeOptions{Timeout: f.timeout, Packet: f.packet()}
	f.apply(&opts.Packet)
	return opts, f.config(), nil
}

func (f *probeLine) reporter(out io.Writer) probeReporter {
	if f.json {
		protocol, _ := icmplib.ParseProtocol(f.protocol)
		return jsonProbes{&jsonReporter{out: out}, protocol}
	}
	text := textProbes{out: out, several: f.count > 1}
	if !f.numeric {
		text.names = newNameCache()
	}
	return text
}
