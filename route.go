package icmplib

import (
	"fmt"
	"iter"
	"log/slog"
	"net/netip"
	"slices"
	"strings"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/rewrite"
	"github.com/goicmp/icmplib/internal/text"
	"github.com/goicmp/icmplib/internal/words"
)

// Route is the route to a target, as far as it is known: the result of Traceroute.
type Route struct {
	// Address is the address that was traced, and Name the target as the caller wrote it.
	Address netip.Addr
	Name    string

	// Reached is set if the target answered.
	Reached bool

	// End is why the trace ended.
	End RouteEnd

	// Err is why nothing could be sent to the target, or why its address is unknown, in a
	// [MultiTraceroute]; otherwise it is nil.
	Err error

	// Hops are all hops up to the end, in order of distance, silent ones included. A trace
	// that did not reach its target ends with the last hop that answered, unless it ended
	// by its gap limit or at MaxHops.
	Hops []Hop

	// Graph has the paths of several flows; it is nil if one flow was traced. See
	// [TracerouteOptions].Flows.
	Graph *Graph
}

// Responding yields the hops that answered.
func (r *Route) Responding() iter.Seq[*Hop] {
	return func(yield func(*Hop) bool) {
		for i := range r.Hops {
			if !r.Hops[i].IsSilent() && !yield(&r.Hops[i]) {
				return
			}
		}
	}
}

// RouteEnd is why a trace ended.
type RouteEnd uint8

// The ends of a trace.
const (
	EndUnknown     RouteEnd = iota // the trace was cut short
	EndReached                     // the target answered
	EndUnreachable                 // a node refused to forward the packet: see the last hop's Status
	EndRefused                     // an address other than the target's reports a closed UDP port: see StatusRefused
	EndLoop                        // routers forward the packet in a circle
	EndGap                         // GapLimit hops in a row were silent
	EndMaxHops                     // MaxHops was reached before any other end
)

var routeEnds = words.Table[RouteEnd]{What: "end of a route", Other: "unknown", Words: []string{"unknown", "reached", "unreachable", "refused", "loop", "gap", "max-hops"}}

// String returns the end as a word, such as "reached" or "loop".
func (e RouteEnd) String() string { return routeEnds.String(e) }

// MarshalText returns the word, as encoding/json uses it.
func (e RouteEnd) MarshalText() ([]byte, error) { return routeEnds.Marshal(e) }

// UnmarshalText sets e to the end with the given word. An unknown word is an error.
func (e *RouteEnd) UnmarshalText(word []byte) error { return routeEnds.Unmarshal(e, word) }

// String returns r in several lines for people, one for each hop:
//
//	example.org (192.0.2.1): reached
//	  1  198.51.100.1  2 of 2 answered, 1.100 ms avg
//	  2  *
//	  3  192.0.2.1  2 of 2 answered, 10.600 ms avg
//
// The layout may change; programs should read the fields.
func (r *Route) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v", text.Target(r.Name, r.Address), r.End)
	if r.Err != nil {
		fmt.Fprintf(&b, "\n  error  %v", r.Err)
	}
	for i := range r.Hops {
		b.WriteString("\n" + r.Hops[i].String())
	}
	return b.String()
}

// String returns h on one line, for people, as [Route.String] shows it. Its layout
// may change; read the fields instead.
func (h *Hop) String() string {
	b := fmt.Appendf(nil, "%3d  %s", h.Distance, text.Addr(h.Address))
	for i := range h.Responders {
		if a := h.Responders[i].Address; a != h.Address {
			b = fmt.Appendf(b, ", %v", a)
		}
	}
	if h.Status != StatusTTLExpired && h.Status != StatusReply && h.Status != StatusNoReply {
		b = fmt.Appendf(b, "  %v", h.Status)
	}
	if h.PacketsReceived > 0 {
		b = fmt.Appendf(b, "  %d of %d answered, %s avg", h.PacketsReceived, h.PacketsSent, text.Milliseconds(h.AvgRTT()))
	}
	return string(b)
}

// String returns the round, and the route and the events over several lines, for
// people. Its layout may change; read the fields instead.
func (s *Snapshot) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "round %d, %s", s.Round, s.Route.String())
	for _, e := range s.Events {
		fmt.Fprintf(&b, "\n  %v", e)
	}
	return b.String()
}

// String returns e on one line, for a log:
//
//	round 7: route-change at hop 3, from 192.0.2.1 to 192.0.2.9
//	round 9: outage
//	round 12: recovery after 3.2s
//	round 61: address-change from 192.0.2.1 to 192.0.2.9
//
// The layout may change; programs should read the fields.
func (e Event) String() string {
	line := fmt.Sprintf("round %d: %v", e.Round, e.Kind)
	switch e.Kind {
	case EventRouteChange:
		line += fmt.Sprintf(" at hop %d, from %s to %s", e.Distance, text.Addr(e.From), text.Addr(e.To))
	case EventAddressChange:
		line += fmt.Sprintf(" from %s to %s", text.Addr(e.From), text.Addr(e.To))
	case EventRecovery:
		line += fmt.Sprintf(" after %v", e.Duration)
	}
	return line
}

