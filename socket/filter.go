package socket

import (
	"golang.org/x/net/bpf"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

// A raw socket receives all ICMP traffic of the host. The filters below let only
// the replies to its own id and the errors that quote a request with its id
// through, so that other processes' traffic neither wakes us nor fills our queue.

const (
	accept = 0xffffffff
	drop   = 0

	quoteOffset = 8 // of the quoted packet, from the start of an error message
)

// passTypes4 and passTypes6 are the message types that can answer a request.
var (
	passTypes4 = []uint8{
		icmp.V4EchoReply.Number(), icmp.V4DestinationUnreachable.Number(), icmp.V4SourceQuench.Number(),
		icmp.V4Redirect.Number(), icmp.V4TimeExceeded.Number(), icmp.V4ParameterProblem.Number(),
	}
	passTypes6 = []uint8{
		icmp.V6EchoReply.Number(), icmp.V6DestinationUnreachable.Number(), icmp.V6PacketTooBig.Number(),
		icmp.V6TimeExceeded.Number(), icmp.V6ParameterProblem.Number(),
	}
)

// idFilter4 sees packets from their IPv4 header on.
func idFilter4(id uint16) []bpf.Instruction {
	const protocolOffset, idOffset = 9, 4
	return []bpf.Instruction{
		bpf.LoadMemShift{Off: 0},          // X = length of the IPv4 header
		bpf.LoadIndirect{Off: 0, Size: 1}, // the type
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(icmp.V4EchoReply.Number()), SkipTrue: 9},
		// An error: it can only be about us if it quotes ICMP.
		bpf.LoadIndirect{Off: quoteOffset + protocolOffset, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(icmp.ICMP), SkipTrue: 10},
		bpf.LoadIndirect{Off: quoteOffset, Size: 1}, // X += length of the quoted IPv4 header
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x0f},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2},
		bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.TAX{},
		bpf.LoadIndirect{Off: quoteOffset + idOffset, Size: 2},
		bpf.Jump{Skip: 1},
		bpf.LoadIndirect{Off: idOffset, Size: 2}, // an echo reply
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(id), SkipFalse: 1},
		bpf.RetConstant{Val: accept},
		bpf.RetConstant{Val: drop},
	}
}

// idFilter6 sees packets from their ICMPv6 header on. An error that quotes a
// packet with extension headers passes, and user space examines it.
func idFilter6(id uint16) []bpf.Instruction {
	const nextHeaderOffset, idOffset = 6, 4
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 1}, // the type
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(icmp.V6EchoReply.Number()), SkipTrue: 4},
		bpf.LoadAbsolute{Off: quoteOffset + nextHeaderOffset, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(icmp.ICMPv6), SkipTrue: 5},
		bpf.LoadAbsolute{Off: quoteOffset + wire.IPv6HeaderLen + idOffset, Size: 2},
		bpf.Jump{Skip: 1},
		bpf.LoadAbsolute{Off: idOffset, Size: 2}, // an echo reply
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(id), SkipFalse: 6},
		bpf.RetConstant{Val: accept},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ProtocolHopByHop), SkipTrue: 5},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ProtocolRouting), SkipTrue: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ProtocolFragment), SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ProtocolAuthentication), SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ProtocolDestinationOptions), SkipTrue: 1},
		bpf.RetConstant{Val: drop},
		bpf.RetConstant{Val: accept},
	}
}
