package netsim

import (
	"encoding/binary"
	"net/netip"

	"github.com/goicmp/icmplib/internal/wire"
)

// packet is an IP packet and where its parts are. It is parsed once; what
// changes on the way (TTL, addresses, ports) is changed in place.
type packet struct {
	b     []byte
	v6    bool
	part  bool  // it is a fragment of a larger packet
	proto uint8 // of the upper layer, behind any IPv6 extension headers
	l4    int   // where the upper layer begins

	// largest is the length of the largest fragment that it came in; 0: it was
	// whole.
	largest int

	// vouched marks a transport checksum that a router was told to set, which
	// hosts therefore do not verify.
	vouched bool
}

// parsePacket finds the parts of an IP packet. What follows the length that
// its header states is cut.
func parsePacket(b []byte) (p packet, ok bool) {
	if len(b) == 0 {
		return p, false
	}
	switch b[0] >> 4 {
	case 4:
		return parse4(b)
	case 6:
		return parse6(b)
	}
	return p, false
}

func parse4(b []byte) (p packet, ok bool) {
	var head wire.IPv4
	if head.Parse(b) != nil || head.TotalLen < head.HeaderLen || head.TotalLen > len(b) {
		return p, false
	}
	return packet{
		b: b[:head.TotalLen], proto: head.Protocol, l4: head.HeaderLen,
		part: head.MoreFragments || head.FragmentOffset > 0,
	}, true
}

func parse6(b []byte) (p packet, ok bool) {
	var head wire.IPv6
	if head.Parse(b) != nil || wire.IPv6HeaderLen+head.PayloadLen > len(b) {
		return p, false
	}
	b = b[:wire.IPv6HeaderLen+head.PayloadLen]
	var upper wire.UpperLayer
	if upper.Find(head.NextHeader, b[wire.IPv6HeaderLen:]) != nil {
		return p, false
	}
	return packet{
		b: b, v6: true, proto: upper.Protocol, l4: wire.IPv6HeaderLen + upper.Offset,
		part: upper.Fragment && (upper.MoreFragments || upper.FragmentOffset > 0),
	}, true
}

func (p *packet) source() netip.Addr {
	if p.v6 {
		return netip.AddrFrom16([16]byte(p.b[8:24]))
	}
	return netip.AddrFrom4([4]byte(p.b[12:16]))
}

func (p *packet) destination() netip.Addr {
	if p.v6 {
		return netip.AddrFrom16([16]byte(p.b[24:40]))
	}
	return netip.AddrFrom4([4]byte(p.b[16:20]))
}

func (p *packet) ttl() uint8 {
	if p.v6 {
		return p.b[7]
	}
	return p.b[8]
}

func (p *packet) setTTL(ttl uint8) {
	if p.v6 {
		p.b[7] = ttl
		return
	}
	p.b[8] = ttl
	p.fixHeader()
}

func (p *packet) trafficClass() uint8 {
	if p.v6 {
		return p.b[0]<<4 | p.b[1]>>4
	}
	return p.b[1]
}

func (p *packet) setTrafficClass(tc uint8) {
	if p.v6 {
		p.b[0], p.b[1] = 0x60|tc>>4, tc<<4|p.b[1]&15
		return
	}
	p.b[1] = tc
	p.fixHeader()
}

func (p *packet) flowLabel() uint32 {
	if !p.v6 {
		return 0
	}
	return binary.BigEndian.Uint32(p.b) & 0xfffff
}

func (p *packet) ipID() uint16 {
	if p.v6 {
		return 0
	}
	return binary.BigEndian.Uint16(p.b[4:])
}

// dontFragment reports whether routers may not fragment the packet: those of
// IPv6 never do.
func (p *packet) dontFragment() bool { return p.v6 || p.b[6]&0x40 != 0 }

func (p *packet) transport() []byte { return p.b[p.l4:] }

// isICMP reports whether the packet is ICMP of its own IP version.
func (p *packet) isICMP() bool {
	if p.v6 {
		return p.proto == wire.ProtocolICMPv6
	}
	return p.proto == wire.ProtocolICMP
}

// hasPorts reports whether the upper layer is known to begin with two ports.
func (p *packet) hasPorts() bool {
	return p.proto == wire.ProtocolUDP || p.proto == wire.ProtocolTCP || p.proto == wire.ProtocolSCTP
}

// fixHeader recomputes the checksum of the IPv4 header.
func (p *packet) fixHeader() {
	if p.v6 {
		return
	}
	put16(p.b[10:], 0)
	put16(p.b[10:], wire.Checksum(p.b[:p.headerLen()]))
}

// headerLen is the length of the IP header without IPv6 extension headers.
func (p *packet) headerLen() int {
	if p.v6 {
		return wire.IPv6HeaderLen
	}
	return int(p.b[0]&15) * 4
}

func put16(b []byte, v uint16) { binary.BigEndian.PutUint16(b, v) }
func put32(b []byte, v uint32) { binary.BigEndian.PutUint32(b, v) }
func get16(b []byte) uint16    { return binary.BigEndian.Uint16(b) }
func get32(b []byte) uint32    { return binary.BigEndian.Uint32(b) }