// String returns r in several lines for people:
//
//	example.org (192.0.2.1): 1400 bytes, confirmed, exact
//	  1  198.51.100.1  1500 kept
//	  2  198.51.100.9  1400 reported by 198.51.100.9
//	  3  192.0.2.1  1400 kept
//
// The layout may change; programs should read the fields.
func (r *MTUReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d bytes%s%s%s", text.Target(r.Name, r.Address), r.MTU,
		text.Either(r.Reached, "", ", as far as the farthest router that answers"),
		text.Either(r.Confirmed, ", confirmed", ", not confirmed"), text.Either(r.Exact, ", exact", ", or more"))
	for _, h := range r.Hops {
		fmt.Fprintf(&b, "\n%3d  %s", h.Distance, text.Addr(h.Address))
		if h.MTU > 0 {
			fmt.Fprintf(&b, "  %d %v", h.MTU, h.Source)
		}
		if h.ReportedBy.IsValid() {
			fmt.Fprintf(&b, " by %v", h.ReportedBy)
		}
	}
	for _, hole := range r.BlackHoles {
		b.WriteString("\n  " + hole.String())
	}
	return b.String()
}

// String describes the black hole in a line, for people.
func (h *BlackHole) String() string {
	switch {
	case h.Replies:
		return fmt.Sprintf("black hole on the way back from hop %d, or replies it does not send: %d bytes arrive, %d do not", h.After, h.Passes, h.Fails)
	case h.Unsure:
		return fmt.Sprintf("black hole between hops %d and %d, or on the way back: %d bytes pass, %d do not", h.After, h.Before, h.Passes, h.Fails)
	}
	return fmt.Sprintf("black hole between hops %d and %d: %d bytes pass, %d do not", h.After, h.Before, h.Passes, h.Fails)
}

// String returns r in several lines for people, one for each hop:
//
//	example.org (192.0.2.1): loss from hop 3 on
//	  1  198.51.100.1  way none, answers rate-limited: 0.0 % lost, at the fast rate 61.5 %
//	  2  *
//	  3  192.0.2.1  way loss, answers loss: 8.3 % lost, at the fast rate 9.5 %
//
// The layout may change; programs should read the fields.
func (r *LossReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", text.Target(r.Name, r.Address), text.Either(r.Verdict == LossNone, "no loss", r.Verdict.String()))
	if r.From > 0 {
		fmt.Fprintf(&b, " from hop %d on", r.From)
	}
	b.WriteString(text.Either(r.Reached, "", ", not reached"))
	for i := range r.Hops {
		h := &r.Hops[i]
		fmt.Fprintf(&b, "\n%3d  %s", h.Distance, text.Addr(h.Address))
		if h.Address.IsValid() {
			fmt.Fprintf(&b, "  way %v, answers %v: %.1f %% lost, at the fast rate %.1f %%",
				h.Path, h.Verdict, 100*h.Slow.Loss(), 100*h.Fast.Loss())
		}
	}
	return b.String()
}

// Hop is one distance on the route to a target: the routers, or the target, that answer
// probes with one TTL.
//
// In its [Stats] any answer counts as received, because a router's time exceeded is the
// answer that the probe asked for. An error from this system itself does not count as an
// answer: see [Result].Local.
type Hop struct {
	// Distance is the TTL, or hop limit, of the probes.
	Distance int

	// Address is the address that answered first; the zero Addr for a silent hop.
	Address netip.Addr

	// Responders are all addresses that answered, in the order of their first answers.
	// There are several if a router balances load or the route changes.
	Responders []Responder

	// Status is what the answers mean: [StatusTTLExpired] for a router on the path,
	// [StatusReply] for the target, [StatusNoReply] for a silent hop, and another status if
	// a node refuses to forward the packet.
	Status Status

	// MPLS is the label stack of the first answer that has one.
	MPLS []icmp.MPLSLabel

	// MTU is what a [StatusPacketTooBig] reports, in bytes; 0 without one.
	MTU int

	// ReturnDistance is the estimated number of hops on the return path, from the TTL of
	// the first answer and the usual initial TTLs (64, 128 and 255); 0 if it is not known.
	// If it differs much from Distance, the return path is not the reverse of the path.
	ReturnDistance int

	// Rewritten are the header fields that differ between the probe as this hop quoted it
	// and as the last quoting hop before it did, or as it was sent. The first answer
	// counts. The difference may only be in how this hop quotes: [Route.Rewrites] also
	// considers the hops behind it. It is not known without raw sockets.
	Rewritten Rewrite

	// End is why the trace ended at this hop; [EndUnknown] if it went on, or was cut short
	// here. The last hop of a finished trace has it, equal to [Route.End].
	End RouteEnd

	sent rewrite.Header // how probes looked when they were sent; the zero value: not known

	Stats
}

