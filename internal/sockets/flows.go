package sockets

import "github.com/goicmp/icmplib/internal/engine"

// FlowsPerBlock is how many flows share sockets, where a flow needs a source port of its
// own: each port that is held is a descriptor.
const FlowsPerBlock = 64

// ForFlow sets the ports for the block of flows that a flow is one of, and returns the
// number of the block. Most is how many flows there may be; 0: not known. From a first port
// that was chosen, flows have the ports behind each other.
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

// FlowSum adds the number of a flow to the sum of the first in ones' complement
// arithmetic, in which 0xffff is 0, so that no two flows have the same one.
func FlowSum(first uint16, number int) uint16 { return uint16((int(first) + number) % 0xffff) }

// Flow returns what makes the probes of a flow differ from those of others that have ports,
// given the shape of all. Labelled flows also have different labels, none of them 0.
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
