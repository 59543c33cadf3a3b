package icmplib

import (
	"strings"
	"sync"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// The scenarios of testdata/trace behind the real kernel, as those of
// testdata/ping are: in a namespace for each protocol and kind of socket.
func TestTracerouteInSimulatedNetworksBehindTheKernel(t *testing.T) {
	for _, v := range traceVariants {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			var suited []scenario
			for _, s := range loadScenarios(t, "testdata/trace/*.net") {
				if s.suits(v) {
					suited = append(suited, s)
				}
			}
			suited = slowed(t, suited, netlab.Slowness())
			netlab.Test(t, netlab.Config{
				PingGroups:   true,
				Unprivileged: v.datagram,
				Tries:        3,
				Setup:        func(t *testing.T) { carryAll(t, suited, netlab.AnyDevice) },
			}, func(t *testing.T) { traceAll(t, suited, v) })
		})
	}
}

func traceAll(t *testing.T, scenarios []scenario, v variant) {
	p := kernelProber(t, v)
	defer p.Close()
	routes, errs := make([]*Route, len(scenarios)), make([]error, len(scenarios))
	var all sync.WaitGroup
	for i := range scenarios {
		all.Go(func() {
			opts := scenarios[i].command.traceOptions(t)
			opts.Packet.Protocol, opts.Packet.Interface = v.protocol, simDevice(i)
			routes[i], errs[i] = p.Traceroute(t.Context(), scenarios[i].command.words[1], opts)
		})
	}
	all.Wait()
	for i := range scenarios {
		t.Run(scenarios[i].name, func(t *testing.T) {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			scenarios[i].checkTraceBehindKernel(t, routes[i], v)
		})
	}
}

func (s *scenario) checkTraceBehindKernel(t *testing.T, r *Route, v variant) {
	for name, want := range s.wantedOf(v) {
		switch {
		case want == "", name == "within":
		case name == "rtts":
			checkNotBefore(t, name, routeFigure(r, name), want)
		default:
			if got := routeFigure(r, name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
	for i := range r.Hops {
		checkInvariants(t, &r.Hops[i].Stats)
	}
	if t.Failed() {
		t.Log(describeRoute(r))
	}
}

// describeRoute says what a route is, one hop a line.
func describeRoute(r *Route) string {
	var b strings.Builder
	b.WriteString(r.End.String())
	for i := range r.Hops {
		h := &r.Hops[i]
		b.WriteString("\n\t" + hopFigure(h, "distances") + " " + hopFigure(h, "hops") + " " + h.Status.String() +
			" rtt " + hopFigure(h, "rtts") + " loss " + hopFigure(h, "loss"))
	}
	return b.String()
}