// Responder is one of the addresses that answer at a hop.
type Responder struct {
	Address         netip.Addr           // the source of its answers
	Local           bool                 // it is an address of this system: see [Result].Local
	PacketsReceived int                  // probes that it answered in time
	Status          Status               // what its first answer means
	Type            icmp.Type            // of the ICMP message; 0: the answer was not ICMP
	Code            uint8                // of the ICMP message
	ReplyTTL        int                  // of the first answer; 0: not known
	RTTSource       RTTSource            // of the first answer
	MPLS            []icmp.MPLSLabel     // the label stack that the probe arrived with
	Interfaces      []icmp.InterfaceInfo // RFC 5837
	Quoted          Quoted               // how it saw the first probe that it answered
}

// IsSilent reports whether no address answered.
func (h *Hop) IsSilent() bool { return len(h.Responders) == 0 }

// Add adds the result of one of the hop's probes, as [Stats.Add] does, except that any
// answer counts as received. It also adds the responder.
func (h *Hop) Add(r Result) {
	h.Stats.count(&r, true)
	if !r.Responder.IsValid() || r.informs() {
		return
	}
	h.describe(&r)
	if !h.credit(&r) {
		h.Responders = append(h.Responders, newResponder(&r))
	}
}

// credit counts an answer for its responder, and reports whether the responder was known.
func (h *Hop) credit(r *Result) bool {
	for i := range h.Responders {
		if e := &h.Responders[i]; e.Address == r.Responder {
			e.count(r)
			return true
		}
	}
	return false
}

// maxResponders limits the responders that a monitored hop keeps. Beyond it, the one that
// answered longest ago is forgotten.
const maxResponders = 16

// addLatest adds a result of one of the hop's probes in a Monitor: the latest answer
// replaces what earlier ones said. The ordinal counts the probes to the hop, because some
// rounds may have skipped it.
func (h *Hop) addLatest(r *Result, ordinal int) {
	inHop := *r
	inHop.Seq = ordinal
	h.Stats.count(&inHop, true)
	if !r.Responder.IsValid() || r.informs() {
		return
	}
	if r.Settles() {
		h.MPLS, h.Status = r.MPLS, r.Status
		if r.MTU > 0 {
			h.MTU = r.MTU
		}
	}
	if h.credit(r) {
		return
	}
	if len(h.Responders) == maxResponders {
		h.Responders = slices.Delete(h.Responders, 0, 1)
	}
	h.Responders = append(h.Responders, newResponder(r))
}

// newResponder describes a responder by its first answer.
func newResponder(r *Result) Responder {
	e := Responder{
		Address:    r.Responder,
		Local:      r.Local,
		Status:     r.Status,
		Type:       r.Type,
		Code:       r.Code,
		ReplyTTL:   r.ReplyTTL,
		RTTSource:  r.RTTSource,
		MPLS:       r.MPLS,
		Interfaces: r.Interfaces,
		Quoted:     r.Quoted,
	}
	e.count(r)
	return e
}

// count counts an answer that settles its probe.
func (e *Responder) count(r *Result) {
	if r.Settles() && !r.Local {
		e.PacketsReceived++
	}
}

// describe keeps what the first answer with a description says.
func (h *Hop) describe(r *Result) {
	if !h.Address.IsValid() {
		h.Address = r.Responder
		h.ReturnDistance = returnDistance(r.ReplyTTL)
	}
	if h.Status == StatusNoReply || r.Status == StatusReply {
		h.Status = r.Status
	}
	if h.MPLS == nil {
		h.MPLS = r.MPLS
	}
	if h.MTU == 0 {
		h.MTU = r.MTU
	}
}

// returnDistance estimates how many hops an answer took, from its remaining TTL.
func returnDistance(ttl int) int {
	for _, initial := range [...]int{64, 128, 255} {
		if ttl > 0 && ttl <= initial {
			return initial - ttl + 1
		}
	}
	return 0
}

// Rewrite is a set of header fields that a node on the path changes.
type Rewrite uint8

// The fields.
const (
	RewriteSource          Rewrite = 1 << iota // the source address
	RewriteSourcePort                          // of UDP, TCP and SCTP
	RewriteDestinationPort                     // of UDP, TCP and SCTP
	RewriteChecksum                            // changed more than the other fields explain: see below
	RewriteTrafficClass                        // DSCP and ECN
	RewriteFlowLabel                           // of IPv6, where Packet.FlowLabel is set
	RewriteDontFragment                        // of IPv4

	// RewriteTranslation are the fields that address translators change. RewriteChecksum
	// reveals a translator that restores the fields in quotes from behind it: the fields
	// look as they were sent, but the checksum belongs to other values.
	RewriteTranslation = RewriteSource | RewriteSourcePort | RewriteDestinationPort | RewriteChecksum
)

