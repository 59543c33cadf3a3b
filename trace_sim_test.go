package icmplib

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Each file in testdata/trace is a network, a trace in it and the route that it
// shows. It is run over each protocol with each kind of socket.
func TestTracerouteInSimulatedNetworks(t *testing.T) {
	t.Parallel()
	for _, s := range loadScenarios(t, "testdata/trace/*.net") {
		for _, v := range traceVariants {
			if s.suits(v) {
				t.Run(s.name+"/"+v.String(), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { s.trace(t, v) })
				})
			}
		}
	}
}

// A variant is how a scenario is run.
type variant struct {
	protocol Protocol
	datagram bool
}

var traceVariants = []variant{
	{ICMP, false}, {ICMP, true}, {UDP, false}, {UDP, true}, {TCP, false}, {TCP, true}, {SCTP, false},
}

func (v variant) String() string {
	if v.datagram {
		return v.protocol.String() + "-datagram"
	}
	return v.protocol.String() + "-raw"
}

// suits reports whether a scenario is meant for a variant: with any protocol,
// unless its command lists some.
func (s *scenario) suits(v variant) bool {
	list, ok := s.command.values["protocols"]
	return !ok || slices.Contains(strings.Split(list, ","), v.protocol.String())
}

// wantedOf returns what the figures are to be. A value for a protocol with a
// kind of socket goes before one for a protocol, that before one for the kind
// of socket, and that before the general one.
func (s *scenario) wantedOf(v variant) map[string]string {
	suffixes := []string{""}
	if v.datagram {
		suffixes = append(suffixes, "-datagram")
	}
	suffixes = append(suffixes, "-"+v.protocol.String(), "-"+v.String())
	want := map[string]string{}
	for name, value := range s.want.values {
		if figure, _, special := strings.Cut(name, "-"); !special {
			for _, suffix := range suffixes {
				if other, ok := s.want.values[figure+suffix]; ok {
					value = other
				}
			}
			want[figure] = value
		}
	}
	return want
}

func (s *scenario) trace(t *testing.T, v variant) {
	p := simProber(t, s.network(t), v.datagram)
	defer p.Close()
	opts := s.command.traceOptions(t)
	opts.Packet.Protocol = v.protocol
	start := time.Now()
	route, err := p.Traceroute(t.Context(), s.command.words[1], opts)
	if err != nil {
		t.Fatal(err)
	}
	s.compare(t, v, route, time.Since(start))
}

// compare holds a route against what the scenario wants.
func (s *scenario) compare(t *testing.T, v variant, route *Route, took time.Duration) {
	t.Helper()
	for name, want := range s.wantedOf(v) {
		switch {
		case want == "":
		case name == "within":
			most, err := time.ParseDuration(want)
			if err != nil || took > most {
				t.Errorf("it took %v, want at most %s", took, want)
			}
		default:
			if got := routeFigure(route, name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
	for i := range route.Hops {
		checkInvariants(t, &route.Hops[i].Stats)
		end := EndUnknown
		if i == len(route.Hops)-1 {
			end = route.End
		}
		if got := route.Hops[i].End; got != end {
			t.Errorf("hop %d has the end %v, want %v", i, got, end)
		}
	}
}

// traceOptions are those that the command gives.
func (d *directive) traceOptions(t *testing.T) *TracerouteOptions {
	t.Helper()
	return &TracerouteOptions{
		FirstHop: d.number(t, "first", 0),
		MaxHops:  d.number(t, "max", 0),
		Count:    d.number(t, "count", 0),
		GapLimit: d.number(t, "gap", 0),
		Fast:     d.number(t, "fast", 0) == 1,
		Interval: d.duration(t, "interval", 0),
		Timeout:  d.duration(t, "timeout", 0),
		Packet: Packet{
			Port:         uint16(d.number(t, "port", 0)),
			Service:      d.service(t),
			ServiceName:  d.values["name"],
			Size:         d.number(t, "size", 0),
			TrafficClass: d.number(t, "class", 0),
			FlowLabel:    uint32(d.number(t, "label", 0)),
			DontFragment: d.number(t, "df", 0) == 1,
		},
	}
}

// service is that which the command asks.
func (d *directive) service(t *testing.T) Service {
	t.Helper()
	name := d.values["service"]
	if name == "" {
		return NoService
	}
	s, err := ParseService(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// routeFigure names a figure of a route, mostly one value for each hop.
func routeFigure(r *Route, name string) string {
	switch name {
	case "end":
		return r.End.String()
	case "rewrites":
		return rewritesFigure(r)
	}
	values := make([]string, len(r.Hops))
	for i := range r.Hops {
		values[i] = hopFigure(&r.Hops[i], name)
	}
	switch name {
	case "code", "mtu":
		return values[len(values)-1]
	case "interface":
		return values[0]
	}
	return strings.Join(values, ",")
}

// rewritesFigure names the places where fields are rewritten: after which hop,
// before which, what, and a question mark where that is not sure.
func rewritesFigure(r *Route) string {
	var points []string
	for _, p := range r.Rewrites() {
		point := fmt.Sprintf("%d-%d:%s", p.After, p.Before, strings.ReplaceAll(p.Fields.String(), ",", "+"))
		if !p.Sure {
			point += "?"
		}
		points = append(points, point)
	}
	if points == nil {
		return "none"
	}
	return strings.Join(points, ",")
}

func hopFigure(h *Hop, name string) string {
	switch name {
	case "hops":
		if h.IsSilent() {
			return "*"
		}
		return h.Address.String()
	case "distances":
		return strconv.Itoa(h.Distance)
	case "responders":
		return strconv.Itoa(len(h.Responders))
	case "loss":
		return strconv.FormatFloat(h.PacketLoss(), 'f', 2, 64)
	case "rtts":
		return h.AvgRTT().String()
	case "sent":
		return strconv.Itoa(h.PacketsSent)
	case "statuses":
		return h.Status.String()
	case "code":
		if h.IsSilent() {
			return ""
		}
		return fmt.Sprintf("%d/%d", h.Responders[0].Type.Number(), h.Responders[0].Code)
	case "mtu":
		return strconv.Itoa(h.MTU)
	case "mpls":
		return strings.ReplaceAll(strings.ReplaceAll(join(h.MPLS), ",L", ";L"), ",", "/")
	case "interface":
		if h.IsSilent() || h.Responders[0].Interfaces == nil {
			return ""
		}
		return h.Responders[0].Interfaces[0].Name
	case "rewritten":
		return strings.ReplaceAll(h.Rewritten.String(), ",", "+")
	case "return":
		return strconv.Itoa(h.ReturnDistance)
	}
	return "no figure of this name"
}
