package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
)

// maxDistance is the most that the library takes.
const maxDistance = 255

// traceFlags is what traceroute and mtr say alike: which hops are probed, and by
// packets of what shape. Of probeFlags it takes the values, under the letters
// that traceroute(8) gives them.
type traceFlags struct {
	probeFlags
	protocolFlags
	firstHop     int
	maxHops      int
	dontFragment bool
	numeric      bool
}

// register adds the flags. Where -i is another flag's, device is given as "".
func (f *traceFlags) register(flags *pflag.FlagSet, device string) {
	flags.IntVarP(&f.firstHop, "first-hop", "f", 1, "the distance to begin with")
	flags.IntVarP(&f.maxHops, "max-hops", "m", 30, "the distance to end with")
	f.protocolFlags.register(flags, "I")
	flags.BoolVarP(&f.only4, "ipv4", "4", false, "use IPv4 only")
	flags.BoolVarP(&f.only6, "ipv6", "6", false, "use IPv6 only")
	flags.StringVarP(&f.source, "source", "s", "", "address to send from")
	flags.StringVarP(&f.device, "interface", device, "", "interface to send and receive on")
	flags.IntVarP(&f.class, "traffic-class", "t", 0, "the byte of DSCP and ECN; --tos is the same")
	flags.BoolVarP(&f.dontFragment, "dont-fragment", "F", false, "forbid fragmentation")
	flags.IntVar(&f.size, "size", defaultSize, "payload bytes")
	flags.Uint32Var(&f.mark, "mark", 0, "routing mark; needs privilege")
	flags.StringVar(&f.mode, "mode", "auto", "kind of socket: auto, datagram or raw")
	f.ttl, f.pmtudisc = 64, "dont" // what the check of probeFlags is to find
}

// checkHops refuses distances that there are not.
func (f *traceFlags) checkHops() error {
	switch {
	case f.firstHop < 1 || f.firstHop > maxDistance:
		return refuse("first-hop", f.firstHop, fmt.Sprintf("1 to %d", maxDistance))
	case f.maxHops < f.firstHop || f.maxHops > maxDistance:
		return refuse("max-hops", f.maxHops, fmt.Sprintf("%d (the first hop) to %d", f.firstHop, maxDistance))
	}
	return nil
}

// packet translates the shape of a probe. The flags have been checked.
func (f *traceFlags) packet() icmplib.Packet {
	p := f.probeFlags.packet()
	p.TTL = 0 // a trace sets it
	p.DontFragment = f.dontFragment
	return p
}
