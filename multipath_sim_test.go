package icmplib

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// ways describes a network in which a target is behind some elements. Nodes are
// named by a letter and a digit or two, of which their addresses are made.
func ways(seed int, elements string, words ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\nclient 192.0.2.1 2001:db8::1\n", seed)
	var names []string
	for name := range strings.FieldsSeq(elements) {
		if len(name) > 1 && name[1] >= '0' && name[1] <= '9' && !slices.Contains(names, name) {
			names = append(names, name)
			fmt.Fprintf(&b, "node %s %s %s delay=2ms", name, nodeAddress(name, false), nodeAddress(name, true))
			for _, w := range words {
				if of, word, ok := strings.Cut(w, ":"); ok && strings.HasPrefix(name, of) {
					b.WriteString(" " + word)
				}
			}
			b.WriteByte('\n')
		}
	}
	fmt.Fprintf(&b, "path 10.9.9.0/24 2001:db8:99::/64 %s\n", elements)
	return b.String()
}

// nodeAddress is the address of a node: of a12, 10.0.1.12.
func nodeAddress(name string, v6 bool) string {
	if name == "t0" {
		if v6 {
			return "2001:db8:99::9"
		}
		return "10.9.9.9"
	}
	if v6 {
		return fmt.Sprintf("2001:db8:%x::%s", name[0]-'a'+1, name[1:])
	}
	return fmt.Sprintf("10.0.%d.%s", name[0]-'a'+1, name[1:])
}

// fan is a diamond of so many branches: kind( a1 | a2 ... ).
func fan(kind string, letter byte, width int) string {
	branches := make([]string, width)
	for i := range branches {
		branches[i] = fmt.Sprintf("%c%d", letter, i+1)
	}
	return kind + "( " + strings.Join(branches, " | ") + " )"
}

// shape writes the edges of a graph as 1:r1>a1, with the distance of the first
// and names for addresses; * is silence, and ? an edge that is unsure.
func shape(g *Graph) []string {
	var edges []string
	for _, e := range g.Edges {
		from, to := g.Node(e.From), g.Node(e.To)
		mark := ">"
		if e.Unsure {
			mark = "?"
		}
		edges = append(edges, fmt.Sprintf("%d:%s%s%s", from.Distance, nodeName(from), mark, nodeName(to)))
	}
	slices.Sort(edges)
	return edges
}

func nodeName(n *GraphNode) string {
	a := n.Address
	switch b := a.AsSlice(); {
	case n.IsSilent():
		return "*"
	case a.String() == "10.9.9.9" || a.String() == "2001:db8:99::9":
		return "t0"
	case a.Is4():
		return fmt.Sprintf("%c%d", 'a'+b[2]-1, b[3])
	default:
		name := a.String()
		return fmt.Sprintf("%c%s", 'a'+b[5]-1, name[strings.LastIndex(name, ":")+1:])
	}
}

// traceWays traces in a bubble, and hands out the route and what was sent.
func traceWays(t *testing.T, network string, v variant, v6 bool, opts TracerouteOptions) (route *Route, log []netsim.Record) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := netsim.MustParse(network)
		p := simProber(t, n, v.datagram)
		defer p.Close()
		opts.Packet.Protocol = v.protocol
		var err error
		if route, err = p.Traceroute(t.Context(), nodeAddress("t0", v6), &opts); err != nil {
			t.Error(err)
		}
		log = n.Log()
	})
	if route == nil || route.Graph == nil {
		t.Fatal("there is no graph")
	}
	return route, log
}

