package netsim

import (
	"encoding/binary"

	"github.com/goicmp/icmplib/internal/wire"
)

// coverage is the sum of what the packet's upper-layer checksum covers: the
// upper layer, and except for ICMP of IPv4 the pseudo-header (RFC 768, RFC 9293
// section 3.1, RFC 8200 section 8.1).
func (p *packet) coverage() uint16 {
	sum := wire.Sum(p.transport())
	if p.proto == wire.ProtocolICMP {
		return sum
	}
	addresses := p.b[12:20]
	if p.v6 {
		addresses = p.b[8:40]
	}
	sum = wire.Combine(wire.Sum(addresses), sum)
	return wire.Combine(wire.Combine(uint16(p.proto), uint16(len(p.b)-p.l4)), sum)
}

// checksumField is where the upper layer keeps its checksum, nil where it has
// none that is known or its header is cut.
func (p *packet) checksumField() []byte {
	at, size := 0, 2
	switch p.proto {
	case wire.ProtocolICMP, wire.ProtocolICMPv6:
		at = 2
	case wire.ProtocolUDP:
		at = 6
	case wire.ProtocolTCP:
		at = 16
	case wire.ProtocolSCTP:
		at, size = 8, 4
	default:
		return nil
	}
	if p.l4+at+size > len(p.b) {
		return nil
	}
	return p.b[p.l4+at:][:size]
}

// verify reports whether the upper layer's checksum is right.
func (p *packet) verify() bool {
	field := p.checksumField()
	switch {
	case field == nil:
		return false
	case p.vouched:
		return true
	case p.proto == wire.ProtocolSCTP:
		return binary.LittleEndian.Uint32(field) == wire.SCTPChecksum(p.transport())
	case p.proto == wire.ProtocolUDP && !p.v6 && get16(field) == 0:
		return true // RFC 768: the sender made none
	}
	return ^p.coverage() == 0
}

// seal writes the upper layer's checksum.
func (p *packet) seal() {
	field := p.checksumField()
	switch {
	case field == nil:
	case p.proto == wire.ProtocolSCTP:
		binary.LittleEndian.PutUint32(field, wire.SCTPChecksum(p.transport()))
	default:
		put16(field, 0)
		sum := ^p.coverage()
		if sum == 0 && p.proto == wire.ProtocolUDP {
			sum = 0xffff // RFC 768: zero means that there is none
		}
		put16(field, sum)
	}
}
