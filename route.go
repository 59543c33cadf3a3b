package icmplib

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goicmp/icmplib/icmp"
)

// Route is the way to a target, as far as it is known: the result of Traceroute.
type Route struct {
	// Address is the address that was traced, and Name the target as the caller
	// gave it.
	Address netip.Addr
	Name    string

	// Reached is set where the target answered.
	Reached bool

	// End is why the trace ended where it did.
	End RouteEnd

	// Err is why nothing could be sent to the target, or its address is not
	// known, in a [MultiTraceroute]; nil otherwise.
	Err error

	// Hops are all hops up to the end in order of distance, silent ones too. A
	// trace that did not reach its target ends with the last hop that answered,
	// unless it ended by its gap limit or at MaxHops.
	Hops []Hop

	// Graph is the ways of several flows; nil where one was traced. See
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

// RouteEnd says why a trace ended.
type RouteEnd uint8

// The ends of a trace.
const (
	EndUnknown     RouteEnd = iota // it was cut short
	EndReached                     // the target answered
	EndUnreachable                 // somebody refused to forward the packet: see the last hop's Status
	EndRefused                     // another address than the target's says that the UDP port is closed: see StatusRefused
	EndLoop                        // routers forward the packet in a circle
	EndGap                         // GapLimit hops in a row were silent
	EndMaxHops                     // MaxHops was not enough
)

var routeEndWords = [...]string{"unknown", "reached", "unreachable", "refused", "loop", "gap", "max-hops"}

// String returns the end in a word, such as "reached" or "loop".
func (e RouteEnd) String() string {
	return wordOf(e, routeEndWords[:], routeEndWords[EndUnknown])
}

// MarshalText returns the word, for JSON and its like.
func (e RouteEnd) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText sets e to the end whose word is given. An unknown word is an
// error.
func (e *RouteEnd) UnmarshalText(word []byte) error {
	return setByWord(e, routeEndWords[:], 0, word, "end of a route")
}

// targetText returns "example.org (192.0.2.1)", or what is known of that.
func targetText(name string, addr netip.Addr) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		name = strconv.Quote(name) // it would do something to a terminal
	}
	switch {
	case !addr.IsValid() || name == addr.String():
		return name
	case name == "":
		return addr.String()
	}
	return name + " (" + addr.String() + ")"
}

// addressText returns an address, and "*" for nobody.
func addressText(addr netip.Addr) string {
	if !addr.IsValid() {
		return "*"
	}
	return addr.String()
}