func TestTheGraphIsTheNetwork(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, elements string
		want           string // edges
		diamonds       string // divergence-convergence width min-max
		balancing      string
	}{
		{"a chain", "r1 a1 t0", "1:r1>a1 2:a1>t0", "", "none none none"},
		{"two branches", "r1 flow( a1 | a2 ) t0", "1:r1>a1 1:r1>a2 2:a1>t0 2:a2>t0", "r1-t0 2 2-2", "none per-flow none"},
		{"long branches", "r1 flow( a1 b1 | a2 b2 ) c1 t0",
			"1:r1>a1 1:r1>a2 2:a1>b1 2:a2>b2 3:b1>c1 3:b2>c1 4:c1>t0", "r1-c1 2 3-3", "none per-flow per-flow none none"},
		{"uneven branches", "r1 flow( a1 | a2 b2 ) c1 t0",
			"1:r1>a1 1:r1>a2 2:a1>c1 2:a2>b2 3:b2>c1 3:c1>t0 4:c1>t0", "r1-c1 2 2-3", "none per-flow per-flow per-flow none"},
		{"uneven branches to the target", "r1 flow( a1 | a2 b2 ) t0",
			"1:r1>a1 1:r1>a2 2:a1>t0 2:a2>b2 3:b2>t0", "r1-t0 2 2-3", "none per-flow per-flow none"},
		{"a diamond in a diamond", "r1 flow( a1 flow( b1 | b2 ) c1 | a2 b3 c3 ) d1 t0",
			"1:r1>a1 1:r1>a2 2:a1>b1 2:a1>b2 2:a2>b3 3:b1>c1 3:b2>c1 3:b3>c3 4:c1>d1 4:c3>d1 5:d1>t0",
			"r1-d1 3 4-4, a1-c1 2 2-2", "none per-flow per-flow per-flow none none"},
		{"two diamonds", "r1 flow( a1 | a2 ) b1 flow( c1 | c2 | c3 ) t0",
			"1:r1>a1 1:r1>a2 2:a1>b1 2:a2>b1 3:b1>c1 3:b1>c2 3:b1>c3 4:c1>t0 4:c2>t0 4:c3>t0",
			"r1-b1 2 2-2, b1-t0 3 2-2", "none per-flow none per-flow none"},
		{"in turn", "r1 turn( a1 | a2 ) b1 t0", "1:r1>a1 1:r1>a2 2:a1>b1 2:a2>b1 3:b1>t0", "r1-b1 2 2-2", "none per-packet none none"},
		{"at random", "r1 random( a1 | a2 ) b1 t0", "1:r1>a1 1:r1>a2 2:a1>b1 2:a2>b1 3:b1>t0", "r1-b1 2 2-2", "none per-packet none none"},
		{"by destination", "r1 destination( a1 | a2 ) b1 t0", "", "", "none none none none"},
		{"a silent router", "r1 s1 flow( a1 | a2 ) t0", "1:r1>* 2:*>a1 2:*>a2 3:a1>t0 3:a2>t0", "r1-t0 2 3-3", "none none per-flow none"},
		{"from the beginning", "flow( a1 | a2 ) t0", "1:a1>t0 1:a2>t0", "-t0 2 2-2", "per-flow none"},
	}
	for _, tc := range cases {
		for _, v6 := range []bool{false, true} {
			for _, v := range multipathVariants {
				t.Run(fmt.Sprintf("%s/%v/v6=%v", tc.name, v, v6), func(t *testing.T) {
					route, _ := traceWays(t, ways(3, tc.elements, "s:silent"), v, v6, TracerouteOptions{Flows: -1})
					got := strings.Join(shape(route.Graph), " ")
					if got != tc.want && tc.want != "" {
						t.Errorf("edges %s\nwant  %s", got, tc.want)
					}
					if got := diamondNames(route.Graph); got != tc.diamonds {
						t.Errorf("diamonds %s, want %s", got, tc.diamonds)
					}
					if got := balancings(route.Graph); got != tc.balancing {
						t.Errorf("balancing %s, want %s", got, tc.balancing)
					}
					if !route.Graph.Complete || !route.Reached || len(route.Hops) != len(route.Graph.Hops) {
						t.Errorf("complete %v, reached %v, %d hops, %d of the graph", route.Graph.Complete, route.Reached, len(route.Hops), len(route.Graph.Hops))
					}
					for i := range route.Hops {
						checkInvariants(t, &route.Hops[i].Stats)
					}
				})
			}
		}
	}
}

// A node has the time of its own answers, not that of others at the distance.
func TestTheNodesOfAGraphHaveTimes(t *testing.T) {
	t.Parallel()
	for _, v6 := range []bool{false, true} {
		route, _ := traceWays(t, ways(3, "r1 flow( a1 | b1 ) s1 t0", "a:back-delay=14ms", "s:silent"), multipathVariants[0], v6, TracerouteOptions{Flows: -1, Timeout: 300 * ms})
		got := map[string]time.Duration{}
		for _, h := range route.Graph.Hops {
			for i := range h.Nodes {
				got[nodeName(&h.Nodes[i])] = h.Nodes[i].AvgRTT
			}
		}
		for name, want := range map[string]time.Duration{"r1": 4 * ms, "a1": 20 * ms, "b1": 8 * ms, "*": 0} {
			if got[name] != want {
				t.Errorf("%s: %v, want %v", name, got[name], want)
			}
		}
		if got["t0"] <= 16*ms || got["t0"] >= 28*ms {
			t.Errorf("t0: %v, want a mean of what is behind both", got["t0"])
		}
	}
}

// packetsSent is the sum over all hops.
func packetsSent(r *Route) (n int) {
	for i := range r.Hops {
		n += r.Hops[i].PacketsSent
	}
	return n
}

var multipathVariants = []variant{{ICMP, false}, {ICMP, true}, {UDP, false}, {UDP, true}, {TCP, false}, {SCTP, false}}

func diamondNames(g *Graph) string {
	var names []string
	for _, d := range g.Diamonds {
		name := func(p GraphPoint) string {
			if !p.Address.IsValid() {
				return ""
			}
			return nodeName(&GraphNode{Address: p.Address})
		}
		names = append(names, fmt.Sprintf("%s-%s %d %d-%d", name(d.Divergence), name(d.Convergence), d.Width, d.MinLength, d.MaxLength))
	}
	return strings.Join(names, ", ")
}

func balancings(g *Graph) string {
	var words []string
	for _, h := range g.Hops {
		words = append(words, h.Balancing.String())
	}
	return strings.Join(words, " ")
}

// Where packets of one flow take either of two long branches, nobody knows which
// router of the one hop leads to which of the next.
func TestLinksBehindBalancingByPacketAreUnsure(t *testing.T) {
	for _, kind := range []string{"turn", "random"} {
		route, _ := traceWays(t, ways(2, "r1 "+kind+"( a1 b1 | a2 b2 ) t0"), variant{UDP, false}, false, TracerouteOptions{Flows: -1})
		for _, edge := range shape(route.Graph) {
			if between := strings.HasPrefix(edge, "2:a"); between != strings.Contains(edge, "?") {
				t.Errorf("%s: edge %s", kind, edge)
			}
		}
		if got := balancings(route.Graph); got != "none per-packet per-packet none" {
			t.Errorf("%s: balancing %s", kind, got)
		}
	}
}
