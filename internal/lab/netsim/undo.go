package netsim

import (
	"net/netip"

	"github.com/goicmp/icmplib/internal/wire"
)

// undo is how a node's rewriting is taken back in the answers. The zero undo
// does nothing.
type undo struct {
	on            bool
	quotes        bool // also in what errors quote
	before, after identity
}

// identity is what an address translator changes in a packet.
type identity struct {
	source, destination         netip.Addr
	proto                       uint8
	sourcePort, destinationPort uint16 // 0: the packet has none
	id                          uint16 // of echo messages
	echo                        bool
}

func (p *packet) identity() identity {
	i := identity{source: p.source(), destination: p.destination(), proto: p.proto}
	switch t := p.transport(); {
	case p.hasPorts() && len(t) >= 4:
		i.sourcePort, i.destinationPort = get16(t), get16(t[2:])
	case p.isICMP() && len(t) >= 6 && isEcho(p.v6, t[0]):
		i.id, i.echo = get16(t[4:]), true
	}
	return i
}

func isEcho(v6 bool, icmpType uint8) bool {
	if v6 {
		return icmpType == echoReply6 || icmpType == echoRequest6
	}
	return icmpType == echoReply4 || icmpType == echoRequest4
}

// apply translates an answer back.
func (u *undo) apply(p *packet) {
	if !u.on {
		return
	}
	good := p.verify()
	if p.destination() == u.after.source {
		p.setDestination(u.before.source)
	}
	if p.source() == u.after.destination {
		p.setSource(u.before.destination)
	}
	t := p.transport()
	switch {
	case p.hasPorts() && p.proto == u.before.proto && len(t) >= 4:
		swap(t[2:], u.after.sourcePort, u.before.sourcePort)
		swap(t, u.after.destinationPort, u.before.destinationPort)
	case p.isICMP() && u.before.echo && len(t) >= 6 && isEcho(p.v6, t[0]):
		swap(t[4:], u.after.id, u.before.id)
	case p.isICMP() && u.quotes && len(t) > icmpHeader && isError(p.v6, t[0]):
		u.restore(t[icmpHeader:], p.v6)
	}
	if good {
		p.seal()
	}
}

// restore translates a quoted packet back, but not the checksum of its upper
// layer, of which the quote holds too little.
func (u *undo) restore(quote []byte, v6 bool) {
	q := packet{b: quote, v6: v6, proto: u.before.proto, l4: wire.IPv6HeaderLen}
	switch {
	case v6 && len(quote) < wire.IPv6HeaderLen, !v6 && len(quote) < wire.IPv4MinHeaderLen:
		return
	case !v6:
		if q.l4 = q.headerLen(); q.l4 > len(quote) {
			return
		}
	}
	q.setSource(u.before.source)
	q.setDestination(u.before.destination)
	t := q.transport()
	switch {
	case q.hasPorts() && len(t) >= 4:
		put16(t, u.before.sourcePort)
		put16(t[2:], u.before.destinationPort)
	case u.before.echo && len(t) >= 6:
		put16(t[4:], u.before.id)
	}
}

// swap writes to where from is.
func swap(field []byte, from, to uint16) {
	if get16(field) == from {
		put16(field, to)
	}
}
