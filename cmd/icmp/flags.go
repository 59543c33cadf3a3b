package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
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
	record   string
}

// letters are the short names of flags, by their names. Each command has those of
// the tool after which it is called, so that hands which know it find them.
type letters map[string]string

var pingLetters = letters{
	"timeout": "W", "size": "s", "ttl": "t", "traffic-class": "Q", "ipv4": "4", "ipv6": "6", "via": "I", "pmtudisc": "M", "mark": "m",
}

func (f *probeFlags) register(flags *pflag.FlagSet, l letters) {
	durationVar(flags, &f.timeout, "timeout", l["timeout"], 2*time.Second, "how long to wait for each reply")
	flags.IntVarP(&f.size, "size", l["size"], 56, "payload bytes")
	flags.IntVarP(&f.ttl, "ttl", l["ttl"], 64, "time to live, or hop limit")
	flags.IntVarP(&f.class, "traffic-class", l["traffic-class"], 0, "traffic class byte: DSCP and ECN")
	flags.BoolVarP(&f.only4, "ipv4", l["ipv4"], false, "use IPv4 only")
	flags.BoolVarP(&f.only6, "ipv6", l["ipv6"], false, "use IPv6 only")
	flags.StringVarP(&f.via, "via", l["via"], "", "interface or source address")
	flags.StringVarP(&f.source, "source", l["source"], "", "source address")
	flags.StringVarP(&f.device, "interface", l["interface"], "", "interface to send and receive on")
	flags.StringVarP(&f.pmtudisc, "pmtudisc", l["pmtudisc"], "dont", "do: forbid fragmentation; dont: allow it")
	flags.BoolVarP(&f.whole, "dont-fragment", l["dont-fragment"], false, "same as --pmtudisc do")
	flags.Uint32VarP(&f.mark, "mark", l["mark"], 0, "routing mark; needs privilege")
	flags.BoolVar(&f.sourced, "check-source", false, "accept echo replies only from the probed address")
	f.registerSocket(flags)
}

// registerSocket registers what concerns all packets of a command.
func (f *probeFlags) registerSocket(flags *pflag.FlagSet) {
	flags.StringVar(&f.mode, "mode", "auto", "kind of socket: auto, datagram or raw")
	flags.StringVar(&f.record, "record", "", "write the packets sent and received, with the result of each probe, to a pcapng file")
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

// durationFlag is a time that is given with a unit, as 200ms, or as a number of
// seconds, as 0.2. Where another tool takes a number for milliseconds, one that
// would be very many seconds is refused.
type durationFlag struct {
	d     *time.Duration
	other string // the tool; "": there is none
}

var _ pflag.Value = durationFlag{}

var errTime = errors.New("0 or more seconds, such as 0.2, or a time with its unit, such as 200ms, is allowed")

func durationVar(flags *pflag.FlagSet, d *time.Duration, name, short string, def time.Duration, usage string) {
	*d = def
	flags.VarP(durationFlag{d: d}, name, short, usage)
}

// manySeconds is what nobody means by a number that other tools take for
// milliseconds.
const manySeconds = 10

// otherwise has a flag refuse what another tool takes for milliseconds.
func otherwise(flags *pflag.FlagSet, name, tool string) {
	f := flags.Lookup(name)
	f.Value = durationFlag{f.Value.(durationFlag).d, tool}
}

func (f durationFlag) Set(s string) error {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		const most = 1e9 // a time.Duration holds 9.2e9 seconds
		if !(seconds >= 0 && seconds <= most) {
			return errTime
		}
		if f.other != "" && seconds >= manySeconds {
			return fmt.Errorf("%s reads %s as milliseconds, this command as seconds: %sms or %ss is allowed", f.other, s, s, s)
		}
		*f.d = time.Duration(seconds * float64(time.Second))
		return nil
	}
	if first, _, several := strings.Cut(s, ","); several { // max, here and near of traceroute
		return fmt.Errorf("one time is allowed, such as %s: every probe waits that long", first)
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return errTime
	}
	*f.d = d
	return nil
}

func (f durationFlag) String() string {
	if f.d == nil {
		return ""
	}
	return f.d.String()
}

// Type is what the help shows for the value.
func (f durationFlag) Type() string { return "time" }

// What is said of --resolve-every, and of one that would ask name servers all the time.
const (
	resolveUsage   = "how often to look the name up again, and follow it to a new address; 0: never"
	resolveAllowed = "1s or more, or 0 for never,"
)

// tooOften reports whether an interval is shorter than names are looked up.
func tooOften(every time.Duration) bool { return every > 0 && every < time.Second }

// nameCache finds the names of addresses, each looked up once and all of them
// at the same time, without keeping anybody waiting for long.
type nameCache struct {
	lookup func(ctx context.Context, addr string) ([]string, error)

	mu    sync.Mutex
	names map[netip.Addr]*cachedName
}

// cachedName is a name that is being looked up, or is known.
type cachedName struct {
	asked time.Time
	known chan struct{} // closed once name is what it will be
	name  string        // "" if there is none
}

const (
	// nameTimeout bounds a lookup, which nobody waits for.
	nameTimeout = 5 * time.Second

	// namePatience is how long after the question a line waits for its name.
	namePatience = time.Second
)

func newNameCache() *nameCache {
	return &nameCache{lookup: net.DefaultResolver.LookupAddr, names: map[netip.Addr]*cachedName{}}
}

// get returns the name of addr, or "" if there is none or it is not known yet:
// what is not known is looked up meanwhile, and shows the next time.
func (c *nameCache) get(addr netip.Addr) string {
	n := c.ask(addr)
	select {
	case <-n.known:
		return n.name
	default:
		return ""
	}
}

// await returns the name of addr as get does, but gives the lookup the time
// until namePatience after it began. Who asks for many names first, and then
// awaits them, waits no longer than for one.
func (c *nameCache) await(addr netip.Addr) string {
	n := c.ask(addr)
	patience := time.NewTimer(time.Until(n.asked.Add(namePatience)))
	defer patience.Stop()
	select {
	case <-n.known:
	case <-patience.C:
	}
	return c.get(addr)
}

// ask has addr looked up, unless that was done before.
func (c *nameCache) ask(addr netip.Addr) *cachedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, asked := c.names[addr]
	if !asked {
		n = &cachedName{asked: time.Now(), known: make(chan struct{})}
		c.names[addr] = n
		go c.learn(addr, n)
	}
	return n
}

// learn looks a name up. What a router's owner wrote there reaches a terminal:
// package net lets through only what has the form of a name.
func (c *nameCache) learn(addr netip.Addr, n *cachedName) {
	defer close(n.known)
	ctx, cancel := context.WithTimeout(context.Background(), nameTimeout)
	defer cancel()
	names, err := c.lookup(ctx, addr.WithZone("").String())
	if err != nil || len(names) == 0 {
		return
	}
	n.name = strings.TrimSuffix(names[0], ".")
}
