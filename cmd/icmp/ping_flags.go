package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// pingFlags is the command line of ping.
type pingFlags struct {
	count    int
	interval time.Duration
	timeout  time.Duration
	size     int
	ttl      int
	class    int
	only4    bool
	only6    bool
	via      string // -I: an interface or an address, as ping has it
	source   string
	device   string
	pmtudisc string
	mark     uint32
	mode     string
	numeric  bool
	quiet    bool
	verbose  bool
	json     bool
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
	flags.Uint32Var(&f.mark, "mark", 0, "routing mark; needs privilege")
	flags.StringVar(&f.mode, "mode", "auto", "kind of socket: auto, datagram or raw")
	flags.BoolVarP(&f.numeric, "numeric", "n", false, "do not look up the names of addresses")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print the summary only")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "with --json: print each reply, too")
	flags.BoolVar(&f.json, "json", false, "print one JSON object per target")
}

// options translates the command line, and refuses what it cannot mean.
func (f *pingFlags) options() (*icmplib.PingOptions, *icmplib.Config, error) {
	for _, check := range []func() error{f.checkNumbers, f.checkFamilies, f.splitVia} {
		if err := check(); err != nil {
			return nil, nil, err
		}
	}
	opts := &icmplib.PingOptions{
		Count:    orNone(f.count),
		Interval: orNone(f.interval),
		Timeout:  f.timeout,
		Family:   f.family(),
		Packet: icmplib.Packet{
			Interface:    f.device,
			Mark:         f.mark,
			TTL:          f.ttl,
			TrafficClass: f.class,
			Size:         orNone(f.size),
			DontFragment: f.pmtudisc == "do",
		},
	}
	var err error
	if f.source != "" {
		if opts.Packet.Source, err = netip.ParseAddr(f.source); err != nil {
			return nil, nil, fmt.Errorf("--source %q is not an address", f.source)
		}
	}
	cfg := &icmplib.Config{}
	cfg.Mode, err = socket.ParseMode(f.mode)
	return opts, cfg, err
}

// orNone turns the 0 of the command line, which says none, into that of the
// library, where 0 is the default.
func orNone[T int | time.Duration](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

// checkNumbers refuses what the library would take for a default or for none.
func (f *pingFlags) checkNumbers() error {
	switch {
	case f.count < 0:
		return fmt.Errorf("--count %d: 0 or more is allowed", f.count)
	case f.size < 0 || f.size > icmp.MaxSize:
		return fmt.Errorf("--size %d: 0 to %d is allowed", f.size, icmp.MaxSize)
	case f.ttl < 1 || f.ttl > 255:
		return fmt.Errorf("--ttl %d: 1 to 255 is allowed", f.ttl)
	case f.timeout == 0:
		return errors.New("--timeout 0: more than 0 is allowed")
	case f.pmtudisc != "do" && f.pmtudisc != "dont":
		return fmt.Errorf("--pmtudisc %q: do or dont is allowed", f.pmtudisc)
	}
	return nil
}

func (f *pingFlags) checkFamilies() error {
	if f.only4 && f.only6 {
		return errors.New("-4 and -6 exclude each other")
	}
	return nil
}

// splitVia decides what -I means, as ping does: an address, or an interface.
func (f *pingFlags) splitVia() error {
	if f.via == "" {
		return nil
	}
	if _, err := netip.ParseAddr(f.via); err == nil {
		f.source = f.via
		return nil
	}
	if _, err := net.InterfaceByName(f.via); err != nil {
		return fmt.Errorf("-I %q is neither an interface nor an address of this host", f.via)
	}
	f.device = f.via
	return nil
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
