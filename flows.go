package icmplib

import (
	"net/netip"

	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan/mda"
)

// MaxFlows is how many flows there can be in one trace.
const MaxFlows = mda.MaxFlows

// flowsPerBlock is how many flows share sockets, where a flow needs a source
// port of its own: each port that is held is a descriptor.
const flowsPerBlock = 64

// flowLines opens the flows of a trace as they are needed. What tells them apart
// is the checksum of echo requests, and else the source port; over IPv6 also the
// flow label.
type flowLines struct {
	p      *Prober
	dst    netip.Addr
	opts   *TracerouteOptions
	driver *drive.Driver
	lines  []*drive.Line // by flow
}

// open returns the line of a flow.
func (l *flowLines) open(number int) (*drive.Line, error) {
	for len(l.lines) <= number {
		l.lines = append(l.lines, nil)
	}
	if line := l.lines[number]; line != nil {
		return line, nil
	}
	pool, err := l.p.flowPool(l.dst, l.opts, number)
	if err != nil {
		return nil, err
	}
	packet := &l.opts.Packet
	cfg := l.p.opConfig(packet, l.opts.Timeout, l.dst)
	cfg.Sum, cfg.Unclear = flowSum(cfg.Sum, number), true
	line := &drive.Line{Pool: pool, Op: l.driver.NewOp(cfg), Dst: l.dst, Flow: packet.flowNumber(number, l.dst)}
	l.lines[number] = line
	return line, nil
}

// flowSum adds the number of a flow to the sum of the first in ones' complement
// arithmetic, in which 0xffff is 0, so that no two flows have the same one.
func flowSum(first uint16, number int) uint16 { return uint16((int(first) + number) % 0xffff) }

// flowNumber returns what makes the probes of a flow differ from those of others.
func (pk *Packet) flowNumber(number int, dst netip.Addr) engine.Flow {
	f := pk.flow()
	if pk.Protocol == ICMP {
		return f
	}
	f.SourcePort, f.Offset = 0, uint16(number%flowsPerBlock)
	if dst.Is6() {
		// An odd factor gives each flow another label, none of them 0.
		f.Label = (pk.FlowLabel + uint32(number)*0x9e375) & 0xfffff
		if pk.FlowLabel == 0 {
			f.Label = uint32(number+1) * 0x9e375 & 0xfffff
		}
		f.Label = max(f.Label, 1)
	}
	return f
}

// flowPool returns the sockets for a flow.
func (p *Prober) flowPool(dst netip.Addr, opts *TracerouteOptions, number int) (*engine.Pool, error) {
	packet := &opts.Packet
	key, err := packet.key(&p.cfg, dst)
	if err != nil {
		return nil, err
	}
	if packet.Protocol != ICMP {
		key.block = number/flowsPerBlock + 1
		key.ports = flowsPerBlock
		first := number / flowsPerBlock * flowsPerBlock
		if opts.Flows > 0 && packet.SourcePort != 0 {
			key.ports = min(flowsPerBlock, opts.Flows-first)
		}
		if packet.SourcePort != 0 {
			key.port += uint16(first)
		}
	}
	pool, err := p.pool(key)
	if err != nil {
		return nil, err
	}
	if packet.Protocol != ICMP && pool.Ports() == 0 {
		return nil, &ConfigError{Field: "Flows", Value: opts.Flows,
			Allowed: "0 or 1 for TCP without raw sockets, where each probe is a connection with a port of its own:" +
				" use ICMP or UDP, or give the process CAP_NET_RAW"}
	}
	return pool, nil
}

// validateFlows refuses what cannot be traced by several flows.
func (o *TracerouteOptions) validateFlows() error {
	pk := &o.Packet
	switch {
	case o.Flows > MaxFlows:
		return &ConfigError{Field: "Flows", Value: o.Flows, Allowed: "up to 512, or a negative value to enumerate them"}
	case o.Flows == 0 || o.Flows == 1:
		return nil
	case o.Fast:
		return &ConfigError{Field: "Fast", Value: true, Allowed: "false with Flows: each flow is asked only until it has answered anyway"}
	case pk.Protocol == ICMP && pk.Payload != nil:
		return &ConfigError{Field: "Payload", Value: len(pk.Payload), Allowed: "nil with Flows and ICMP, for two bytes of the payload make the flow"}
	case pk.Protocol == ICMP && pk.size() < minFlowSize:
		return &ConfigError{Field: "Size", Value: pk.Size, Allowed: "10 or more with Flows and ICMP, for two bytes of the payload make the flow"}
	case pk.SourcePort != 0 && int(pk.SourcePort)+o.flowPorts() > 1<<16:
		return &ConfigError{Field: "SourcePort", Value: pk.SourcePort, Allowed: "one that leaves room for a port for each flow behind it, up to 65535"}
	}
	return nil
}

// minFlowSize is the payload with room for what keeps the checksum.
const minFlowSize = 10

// flowPorts is how many source ports there may be.
func (o *TracerouteOptions) flowPorts() int {
	if o.Flows < 0 {
		return MaxFlows
	}
	return o.Flows
}

// isMultipath reports whether several flows are to be traced.
func (o *TracerouteOptions) isMultipath() bool { return o.Flows < 0 || o.Flows > 1 }
