package icmplib

import (
	"fmt"
	"strings"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/wire"
)

// Rewrite is a set of header fields that a node on the path changes.
type Rewrite uint8

// The fields.
const (
	RewriteSource          Rewrite = 1 << iota // the source address
	RewriteSourcePort                          // of UDP, TCP and SCTP
	RewriteDestinationPort                     // of UDP, TCP and SCTP
	RewriteChecksum                            // by more than the other fields explain: see below
	RewriteTrafficClass                        // DSCP and ECN
	RewriteFlowLabel                           // of IPv6, where Packet.FlowLabel is set
	RewriteDontFragment                        // of IPv4

	// RewriteTranslation are the fields that address translators change. A translator that
	// restores the fields in quotes from behind it shows by RewriteChecksum: the fields
	// look as they were sent, but the checksum belongs to other values.
	RewriteTranslation = RewriteSource | RewriteSourcePort | RewriteDestinationPort | RewriteChecksum
)

var rewriteWords = [...]string{
	"source", "source-port", "destination-port", "checksum", "traffic-class", "flow-label", "dont-fragment",
}

// String returns the fields as words, such as "source,checksum", and "none" without any.
func (r Rewrite) String() string {
	words := r.Words()
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ",")
}

// Words returns the words of the fields, in order.
func (r Rewrite) Words() []string {
	var words []string
	for i, word := range rewriteWords {
		if r&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return words
}

// MarshalText returns the words, separated by commas, as encoding/json uses it.
func (r Rewrite) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText sets r to the fields with the given words. An unknown word is an error.
func (r *Rewrite) UnmarshalText(text []byte) error {
	var fields Rewrite
	for word := range strings.SplitSeq(string(text), ",") {
		bit := Rewrite(0)
		for i, known := range rewriteWords {
			if word == known {
				bit = 1 << i
			}
		}
		if bit == 0 && word != "none" {
			return fmt.Errorf("unknown header field %q", word)
		}
		fields |= bit
	}
	*r = fields
	return nil
}

// isKnown reports whether there is a quote.
func (q *Quoted) isKnown() bool { return q.Source.IsValid() }

// differences returns the fields in which two quotes differ although the probes did not.
// Only fields that both quotes have count.
func differences(a, b *Quoted) (r Rewrite) {
	for _, field := range [...]struct {
		bit     Rewrite
		differs bool
	}{
		{RewriteSource, a.Source != b.Source},
		{RewriteSourcePort, a.SourcePort != b.SourcePort},
		{RewriteDestinationPort, a.DestinationPort != b.DestinationPort},
		{RewriteTrafficClass, a.TrafficClass != b.TrafficClass},
		{RewriteFlowLabel, a.FlowLabel != b.FlowLabel},
		{RewriteDontFragment, a.DontFragment != b.DontFragment},
		{RewriteChecksum, a.shift.Known && b.shift.Known && a.shift.Sum != explained(a, b)},
	} {
		if field.differs {
			r |= field.bit
		}
	}
	return r
}

// explained returns the checksum of b as it would be if the fields in which b differs from
// a were as in a.
func explained(a, b *Quoted) uint16 {
	sum := engine.Less(b.shift.Sum, b.SourcePort)
	sum = engine.Less(sum, b.DestinationPort)
	sum = engine.Less(sum, ^wire.Combine(a.SourcePort, a.DestinationPort))
	if b.shift.Addresses {
		sum = engine.Less(sum, wire.AddressSum(b.Source))
		sum = engine.Less(sum, ^wire.AddressSum(a.Source))
	}
	return sum
}

// with returns q with some fields taken from other.
func (q Quoted) with(fields Rewrite, other *Quoted) Quoted {
	if fields&RewriteSource != 0 {
		q.Source = other.Source
	}
	if fields&RewriteSourcePort != 0 {
		q.SourcePort = other.SourcePort
	}
	if fields&RewriteDestinationPort != 0 {
		q.DestinationPort = other.DestinationPort
	}
	if fields&RewriteChecksum != 0 || !q.shift.Known {
		q.shift = other.shift
	}
	if fields&RewriteTrafficClass != 0 {
		q.TrafficClass = other.TrafficClass
	}
	if fields&RewriteFlowLabel != 0 {
		q.FlowLabel = other.FlowLabel
	}
	if fields&RewriteDontFragment != 0 {
		q.DontFragment = other.DontFragment
	}
	return q
}

// sentAs returns how a probe looked when it was sent: fields that its shape leaves open are
// those of the first quote.
func sentAs(packet *Packet, first *Quoted) Quoted {
	sent := *first
	if first.local.IsValid() {
		sent.Source = first.local
	}
	if port := packet.flow().DestinationPort; first.DestinationPort != 0 && port != 0 {
		sent.DestinationPort = port
	}
	if packet.SourcePort != 0 && first.SourcePort != 0 {
		sent.SourcePort = packet.SourcePort
	}
	sent.TrafficClass = uint8(packet.TrafficClass)
	sent.FlowLabel = packet.FlowLabel
	sent.DontFragment = packet.DontFragment && first.Source.Is4()
	if first.shift.FromSent {
		sent.shift.Sum = 0
	} else {
		sent.shift.Sum = explained(&sent, first)
	}
	return sent
}

// telling returns the fields that matter if they differ from those that were sent. The
// system may choose another flow label at any time, unless the shape sets one.
func (q *Quoted) telling() Rewrite {
	if q.FlowLabel == 0 {
		return ^RewriteFlowLabel
	}
	return ^Rewrite(0)
}

// seenIn returns the quote of a hop's first answer, or nil without one.
func seenIn(h *Hop) *Quoted {
	if h.IsSilent() || !h.Responders[0].Quoted.isKnown() {
		return nil
	}
	return &h.Responders[0].Quoted
}

// RewritePoint is a place on the path where header fields are rewritten.
type RewritePoint struct {
	Fields Rewrite `json:"fields"` // that are rewritten there

	// After is the last hop that saw the fields unchanged, 0 being this system, and Before
	// the first one that saw them rewritten. The node that rewrites is between them, or is
	// one of them: a router that rewrites what it forwards quotes the packet as it arrived.
	After  int `json:"after"`
	Before int `json:"before"`

	// Sure is set if a hop behind Before saw the same. Otherwise, Before is the last hop
	// with a quote: either the fields are rewritten, or only its quote is.
	Sure bool `json:"sure"`
}

// SeesRewrites reports whether any hop quoted a probe and the system provided the quote,
// which requires raw sockets. Only then does an empty Rewrites mean that nothing is
// rewritten.
func (r *Route) SeesRewrites() bool {
	for i := range r.Hops {
		if seenIn(&r.Hops[i]) != nil {
			return r.Hops[i].sent.isKnown()
		}
	}
	return false
}

// Rewrites returns where header fields of the probes are rewritten, in order of distance,
// as far as the quotes of routers show it. It leaves out a hop whose quote shows something
// that no hop behind it shows: such a hop quotes in its own way.
//
// It returns nothing if [Route.SeesRewrites] is false, nothing about fields that a
// translator restores in quotes together with the checksum, and nothing for a route of
// several flows, for which [Hop.Rewritten] is set.
func (r *Route) Rewrites() []RewritePoint {
	var known []*Hop
	for i := range r.Hops {
		if seenIn(&r.Hops[i]) != nil {
			known = append(known, &r.Hops[i])
		}
	}
	if len(known) == 0 || !known[0].sent.isKnown() {
		return nil
	}
	var points []RewritePoint
	last := known[0].sent
	after, telling := 0, last.telling()
	for i, h := range known {
		seen := *seenIn(h)
		changed, own := differences(&last, &seen)&telling, Rewrite(0)
		if i+1 < len(known) {
			own = changed & differences(&seen, seenIn(known[i+1]))
			changed &^= own
		}
		if changed != 0 {
			points = append(points, RewritePoint{Fields: changed, After: after, Before: h.Distance, Sure: i+1 < len(known)})
		}
		last = seen.with(own, &last)
		after = h.Distance
	}
	return points
}
