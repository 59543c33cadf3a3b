package icmplib

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

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
