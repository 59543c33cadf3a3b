package main

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/spf13/pflag"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// protocolFlags say what probes are made of.
type protocolFlags struct {
	protocol   string
	icmp       bool
	udp        bool
	tcp        bool
	port       int
	sourcePort int
	flowLabel  uint32
	given      func(flag string) bool // tells whether a flag is on the command line
}

// register adds the flags. Where -I is another flag's, icmp is given as "".
func (f *protocolFlags) register(flags *pflag.FlagSet, icmpShort string) {
	f.given = flags.Changed
	flags.StringVarP(&f.protocol, "protocol", "P", "icmp", "what to send: icmp, udp, tcp or sctp")
	flags.BoolVarP(&f.icmp, "icmp", icmpShort, false, "the same as --protocol icmp")
	flags.BoolVarP(&f.udp, "udp", "U", false, "the same as --protocol udp")
	flags.BoolVarP(&f.tcp, "tcp", "T", false, "the same as --protocol tcp")
	flags.IntVarP(&f.port, "port", "p", 0, "destination port; 0: 33434 for udp, 80 for tcp and sctp")
	flags.IntVar(&f.sourcePort, "source-port", 0, "source port of udp, tcp and sctp; 0: any that is free")
	flags.Uint32VarP(&f.flowLabel, "flow-label", "l", 0, "IPv6 flow label of udp, tcp and sctp; 0: the system's")
}

// settle decides on the protocol among the flags that name one.
func (f *protocolFlags) settle() error {
	if _, err := icmplib.ParseProtocol(f.protocol); err != nil {
		return refuse("protocol", fmt.Sprintf("%q", f.protocol), "icmp, udp, tcp or sctp")
	}
	flag := ""
	if f.given("protocol") {
		flag = "--protocol " + f.protocol
	}
	for _, short := range [...]struct {
		given bool
		name  string
	}{{f.icmp, "icmp"}, {f.udp, "udp"}, {f.tcp, "tcp"}} {
		if !short.given {
			continue
		}
		if flag != "" && f.protocol != short.name {
			return fmt.Errorf("%s and --%s exclude each other: one of them is allowed", flag, short.name)
		}
		flag, f.protocol = "--"+short.name, short.name
	}
	return nil
}

// check refuses what cannot be meant. The other flags say what shape the probe
// has; they have been checked.
func (f *protocolFlags) check(shape *probeFlags) error {
	if err := f.settle(); err != nil {
		return err
	}
	protocol, _ := icmplib.ParseProtocol(f.protocol)
	hasPorts := protocol != icmplib.ICMP
	switch {
	case f.port < 0 || f.port > maxPort:
		return refuse("port", f.port, "1 to 65535, or 0 for 33434 (udp) or 80 (tcp, sctp)")
	case f.sourcePort < 0 || f.sourcePort > maxPort:
		return refuse("source-port", f.sourcePort, "1 to 65535, or 0 for any that is free")
	case f.flowLabel > maxFlowLabel:
		return refuse("flow-label", f.flowLabel, fmt.Sprintf("0 to %d", maxFlowLabel))
	case f.port != 0 && !hasPorts:
		return refuse("port", f.port, "none with icmp, which has no ports,")
	case f.sourcePort != 0 && !hasPorts:
		return refuse("source-port", f.sourcePort, "none with icmp, which has no ports,")
	case f.flowLabel != 0 && !hasPorts:
		return refuse("flow-label", f.flowLabel, "none with icmp")
	case f.flowLabel != 0 && shape.only4:
		return errors.New("--flow-label and --ipv4 exclude each other: one of them is allowed")
	case shape.size < minSizeUDP && protocol == icmplib.UDP:
		return refuse("size", shape.size, fmt.Sprintf("%d to %d with udp", minSizeUDP, icmp.MaxSize))
	case shape.size != defaultSize && (protocol == icmplib.TCP || protocol == icmplib.SCTP):
		return refuse("size", shape.size, "none with "+f.protocol+", whose probes have no payload,")
	}
	return nil
}

const (
	maxPort      = 1<<16 - 1
	maxFlowLabel = 1<<20 - 1
	defaultSize  = 56
	minSizeUDP   = 12 // what the library sends at the least
)

// apply gives a packet the protocol and its ports. The flags have been checked.
func (f *protocolFlags) apply(p *icmplib.Packet) {
	p.Protocol, _ = icmplib.ParseProtocol(f.protocol)
	p.Port, p.SourcePort, p.FlowLabel = uint16(f.port), uint16(f.sourcePort), f.flowLabel
	if p.Protocol == icmplib.TCP || p.Protocol == icmplib.SCTP {
		p.Size = 0
	}
}

// suits refuses what a packet cannot have on its way to a target.
func suits(p *icmplib.Packet, target netip.Addr) error {
	if p.FlowLabel != 0 && target.Is4() {
		return refuse("flow-label", p.FlowLabel, "none to "+target.String()+", for IPv4 has no flow labels,")
	}
	return nil
}
