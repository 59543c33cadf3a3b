package icmplib

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// Each file in testdata/flows is a network, which is traced with many seeds: no
// edge is wrong, nor a label where none is missing, and a graph is complete only when it is.
func TestFlowsInSimulatedNetworks(t *testing.T) {
	t.Parallel()
	const seeds = 24
	for _, s := range loadScenarios(t, "testdata/flows/*.net") {
		t.Run(s.name, func(t *testing.T) {
			complete, wrong := 0, 0
			for seed := range seeds {
				for _, v := range mtuVariants {
					g := s.traceFlows(t, seed, v)
					if !g.Complete {
						continue
					}
					complete++
					if missing := s.missingEdges(g); len(missing) > 0 {
						wrong++
						t.Logf("seed %d, %v: complete without %v", seed, v, missing)
					}
				}
			}
			n := float64(seeds * len(mtuVariants))
			if s.want.values["complete"] == "never" {
				if complete > 0 {
					t.Errorf("%d of %v graphs are complete, which cannot be known", complete, n)
				}
				return
			}
			// Each balancer is missed in 5 % of the cases at most.
			balancers := strings.Count(s.text, "( ")
			if most := 0.05*float64(balancers)*n + 3*math.Sqrt(n*0.05*float64(balancers)); float64(wrong) > most || s.want.values["complete"] == "" && complete < int(n)*3/4 {
				t.Errorf("of %v graphs %d are complete, and %d of them are not", n, complete, wrong)
			}
			t.Logf("of %v graphs %d are complete, and %d of them are not", n, complete, wrong)
		})
	}
}

// traceFlows traces all flows, and checks what holds for each graph.
func (s *scenario) traceFlows(t *testing.T, seed int, v variant) *Graph {
	t.Helper()
	var route *Route
	var names map[string]string
	synctest.Test(t, func(t *testing.T) {
		seeded := *s
		seeded.text = fmt.Sprintf("seed %d\n%s", seed, s.text)
		p := simProber(t, seeded.network(t), v.datagram)
		defer p.Close()
		var err error
		if route, err = p.Traceroute(t.Context(), s.command.words[1], &TracerouteOptions{Flows: -1, MaxHops: 12, Packet: Packet{Protocol: v.protocol}}); err != nil {
			t.Fatal(err)
		}
	})
	names = s.nodeNames()
	g := route.Graph
	edges := strings.Split(s.want.values["edges"], ",")
	for _, e := range g.Edges {
		from, to := names[g.Node(e.From).Address.String()], names[g.Node(e.To).Address.String()]
		if !slices.Contains(edges, from+">"+to) && !(e.Unsure && slices.Contains(edges, from+"?"+to)) {
			t.Errorf("seed %d, %v: there is no edge %s>%s (unsure: %v)", seed, v, from, to, e.Unsure)
		}
	}
	if len(s.missingEdges(g)) == 0 { // else a label may lack what was missed
		s.checkLabels(t, g, names, fmt.Sprintf("seed %d, %v", seed, v))
	}
	if g.Probes != packetsSent(route) {
		t.Errorf("seed %d, %v: %d probes, the hops have %d", seed, v, g.Probes, packetsSent(route))
	}
	for i := range route.Hops {
		h := &route.Hops[i]
		checkInvariants(t, &h.Stats)
		if s.want.values["loss"] == "0" && h.PacketLoss() > 0 {
			t.Errorf("seed %d, %v: hop %d lost nothing, but %d of %d were received", seed, v, h.Distance, h.PacketsReceived, h.PacketsSent)
		}
	}
	return g
}

func (s *scenario) checkLabels(t *testing.T, g *Graph, names map[string]string, where string) {
	t.Helper()
	if s.want.values["flow"] == "" || s.want.values["flow"] == "*" {
		return
	}
	packet, flow := strings.Split(s.want.values["packet"], ","), strings.Split(s.want.values["flow"], ",")
	for i := range g.Hops {
		for _, n := range g.Hops[i].Nodes {
			name, want := names[n.Address.String()], BalancingNone
			switch {
			case slices.Contains(packet, name):
				want = BalancingPerPacket
			case slices.Contains(flow, name):
				want = BalancingPerFlow
			}
			if n.Balancing != want && (g.Complete || n.Balancing != BalancingNone) {
				t.Errorf("%s: %s is %v, want %v", where, name, n.Balancing, want)
			}
		}
	}
}

// missingEdges returns those that the network has, and a graph has not.
func (s *scenario) missingEdges(g *Graph) (missing []string) {
	names := s.nodeNames()
	for _, edge := range strings.Split(s.want.values["edges"], ",") {
		if !slices.ContainsFunc(g.Edges, func(e GraphEdge) bool {
			return edge == names[g.Node(e.From).Address.String()]+">"+names[g.Node(e.To).Address.String()]
		}) {
			missing = append(missing, edge)
		}
	}
	return missing
}

// nodeNames returns the names of a network's nodes by address; silence is *.
func (s *scenario) nodeNames() map[string]string {
	names := map[string]string{"invalid IP": "*"}
	for line := range strings.SplitSeq(s.text, "\n") {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "node" {
			names[words[2]] = words[1]
		}
	}
	return names
}
