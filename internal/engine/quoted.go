package engine

import (
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
)

// Quoted is the probe as the router received it and quotes it in its error, if the
// router and the system provide that.
type Quoted struct {
	Known                       bool // whether the fields below are known
	Source                      netip.Addr
	SourcePort, DestinationPort uint16
	TTL                         uint8
	TrafficClass                uint8
	FlowLabel                   uint32
	DontFragment                bool
	Checksum                    uint16

	Local netip.Addr // the address that the probe was sent from; the zero Addr: unknown
	Shift Shift
}

// Shift is the change of a probe's checksum on its path. It reveals that fields which
// the checksum covers were rewritten, even if the quote was translated back.
type Shift struct {
	Known bool

	// Sum is the ones' complement sum that belongs to the quoted checksum, without
	// the parts that differ from probe to probe. It is the same for all probes of an
	// operation unless a router rewrites them. With FromSent, it is then 0.
	Sum      uint16
	FromSent bool

	// Addresses is set if the checksum covers the addresses.
	Addresses bool
}

// describe reads the quote of the probe with a sequence number from an error.
func (q *Quoted) describe(r *icmp.Reply, id, seq uint16, p *payload) {
	from := &r.Quote
	if !r.Type.IsError() || from.Length == 0 {
		return
	}
	*q = Quoted{
		Known:           true,
		Source:          from.Source,
		SourcePort:      from.SourcePort,
		DestinationPort: from.DestinationPort,
		TTL:             from.TTL,
		TrafficClass:    from.TrafficClass,
		FlowLabel:       from.FlowLabel,
		DontFragment:    from.DontFragment,
		Checksum:        from.Checksum,
		Local:           r.Destination,
		Shift:           shiftOf(r, id, seq, p),
	}
}

// shiftOf compares a quoted checksum with that of the probe. A checksum of 0 means
// none: some routers quote it that way.
func shiftOf(r *icmp.Reply, id, seq uint16, p *payload) Shift {
	q := &r.Quote
	if q.Checksum == 0 {
		return Shift{}
	}
	sum := ^q.Checksum
	switch q.Protocol {
	case icmp.ICMP, icmp.ICMPv6:
		return echoShift(r, sum, id, p)
	case icmp.UDP:
		if p.numbered && seq != 0 {
			return Shift{true, Less(sum, ^seq), true, true} // see segments
		}
		return Shift{true, Less(sum, 0), false, true}
	case icmp.TCP:
		sum = Less(sum, uint16(q.TCPSequence>>16))
		return Shift{true, Less(sum, uint16(q.TCPSequence)), false, true}
	}
	return Shift{}
}

// echoShift returns the Shift of an echo request, whose payload and sequence number
// add up to the sum of its flow.
func echoShift(r *icmp.Reply, sum, id uint16, p *payload) Shift {
	q := &r.Quote
	if !p.balanced() {
		return Shift{}
	}
	sum = Less(Less(Less(sum, p.sum), id), uint16(q.Type.Number())<<8)
	if q.Protocol == icmp.ICMP {
		return Shift{true, sum, true, false}
	}
	if !r.Destination.IsValid() {
		return Shift{true, sum, false, true}
	}
	pseudo := wire.PseudoHeaderSum(r.Destination, q.Destination, uint8(icmp.ICMPv6), echoHeaderLen+len(p.bytes))
	return Shift{true, Less(sum, pseudo), true, true}
}

// Less returns a-b in ones' complement arithmetic, in which 0xffff is also 0.
func Less(a, b uint16) uint16 {
	if sum := wire.Combine(a, ^b); sum != 0xffff {
		return sum
	}
	return 0
}
