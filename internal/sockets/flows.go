package sockets

import "github.com/goicmp/icmplib/internal/engine"

// FlowsPerBlock is the number of flows that share sockets, if each flow needs its own
// source port. Each held port is a descriptor.
const FlowsPerBlock = 64

// ForFlow sets the ports for the block that contains a flow, and returns the number of the
// block. Most is the largest number of flows; 0: unknown. If FirstPort is set, flows have
// consecutive ports from it on.
func (s *Spec) ForFlow(number, most int) (block int) {
	s.Ports = FlowsPerBlock
	first := number / FlowsPerBlock * FlowsPerBlock
	if s.FirstPort != 0 {
		if most > 0 {
			s.Ports = min(FlowsPerBlock, most-first)
		}
		s.FirstPort += uint16(first)
	}
	return number / FlowsPerBlock
}

// FlowSum adds the number of a flow to the sum of the first flow, in ones' complement
// arithmetic, in which 0xffff is 0, so that no two flows have the same sum.
func FlowSum(first uint16, number int) uint16 { return uint16((int(first) + number) % 0xffff) }

// Flow returns the header fields that distinguish the probes of a flow with ports, given the
// shape that all flows share. Labelled flows also have different labels, none of which is 0.
func Flow(shape engine.Flow, number int, labelled bool) engine.Flow {
	const odd = 0x9e375 // an odd factor gives each flow another label
	f := shape
	f.SourcePort, f.Offset = 0, uint16(number%FlowsPerBlock)
	switch {
	case !labelled:
	case shape.Label == 0:
		f.Label = max(1, uint32(number+1)*odd&0xfffff)
	default:
		f.Label = max(1, (shape.Label+uint32(number)*odd)&0xfffff)
	}
	return f
}
