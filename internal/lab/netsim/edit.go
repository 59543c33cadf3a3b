package netsim

import (
	"net/netip"
	"slices"

	"github.com/goicmp/icmplib/internal/wire"
)

// setSource changes the source address. The upper layer's checksum is then to
// be sealed.
func (p *packet) setSource(a netip.Addr) { p.setAddress(0, a) }

// setDestination changes the destination address, as setSource does.
func (p *packet) setDestination(a netip.Addr) { p.setAddress(1, a) }

func (p *packet) setAddress(i int, a netip.Addr) {
	if p.v6 {
		b := a.As16()
		copy(p.b[8+16*i:], b[:])
		return
	}
	b := a.As4()
	copy(p.b[12+4*i:], b[:])
	p.fixHeader()
}

// setLength makes the IP header state the packet's length.
func (p *packet) setLength() {
	if p.v6 {
		put16(p.b[4:], uint16(len(p.b)-wire.IPv6HeaderLen))
		return
	}
	put16(p.b[2:], uint16(len(p.b)))
	p.fixHeader()
}

// cut shortens the upper layer to size bytes.
func (p *packet) cut(size int) {
	if p.l4+size >= len(p.b) {
		return
	}
	p.b = p.b[:p.l4+size]
	p.setLength()
	p.seal()
}

// addOptions puts the Router Alert option (RFC 2113) into an IPv4 header, and
// a destination options header with padding behind that of IPv6.
func (p *packet) addOptions() {
	if p.v6 {
		p.insert(wire.IPv6HeaderLen, wire.AppendOptionsHeader(nil, p.b[6], nil))
		p.b[6] = wire.ProtocolDestinationOptions
	} else if p.l4+4 <= wire.IPv4MaxHeaderLen {
		p.insert(p.l4, []byte{0x94, 4, 0, 0})
		p.b[0]++ // the header is a 32-bit word longer
	}
	p.setLength()
}

func (p *packet) insert(at int, b []byte) {
	if len(p.b)+len(b) > maxPacket {
		return
	}
	p.b = slices.Insert(slices.Clip(p.b), at, b...)
	p.l4 += len(b)
}

// pick returns the first address of a packet's family.
func pick(addresses []netip.Addr, v6 bool) netip.Addr {
	for _, a := range addresses {
		if a.Is6() == v6 {
			return a
		}
	}
	return netip.Addr{}
}
