// Package rewrite finds out where on a path header fields of probes are changed, from the
// headers that ICMP errors quote. It is pure.
package rewrite

import (
	"net/netip"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/wire"
)

// Fields is a set of header fields.
type Fields uint8

// The fields.
const (
	Source Fields = 1 << iota
	SourcePort
	DestinationPort
	Checksum // by more than the other fields explain
	TrafficClass
	FlowLabel
	DontFragment
)

// Header is that of a probe, as it was sent or as a router saw it.
type Header struct {
	Source                      netip.Addr // the zero Addr: the header is not known
	SourcePort, DestinationPort uint16
	TrafficClass                uint8
	FlowLabel                   uint32
	DontFragment                bool

	Local netip.Addr // where the probe was sent from; the zero Addr: not known
	Shift engine.Shift
}

// IsKnown reports whether there is a header.
func (h *Header) IsKnown() bool { return h.Source.IsValid() }

// Differences returns the fields in which two headers differ although the probes did not.
// Only fields that both headers have count.
func Differences(a, b *Header) (all Fields) {
	for _, field := range [...]struct {
		bit     Fields
		differs bool
	}{
		{Source, a.Source != b.Source},
		{SourcePort, a.SourcePort != b.SourcePort},
		{DestinationPort, a.DestinationPort != b.DestinationPort},
		{TrafficClass, a.TrafficClass != b.TrafficClass},
		{FlowLabel, a.FlowLabel != b.FlowLabel},
		{DontFragment, a.DontFragment != b.DontFragment},
		{Checksum, a.Shift.Known && b.Shift.Known && a.Shift.Sum != explained(a, b)},
	} {
		if field.differs {
			all |= field.bit
		}
	}
	return all
}

// explained returns the checksum of b as it would be if the fields in which b differs from
// a were as in a.
func explained(a, b *Header) uint16 {
	sum := engine.Less(b.Shift.Sum, b.SourcePort)
	sum = engine.Less(sum, b.DestinationPort)
	sum = engine.Less(sum, ^wire.Combine(a.SourcePort, a.DestinationPort))
	if b.Shift.Addresses {
		sum = engine.Less(sum, wire.AddressSum(b.Source))
		sum = engine.Less(sum, ^wire.AddressSum(a.Source))
	}
	return sum
}

// with returns h with some fields taken from other.
func (h Header) with(fields Fields, other *Header) Header {
	if fields&Source != 0 {
		h.Source = other.Source
	}
	if fields&SourcePort != 0 {
		h.SourcePort = other.SourcePort
	}
	if fields&DestinationPort != 0 {
		h.DestinationPort = other.DestinationPort
	}
	if fields&Checksum != 0 || !h.Shift.Known {
		h.Shift = other.Shift
	}
	if fields&TrafficClass != 0 {
		h.TrafficClass = other.TrafficClass
	}
	if fields&FlowLabel != 0 {
		h.FlowLabel = other.FlowLabel
	}
	if fields&DontFragment != 0 {
		h.DontFragment = other.DontFragment
	}
	return h
}

// sentAs returns how a probe of a shape looked when it was sent: ports that the shape leaves
// open, and what it has not, are those of the first header that was quoted.
func sentAs(shape, first *Header) Header {
	sent := *first
	if first.Local.IsValid() {
		sent.Source = first.Local
	}
	if shape.DestinationPort != 0 && first.DestinationPort != 0 {
		sent.DestinationPort = shape.DestinationPort
	}
	if shape.SourcePort != 0 && first.SourcePort != 0 {
		sent.SourcePort = shape.SourcePort
	}
	sent.TrafficClass, sent.FlowLabel = shape.TrafficClass, shape.FlowLabel
	sent.DontFragment = shape.DontFragment && first.Source.Is4()
	if first.Shift.FromSent {
		sent.Shift.Sum = 0
	} else {
		sent.Shift.Sum = explained(&sent, first)
	}
	return sent
}

// changed returns the fields of a probe, as h was sent, that differ between two headers. The
// system may choose another flow label at any time, unless one was set.
func (h *Header) changed(before, after *Header) Fields {
	changed := Differences(before, after)
	if h.FlowLabel == 0 {
		changed &^= FlowLabel
	}
	return changed
}

// Path follows probes from hop to hop. The zero value is at the sender.
type Path struct {
	Sent Header // how they were sent; the zero Header: no hop has quoted one yet
	last Header
}

// Next returns the fields in which the header that the next hop quotes differs from the one
// before. The first one that is known is compared with what was sent, in a shape.
func (p *Path) Next(shape, seen *Header) Fields {
	if !seen.IsKnown() {
		return 0
	}
	if !p.Sent.IsKnown() {
		p.Sent = sentAs(shape, seen)
		p.last = p.Sent
	}
	changed := p.Sent.changed(&p.last, seen)
	p.last = *seen
	return changed
}

// Seen is the header that a hop quotes.
type Seen struct {
	Header
	Distance int
}

// Point is a place where fields are rewritten: After is the last hop that saw them
// unchanged, 0 for none, Before the first that saw them rewritten. Sure is set if a hop
// behind that saw the same.
type Point struct {
	Fields        Fields
	After, Before int
	Sure          bool
}

// Points returns where fields of probes that were sent so are rewritten, in order of
// distance. What one hop sees and no hop behind it is left out: such a hop quotes in its
// own way.
func Points(sent *Header, seen []Seen) (points []Point) {
	last, after := *sent, 0
	for i := range seen {
		h, own := &seen[i], Fields(0)
		changed, isLast := sent.changed(&last, &h.Header), i+1 == len(seen)
		if !isLast {
			own = changed & Differences(&h.Header, &seen[i+1].Header)
			changed &^= own
		}
		if changed != 0 {
			points = append(points, Point{Fields: changed, After: after, Before: h.Distance, Sure: !isLast})
		}
		last, after = h.with(own, &last), h.Distance
	}
	return points
}
