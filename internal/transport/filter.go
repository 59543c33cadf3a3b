package transport

import (
	"golang.org/x/net/bpf"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

// A raw socket receives all traffic of its protocol on this host and, on the loopback
// interface, also its own probes. The filters below pass only the answers to its own
// ports, so that other processes' traffic neither wakes us nor fills our queue.

const (
	accept = 0xffffffff
	drop   = 0

	quoteOffset = 8 // of the quoted packet, from the start of an error message
)

// errorTypes4 and errorTypes6 are the messages that can answer a probe.
var (
	errorTypes4 = []uint8{
		icmp.V4DestinationUnreachable.Number(), icmp.V4SourceQuench.Number(), icmp.V4Redirect.Number(),
		icmp.V4TimeExceeded.Number(), icmp.V4ParameterProblem.Number(),
	}
	errorTypes6 = []uint8{
		icmp.V6DestinationUnreachable.Number(), icmp.V6PacketTooBig.Number(),
		icmp.V6TimeExceeded.Number(), icmp.V6ParameterProblem.Number(),
	}
)

// segmentFilter passes the direct answers to n ports. It sees IPv4 packets from their
// IP header on, and IPv6 packets from the header after the IPv6 headers on.
func segmentFilter(v icmp.Version, protocol icmp.Protocol, first uint16, n int) []bpf.Instruction {
	const portOffset, flagsOffset, chunkOffset = 2, 13, wire.SCTPHeaderLen
	var header bpf.Instruction = bpf.LoadConstant{Dst: bpf.RegX, Val: 0}
	if v == icmp.V4 {
		header = bpf.LoadMemShift{Off: 0} // X = length of the IPv4 header
	}
	program := []bpf.Instruction{
		header,
		bpf.LoadIndirect{Off: portOffset, Size: 2},
		bpf.ALUOpConstant{Op: bpf.ALUOpSub, Val: uint32(first)},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: uint32(n), SkipTrue: 1},
		bpf.RetConstant{Val: drop},
	}
	switch protocol {
	case icmp.TCP:
		program = append(program,
			bpf.LoadIndirect{Off: flagsOffset, Size: 1},
			bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: uint32(wire.TCPFlagACK), SkipTrue: 1},
			bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: uint32(wire.TCPFlagRST | wire.TCPFlagSYN), SkipTrue: 1},
			bpf.RetConstant{Val: drop})
	case icmp.SCTP:
		program = append(program,
			bpf.LoadIndirect{Off: chunkOffset, Size: 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ChunkInitAck), SkipTrue: 2},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ChunkAbort), SkipTrue: 1},
			bpf.RetConstant{Val: drop})
	}
	return append(program, bpf.RetConstant{Val: accept})
}

// errorFilter4 passes the ICMP errors that quote a packet of the protocol from
// one of n ports. It sees packets from their IPv4 header on.
func errorFilter4(protocol icmp.Protocol, first uint16, n int) []bpf.Instruction {
	const protocolOffset = 9
	return []bpf.Instruction{
		bpf.LoadMemShift{Off: 0}, // X = length of the IPv4 header
		bpf.LoadIndirect{Off: quoteOffset + protocolOffset, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(protocol), SkipTrue: 9},
		bpf.LoadIndirect{Off: quoteOffset, Size: 1}, // X += length of the quoted IPv4 header
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x0f},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2},
		bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.TAX{},
		bpf.LoadIndirect{Off: quoteOffset, Size: 2}, // the source port
		bpf.ALUOpConstant{Op: bpf.ALUOpSub, Val: uint32(first)},
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: uint32(n), SkipTrue: 1},
		bpf.RetConstant{Val: accept},
		bpf.RetConstant{Val: drop},
	}
}

// errorFilter6 sees packets from their ICMPv6 header on. An error that quotes a
// packet with extension headers passes, and user space examines it.
func errorFilter6(protocol icmp.Protocol, first uint16, n int) []bpf.Instruction {
	const nextHeaderOffset = 6
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: quoteOffset + nextHeaderOffset, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(protocol), SkipTrue: 4},
		bpf.LoadAbsolute{Off: quoteOffset + wire.IPv6HeaderLen, Size: 2},
		bpf.ALUOpConstant{Op: bpf.ALUOpSub, Val: uint32(first)},
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: uint32(n), SkipTrue: 5},
		bpf.RetConstant{Val: accept},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ProtocolHopByHop), SkipTrue: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ProtocolRouting), SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ProtocolFragment), SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ProtocolDestinationOptions), SkipTrue: 1},
		bpf.RetConstant{Val: drop},
		bpf.RetConstant{Val: accept},
	}
}
