package icmplib

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Each file in testdata/trace is a network, a trace in it and the route that it
// shows. It is run with both kinds of socket.
func TestTracerouteInSimulatedNetworks(t *testing.T) {
	for _, s := range loadScenarios(t, "testdata/trace/*.net") {
		for _, kind := range []struct {
			name     string
			datagram bool
		}{{"raw", false}, {"datagram", true}} {
			t.Run(s.name+"/"+kind.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { s.trace(t, kind.datagram) })
			})
		}
	}
}

func (s *scenario) trace(t *testing.T, datagram bool) {
	p := simProber(t, s.network(t), datagram)
	defer p.Close()
	start := time.Now()
	route, err := p.Traceroute(t.Context(), s.command.words[1], s.command.traceOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	for name, want := range s.want.values {
		if value, ok := s.want.values[name+"-datagram"]; ok && datagram {
			want = value
		}
		switch {
		case isVariant(name), want == "":
		case name == "within":
			if most := s.want.duration(t, name, 0); took > most {
				t.Errorf("it took %v, want at most %v", took, most)
			}
		default:
			if got := routeFigure(route, name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
	for i := range route.Hops {
		checkInvariants(t, &route.Hops[i].Stats)
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
			Size:         d.number(t, "size", 0),
			TrafficClass: d.number(t, "class", 0),
			DontFragment: d.number(t, "df", 0) == 1,
		},
	}
}

// routeFigure names a figure of a route, mostly one value for each hop.
func routeFigure(r *Route, name string) string {
	if name == "end" {
		return r.End.String()
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
		return fmt.Sprintf("%d/%d", h.Responders[0].Type, h.Responders[0].Code)
	case "mtu":
		return strconv.Itoa(h.MTU)
	case "mpls":
		return strings.ReplaceAll(strings.ReplaceAll(join(h.MPLS), ",L", ";L"), ",", "/")
	case "interface":
		if h.IsSilent() || h.Responders[0].Interfaces == nil {
			return ""
		}
		return h.Responders[0].Interfaces[0].Name
	case "nat":
		return strconv.FormatBool(h.NAT)
	case "rewritten":
		return strconv.FormatBool(h.TrafficClassRewritten)
	case "return":
		return strconv.Itoa(h.ReturnDistance)
	}
	return "no figure of this name"
}