var rewriteFields = words.Set[Rewrite]{What: "header field", Words: []string{
	"source", "source-port", "destination-port", "checksum", "traffic-class", "flow-label", "dont-fragment",
}}

// String returns the fields as words, such as "source,checksum", and "none" without any.
func (r Rewrite) String() string { return rewriteFields.String(r) }

// Words returns the words of the fields, in order.
func (r Rewrite) Words() []string { return rewriteFields.List(r) }

// MarshalText returns the words, separated by commas, as encoding/json uses it.
func (r Rewrite) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText sets r to the fields with the given words. An unknown word is an error.
func (r *Rewrite) UnmarshalText(text []byte) error { return rewriteFields.Unmarshal(r, text) }

// header returns the header in the form that package rewrite compares.
func (q *Quoted) header() rewrite.Header {
	return rewrite.Header{
		Source: q.Source, SourcePort: q.SourcePort, DestinationPort: q.DestinationPort, TrafficClass: q.TrafficClass,
		FlowLabel: q.FlowLabel, DontFragment: q.DontFragment, Local: q.local, Shift: q.shift,
	}
}

// header returns the header of a probe, as far as the Packet determines it.
func (pk *Packet) header() rewrite.Header {
	return rewrite.Header{
		SourcePort: pk.SourcePort, DestinationPort: pk.flow().DestinationPort, TrafficClass: uint8(pk.TrafficClass),
		FlowLabel: pk.FlowLabel, DontFragment: pk.DontFragment,
	}
}

// seen returns the header that the first answer of the hop quotes: none if that is the
// target's, which quotes nothing.
func (h *Hop) seen() (seen rewrite.Header) {
	if !h.IsSilent() {
		seen = h.Responders[0].Quoted.header()
	}
	return seen
}

// follow compares the probe as the hop quoted it with what the hop before it on a path
// quoted, and the first quote with what was sent.
func (h *Hop) follow(path *rewrite.Path, packet *Packet) {
	shape, seen := packet.header(), h.seen()
	h.Rewritten, h.sent = Rewrite(path.Next(&shape, &seen)), path.Sent
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
	sent, _ := r.seen()
	return sent.IsKnown()
}

// seen returns how the probes were sent, as far as it is known, and what hops quoted.
func (r *Route) seen() (sent rewrite.Header, all []rewrite.Seen) {
	for i := range r.Hops {
		h := &r.Hops[i]
		if seen := h.seen(); seen.IsKnown() {
			if all == nil {
				sent = h.sent
			}
			all = append(all, rewrite.Seen{Header: seen, Distance: h.Distance})
		}
	}
	return sent, all
}

// Rewrites returns where header fields of the probes are rewritten, in order of distance,
// as far as the quotes of routers show it. It leaves out a hop whose quote shows something
// that no hop behind it shows: such a hop only quotes differently.
//
// It returns nothing if [Route.SeesRewrites] is false, nothing about fields that a
// translator restores in quotes together with the checksum, and nothing for a route of
// several flows, for which [Hop.Rewritten] is set.
func (r *Route) Rewrites() []RewritePoint {
	sent, seen := r.seen()
	if !sent.IsKnown() {
		return nil
	}
	var points []RewritePoint
	for _, p := range rewrite.Points(&sent, seen) {
		points = append(points, RewritePoint{Fields: Rewrite(p.Fields), After: p.After, Before: p.Before, Sure: p.Sure})
	}
	return points
}

// LogValue returns the distance, the address, the status, the number of responders if it is
// not 0, and what [Stats.LogValue] returns.
func (h Hop) LogValue() slog.Value {
	a := fields.Attrs{slog.Int("distance", h.Distance), slog.String("address", text.Addr(h.Address)), slog.String("status", h.Status.String())}
	a.Count("responders", len(h.Responders))
	logStats(&a, &h.Stats)
	return a.Group()
}

// logRoute adds the target of a route, how it ended, and the number of hops.
func logRoute(a *fields.Attrs, r *Route) {
	a.Target(r.Name, r.Address)
	*a = append(*a, slog.Bool("reached", r.Reached), slog.String("end", r.End.String()), slog.Int("hops", len(r.Hops)))
	a.Error("error", r.Err)
}

// LogValue returns the target, how the trace ended, and the number of hops; each [Hop] has
// a LogValue of its own.
func (r Route) LogValue() slog.Value {
	var a fields.Attrs
	logRoute(&a, &r)
	return a.Group()
}
