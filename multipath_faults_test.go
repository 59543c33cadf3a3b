package icmplib

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// What is lost, late, doubled or not sent at all may hide something. It must not
// make up a router or a link, nor lengthen a way.
func TestFaultsMakeNothingUp(t *testing.T) {
	t.Parallel()
	const elements = "r1 flow( a1 b1 | a2 b2 | a3 ) c1 flow( d1 | d2 ) t0"
	real := strings.Fields("1:r1>a1 1:r1>a2 1:r1>a3 2:a1>b1 2:a2>b2 2:a3>c1 3:b1>c1 3:b2>c1" +
		" 3:c1>d1 3:c1>d2 4:c1>d1 4:c1>d2 4:d1>t0 4:d2>t0 5:d1>t0 5:d2>t0")
	cases := []struct {
		name  string
		words []string
		count int
		whole bool // the graph found is the real one
	}{
		{"loss", []string{"r:lose@10%", "a:lose@20%", "c:lose@20%", "t:lose@10%"}, 6, true},
		{"much loss", []string{"r:lose@30%", "a:lose@30%", "c:lose@30%", "t:lose@50%"}, 2, false},
		{"lost answers", []string{"b:answer-lose@50%", "t:answer-lose@50%"}, 2, false},
		{"limited routers", []string{"r:rate=10", "r:burst=5", "c:rate=10", "c:burst=5"}, 10, true},
		{"a much limited router", []string{"r:rate=1", "r:burst=6", "c:rate=1", "c:burst=6"}, 2, false},
		{"late answers", []string{"a:answer-late=3s@20%", "c:answer-late=3s@20%"}, 3, false},
		{"doubled packets", []string{"a:duplicate=2@30%", "t:duplicate=1@30%"}, 3, true},
		{"one silent branch", []string{"b1:silent"}, 2, false},
		{"jitter", []string{"a:jitter=40ms", "c:jitter=90ms"}, 2, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			whole := 0
			const seeds = 6 // one for each variant
			for seed := range seeds {
				v := multipathVariants[seed%len(multipathVariants)]
				opts := TracerouteOptions{Flows: -1, Count: tc.count, MaxHops: 12}
				route, _ := traceWays(t, ways(seed, elements, tc.words...), v, seed%4 < 2, opts)
				known := 0
				for _, edge := range shape(route.Graph) {
					if slices.Contains(real, edge) {
						known++
					} else if !strings.Contains(edge, "*") {
						t.Errorf("seed %d, %v: there is no edge %s", seed, v, edge)
					}
				}
				if known == len(real) {
					whole++
				}
				checkFaultyHops(t, route)
			}
			// Four routers balance; each may be missed in 5 % of the cases.
			if tc.whole && whole < seeds*2/3 {
				t.Errorf("%d of %d graphs are whole", whole, seeds)
			}
		})
	}
}

// checkFaultyHops checks what holds for the hops of any graph.
func checkFaultyHops(t *testing.T, route *Route) {
	t.Helper()
	if len(route.Hops) != len(route.Graph.Hops) {
		t.Fatalf("%d hops, %d in the graph", len(route.Hops), len(route.Graph.Hops))
	}
	for i := range route.Hops {
		h := &route.Hops[i]
		checkInvariants(t, &h.Stats)
		nodes := 0
		for _, n := range route.Graph.Hops[i].Nodes {
			if n.IsSilent() {
				continue
			}
			nodes++
			if !slices.ContainsFunc(h.Responders, func(r Responder) bool { return r.Address == n.Address }) {
				t.Errorf("%s is a node, but no responder, at distance %d", n.Address, h.Distance)
			}
		}
		if nodes != len(h.Responders) {
			t.Errorf("%d nodes, %d responders at distance %d", nodes, len(h.Responders), h.Distance)
		}
	}
}

// Eight flows take eight ways at most, and each of them is one flow at each hop.
func TestAFixedNumberOfFlows(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, v := range multipathVariants {
			t.Run(fmt.Sprintf("%v/v6=%v", v, v6), func(t *testing.T) {
				opts := TracerouteOptions{Flows: 8, Packet: Packet{TrafficClass: 0x20}}
				route, log := traceWays(t, ways(1, "r1 "+fan("flow", 'a', 4)+" t0"), v, v6, opts)
				if g := route.Graph; g.Flows != 8 || g.Complete || g.Probes != packetsSent(route) || g.Probes > len(log) {
					t.Errorf("%d flows, complete %v, %d probes of %d", g.Flows, g.Complete, g.Probes, len(log))
				}
				for i := range route.Hops {
					if h := &route.Hops[i]; h.Altered > 0 || h.Rewritten != 0 || h.PacketsReceived != h.PacketsSent {
						t.Errorf("hop %d: %d altered, rewritten %v, %d of %d", h.Distance, h.Altered, h.Rewritten, h.PacketsReceived, h.PacketsSent)
					}
				}
				flows := map[flowFields]int{}
				labels := map[uint32]bool{}
				for i := range log {
					if !log[i].ChecksumOK {
						t.Errorf("packet %d has a wrong checksum", i)
					}
					flows[flowFieldsOf(&log[i])]++
					labels[log[i].FlowLabel] = true
				}
				if len(flows) != 8 || v6 && v.protocol != ICMP && len(labels) != 8 {
					t.Errorf("%d flows, %d labels on the wire: %v", len(flows), len(labels), flows)
				}
			})
		}
	}
}

func TestTheSourcePortsOfFlowsFollowTheCallers(t *testing.T) {
	opts := TracerouteOptions{Flows: 70, Packet: Packet{SourcePort: 5000, Port: 443}}
	_, log := traceWays(t, ways(1, "r1 t0"), variant{TCP, false}, false, opts)
	ports := map[uint16]bool{}
	for i := range log {
		ports[log[i].SourcePort] = true
		if log[i].DestPort != 443 || log[i].SourcePort < 5000 || log[i].SourcePort > 5069 {
			t.Errorf("from port %d to %d", log[i].SourcePort, log[i].DestPort)
		}
	}
	if len(ports) != 70 {
		t.Errorf("%d source ports", len(ports))
	}
}

// Where answers do not say which flow they are to, probes leave one by one.
func TestFlowsWithShortQuotes(t *testing.T) {
	for _, v := range []variant{{UDP, true}, {SCTP, false}} {
		network := ways(2, "r1 flow( a1 | a2 ) t0", "r:quote=8", "a:quote=8", "t:quote=8")
		route, _ := traceWays(t, network, v, false, TracerouteOptions{Flows: -1, MaxHops: 6, Timeout: time.Second})
		want := "1:r1>a1 1:r1>a2 2:a1>t0 2:a2>t0"
		if got := strings.Join(shape(route.Graph), " "); got != want {
			t.Errorf("%v: edges %s, want %s", v, got, want)
		}
	}
}