// String returns r over several lines, for people, with a line for each hop:
//
//	example.org (192.0.2.1): reached
//	  1  198.51.100.1  2 of 2 answered, 1.100 ms avg
//	  2  *
//	  3  192.0.2.1  2 of 2 answered, 10.600 ms avg
//
// Its layout may change; read the fields instead.
func (r *Route) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %v", targetText(r.Name, r.Address), r.End)
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
	b := fmt.Appendf(nil, "%3d  %s", h.Distance, addressText(h.Address))
	for i := range h.Responders {
		if a := h.Responders[i].Address; a != h.Address {
			b = fmt.Appendf(b, ", %v", a)
		}
	}
	if h.Status != StatusTTLExpired && h.Status != StatusReply && h.Status != StatusNoReply {
		b = fmt.Appendf(b, "  %v", h.Status)
	}
	if h.PacketsReceived > 0 {
		b = fmt.Appendf(b, "  %d of %d answered, ", h.PacketsReceived, h.PacketsSent)
		b = appendMilliseconds(b, h.AvgRTT(), " avg")
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
//
// Its layout may change; read the fields instead.
func (e Event) String() string {
	text := fmt.Sprintf("round %d: %v", e.Round, e.Kind)
	switch e.Kind {
	case EventRouteChange:
		text += fmt.Sprintf(" at hop %d, from %s to %s", e.Distance, addressText(e.From), addressText(e.To))
	case EventRecovery:
		text += fmt.Sprintf(" after %v", e.Duration)
	}
	return text
}

// String returns r over several lines, for people:
//
//	example.org (192.0.2.1): 1400 bytes, confirmed, exact
//	  1  198.51.100.1  1500 kept
//	  2  198.51.100.9  1400 reported by 198.51.100.9
//	  3  192.0.2.1  1400 kept
//
// Its layout may change; read the fields instead.
func (r *MTUReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d bytes", targetText(r.Name, r.Address), r.MTU)
	for _, known := range []struct {
		so          bool
		word, other string
	}{
		{r.Reached, "", ", as far as the farthest router that answers"},
		{r.Confirmed, ", confirmed", ", not confirmed"},
		{r.Exact, ", exact", ", or more"},
	} {
		if known.so {
			b.WriteString(known.word)
		} else {
			b.WriteString(known.other)
		}
	}
	for _, h := range r.Hops {
		fmt.Fprintf(&b, "\n%3d  %s", h.Distance, addressText(h.Address))
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

// String returns r over several lines, for people, with a line for each hop:
//
//	example.org (192.0.2.1): loss from hop 3 on
//	  1  198.51.100.1  way none, answers rate-limited: 0.0 % lost, at the fast rate 61.5 %
//	  2  *
//	  3  192.0.2.1  way loss, answers loss: 8.3 % lost, at the fast rate 9.5 %
//
// Its layout may change; read the fields instead.
func (r *LossReport) String() string {
	var b strings.Builder
	verdict := r.Verdict.String()
	if r.Verdict == LossNone {
		verdict = "no loss"
	}
	fmt.Fprintf(&b, "%s: %s", targetText(r.Name, r.Address), verdict)
	if r.From > 0 {
		fmt.Fprintf(&b, " from hop %d on", r.From)
	}
	if !r.Reached {
		b.WriteString(", not reached")
	}
	for i := range r.Hops {
		h := &r.Hops[i]
		fmt.Fprintf(&b, "\n%3d  %s", h.Distance, addressText(h.Address))
		if h.Address.IsValid() {
			fmt.Fprintf(&b, "  way %v, answers %v: %.1f %% lost, at the fast rate %.1f %%",
				h.Path, h.Verdict, 100*h.Slow.Loss(), 100*h.Fast.Loss())
		}
	}
	return b.String()
}

// Hop is a place on the way to a target: the routers, or the target, that answer
// probes with one TTL.
//
// In its [Stats] any answer counts as received, for a router's time exceeded is
// the answer that was asked for.
type Hop struct {
	// Distance is the TTL, or hop limit, of the probes.
	Distance int

	// Address is who answered first; the zero Addr for a silent hop.
	Address netip.Addr

	// Responders are all who answered, in the order of their first answers. It
	// is more than one where a router spreads load, or a route changes.
	Responders []Responder

	// Status is what the answers mean: [StatusTTLExpired] for a router on the
	// way, [StatusReply] for the target, another one where somebody refuses to
	// forward the packet, [StatusNoReply] for a silent hop.
	Status Status

	// MPLS is the label stack of the first answer that brought one.
	MPLS []icmp.MPLSLabel

	// MTU is what a [StatusPacketTooBig] reports, in bytes; 0: none did.
	MTU int

	// ReturnDistance is the estimated number of hops on the way back, from the
	// TTL with which the first answer came, and the usual initial TTLs (64, 128
	// and 255); 0: not known. Where it is far from Distance, the way back is
	// another one.
	ReturnDistance int

	// Rewritten are the header fields that the hop saw otherwise than the hop
	// before it that quotes, or than they were sent: as the first answer quotes
	// them. That may be the hop's own way to quote: [Route.Rewrites] goes by what
	// the hops behind it saw, too. It is not known without raw sockets.
	Rewritten Rewrite

	// End is why the trace ended at this hop; [EndUnknown] for one that it went
	// beyond, or that it was cut short at. The last hop of a finished trace has
	// it, and so says what [Route.End] does.
	End RouteEnd

	sent Quoted // how probes looked when they were sent; the zero value: not known

	Stats
}

// Responder is one of those who answer at a hop.
type Responder struct {
	Address         netip.Addr           // the source of its answers
	PacketsReceived int                  // probes that it answered in time
	Status          Status               // what its first answer means
	Type            icmp.Type            // of the ICMP message; 0: it was none
	Code            uint8                // of the ICMP message
	ReplyTTL        int                  // of the first answer; 0: not known
	RTTSource       RTTSource            // of the first answer
	MPLS            []icmp.MPLSLabel     // the label stack that the probe arrived with
	Interfaces      []icmp.InterfaceInfo // RFC 5837
	Quoted          Quoted               // how it saw the first probe that it answered
}

// IsSilent tells whether nobody answered.
func (h *Hop) IsSilent() bool { return len(h.Responders) == 0 }

// add takes a result of one of the hop's probes.
func (h *Hop) add(r *Result) {
	h.Stats.Add(*r)
	if !r.Responder.IsValid() || r.informs() {
		return
	}
	h.describe(r)
	for i := range h.Responders {
		if e := &h.Responders[i]; e.Address == r.Responder {
			e.count(r)
			return
		}
	}
	h.Responders = append(h.Responders, newResponder(r))
}

// maxResponders bounds what is kept of those who answer at a hop that is watched. With
// more, who answered longest ago is forgotten.
const maxResponders = 16

// addLatest takes a result of one of the hop's probes where it is watched for long: what
// it says replaces what was said before. The ordinal is that of the probe among those to
// the hop, for rounds may have left the hop out.
func (h *Hop) addLatest(r *Result, ordinal int) {
	inHop := *r
	inHop.Seq = ordinal
	h.Stats.Add(inHop)
	if !r.Responder.IsValid() || r.informs() {
		return
	}
	if r.Settles() {
		h.MPLS, h.Status = r.MPLS, r.Status
		if r.MTU > 0 {
			h.MTU = r.MTU
		}
	}
	for i := range h.Responders {
		if e := &h.Responders[i]; e.Address == r.Responder {
			e.count(r)
			return
		}
	}
	if len(h.Responders) == maxResponders {
		h.Responders = slices.Delete(h.Responders, 0, 1)
	}
	h.Responders = append(h.Responders, newResponder(r))
}

// newResponder describes who answered by the first answer.
func newResponder(r *Result) Responder {
	e := Responder{
		Address:    r.Responder,
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
	if r.Settles() {
		e.PacketsReceived++
	}
}

// describe keeps what the first answer that says it says.
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

// returnDistance guesses how many hops an answer took, from the TTL that is left.
func returnDistance(ttl int) int {
	for _, initial := range [...]int{64, 128, 255} {
		if ttl > 0 && ttl <= initial {
			return initial - ttl + 1
		}
	}
	return 0
}
