package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

// maxTimeout is the most that the library takes.
const maxTimeout = time.Hour

// probeFlags is what the commands say alike: how one request is sent.
type probeFlags struct {
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
	whole    bool // the same as --pmtudisc do
	mark     uint32
	sourced  bool
	mode     string
}

func (f *probeFlags) register(flags *pflag.FlagSet) {
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
	flags.BoolVar(&f.whole, "dont-fragment", false, "the same as --pmtudisc do")
	flags.Uint32VarP(&f.mark, "mark", "m", 0, "routing mark; needs privilege")
	flags.BoolVar(&f.sourced, "check-source", false, "take echo replies only from the address that was probed")
	flags.StringVar(&f.mode, "mode", "auto", "kind of socket: auto, datagram or raw")
}

// check refuses what cannot be meant, and decides what -I means.
func (f *probeFlags) check() error {
	for _, check := range []func() error{f.checkMode, f.checkNumbers, f.checkWords, f.splitVia, f.checkSource} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// config translates what concerns all requests. The flags have been checked.
func (f *probeFlags) config() *icmplib.Config {
	mode, _ := socket.ParseMode(f.mode)
	return &icmplib.Config{Mode: mode}
}

func (f *probeFlags) checkMode() error {
	if _, err := socket.ParseMode(f.mode); err != nil {
		return refuse("mode", fmt.Sprintf("%q", f.mode), "auto, datagram or raw")
	}
	return nil
}

// packet translates the shape of a request. The flags have been checked.
func (f *probeFlags) packet() icmplib.Packet {
	source, _ := f.sourceAddr()
	return icmplib.Packet{
		Source:       source,
		Interface:    f.device,
		Mark:         f.mark,
		TTL:          f.ttl,
		TrafficClass: f.class,
		Size:         orNone(f.size),
		DontFragment: f.whole || f.pmtudisc == "do",

		RequireSource: f.sourced,
	}
}

// orNone turns the 0 of the command line, which says none, into that of the
// library, where 0 is the default.
func orNone[T int | time.Duration](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

func (f *probeFlags) family() icmplib.Family {
	switch {
	case f.only4:
		return icmplib.IPv4
	case f.only6:
		return icmplib.IPv6
	}
	return icmplib.AnyFamily
}
