package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// maxTimeout is the most that the library takes.
const maxTimeout = time.Hour

// pingFlags is the command line of ping.
type pingFlags struct {
	count     int
	interval  time.Duration
	timeout   time.Duration
	size      int
	ttl       int
	class     int
	only4     bool
	only6     bool
	via       string // -I: an interface or an address, as ping has it
	source    string
	device    string
	pmtudisc  string
	mark      uint32
	broadcast bool
	mode      string
	numeric   bool
	quiet     bool
	verbose   bool
	json      bool
}

func (f *pingFlags) register(flags *pflag.FlagSet) {
	flags.IntVarP(&f.count, "count", "c", 0, "stop after this many requests; 0: go on until interrupted")
	durationVar(flags, &f.interval, "interval", "i", time.Second, "from one request to the next; 0: after each reply")
	durationVar(flags, &f.timeout, "timeout", "W", 2*time.Second, "how long each request waits for its reply")
	flags.IntVarP(&f.size, "size", "s", 56, "payload bytes")
	flags.IntVarP(&f.ttl, "ttl", "t", 64, "time to live, or hop limit")
	flags.IntVarP(&f.class, "traffic-class", "Q", 0, "the byte of DSCP and ECN")
	flags.BoolVarP(&f.only4, "ipv4", "4", false, "use IPv4 only")
	flags.BoolVarP(&f.only6, "ipv6", "6", false, "use IPv6 only")
	flags.StringVarP(&f.via, "via", "I", "", "an interface or a source address")
	flags.StringVar(&f.source, "source", "", "address to send from")
	flags.StringVar(&f.device, "interface", "", "interface to send and receive on")
	flags.StringVarP(&f.pmtudisc, "pmtudisc", "M", "dont", "do: forbid fragmentation; dont: allow it")
	flags.BoolVarP(&f.broadcast, "broadcast", "b", false, "allow a broadcast address as the target")
	flags.Uint32VarP(&f.mark, "mark", "m", 0, "routing mark; needs privilege")
	flags.StringVar(&f.mode, "mode", "auto", "kind of socket: auto, datagram or raw")
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "do not look up the names of addresses")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print the summary only")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "with --json: print each reply, too")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per target")
}

// options translates the command line, and refuses what it cannot mean.
func (f *pingFlags) options() (*icmplib.PingOptions, *icmplib.Config, error) {
	mode, err := socket.ParseMode(f.mode)
	if err != nil {
		return nil, nil, refuse("mode", fmt.Sprintf("%q", f.mode), "auto, datagram or raw")
	}
	for _, check := range []func() error{f.checkNumbers, f.checkWords, f.splitVia} {
		if err := check(); err != nil {
			return nil, nil, err
		}
	}
	source, err := f.sourceAddr()
	if err != nil {
		return nil, nil, err
	}
	opts := &icmplib.PingOptions{
		Count:    orNone(f.count),
		Interval: orNone(f.interval),
		Timeout:  f.timeout,
		Family:   f.family(),
		Packet: icmplib.Packet{
			Source:       source,
			Interface:    f.device,
			Mark:         f.mark,
			TTL:          f.ttl,
			TrafficClass: f.class,
			Size:         orNone(f.size),
			Broadcast:    f.broadcast,
			DontFragment: f.pmtudisc == "do",
		},
	}
	return opts, &icmplib.Config{Mode: mode}, nil
}

// orNone turns the 0 of the command line, which says none, into that of the
// library, where 0 is the default.
func orNone[T int | time.Duration](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

func (f *pingFlags) family() icmplib.Family {
	switch {
	case f.only4:
		return icmplib.IPv4
	case f.only6:
		return icmplib.IPv6
	}
	return icmplib.AnyFamily
}

func (f *pingFlags) reporter(out io.Writer) reporter {
	if f.json {
		return &jsonReporter{out: out, replies: f.verbose}
	}
	return newTextReporter(out, f)
}
