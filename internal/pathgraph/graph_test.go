package pathgraph

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/plan/plantest"
)

// hopsOf reads hops: "a:012 b:34 / c:01234". A digit is a flow. The name * is silence,
// one with a + is met by packets of the same flows as that before it, and one with a .
// is the end of a flow. A * alone is a hop at which nobody answers.
func hopsOf(text string) (hops []Hop) {
	for i, level := range strings.Split(text, "/") {
		h := Hop{Distance: i + 1}
		words := strings.Fields(level)
		for _, word := range words {
			name, flows, _ := strings.Cut(word, ":")
			s := Seen{Set: len(h.Seen), Ends: strings.HasSuffix(name, "."), Any: name == "*" && len(words) == 1}
			if strings.Contains(name, "+") {
				s.Set = h.Seen[len(h.Seen)-1].Set
			}
			if name = strings.TrimRight(name, "+."); name != "*" {
				s.Address = plantest.Address(name)
			}
			for _, f := range flows {
				s.Flows = append(s.Flows, int(f-'0'))
			}
			h.Seen = append(h.Seen, s)
		}
		hops = append(hops, h)
	}
	return hops
}

// edgesOf writes the edges: "a>b012", with a ? where one is unsure.
func edgesOf(g *Graph) string {
	names := map[int]string{}
	for _, l := range g.Hops {
		for _, n := range l.Nodes {
			names[n.ID] = plantest.NameOf(n.Address)
		}
	}
	var words []string
	for _, e := range g.Edges {
		mark := map[bool]string{false: ">", true: "?"}[e.Unsure]
		words = append(words, fmt.Sprintf("%s%s%s%s", names[e.From], mark, names[e.To], strings.Trim(strings.ReplaceAll(fmt.Sprint(e.Flows), " ", ""), "[]")))
	}
	return strings.Join(words, " ")
}

func balancings(g *Graph) string {
	var words []string
	for _, l := range g.Hops {
		word := ""
		for _, n := range l.Nodes {
			word += string("-fp"[n.Balancing])
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestEdgesAreFlowsThatMetBothNodes(t *testing.T) {
	for _, tt := range []struct {
		name, hops, edges, balancing string
		linked                       bool
	}{
		{"a chain", "a:01 / b:01 / c.:01", "a>b01 b>c01", "- - -", true},
		{"two ways", "a:0123 / b:01 c:23 / d.:0123", "a>b01 a>c23 b>d01 c>d23", "- ff -", true},
		{"in the order of the nodes", "a:0123 b:45 / c:14 d:025 e:3", "a>c1 a>d02 a>e3 b>c4 b>d5", "ff fff", true},
		{"a flow that was not asked for at both", "a:01 / b:1 c:2", "a>b1", "- ff", true},
		{"silence beside others", "a:01 / b:0 *:1 / c:01", "a>b0 a>*1 b>c0 *>c1", "- -- -", true},
		{"a silent hop passes any flow", "a:0 / *:0 / c:012", "a>*0 *>c012", "- - -", true},
		{"nothing is known", "a:01 / / c:01", "", "-  -", false},
		{"packets are spread, and meet again", "a:01 / b:01 c+:01 / d.:01", "a>b01 a>c01 b>d01 c>d01", "- pp -", true},
		{"packets are spread, and then meet several", "a:01 / b:01 c+:01 / d:0 e:1", "a>b01 a>c01 b?d0 b?e1 c?d0 c?e1", "- pp ff", false},
		{"others beside them are sure", "a:0123 / b:01 c+:01 f:23 / d:0 e:1 g:23", "a>b01 a>c01 a>f23 b?d0 b?e1 c?d0 c?e1 f>g23", "- ppf fff", false},
		{"two sets, each with one behind", "b:01 c+:01 d:23 e+:23 / f:01 g:23", "b>f01 c>f01 d>g23 e>g23", "pppp ff", true},
		{"a router without next hops", "a:01 / b:0 c:1 / d:0", "a>b0 a>c1 b>d0", "- ff -", false},
		{"flows end there", "a:01 / b.:0 c:1 / d:1", "a>b0 a>c1 c>d1", "- ff -", true},
		{"silence needs no next hops", "a:01 / b:0 *:1 / d:0", "a>b0 a>*1 b>d0", "- -- -", true},
		{"the last hop needs none", "a:01 / b:0 c:1", "a>b0 a>c1", "- ff", true},
		{"no hops", "", "", "", true},
	} {
		g := New(hopsOf(tt.hops))
		if got := edgesOf(g); got != tt.edges {
			t.Errorf("%s: edges %s, want %s", tt.name, got, tt.edges)
		}
		if got := balancings(g); got != tt.balancing {
			t.Errorf("%s: balancing %q, want %q", tt.name, got, tt.balancing)
		}
		if got := g.IsLinked(); got != tt.linked {
			t.Errorf("%s: linked: %v", tt.name, got)
		}
		for i, l := range g.Hops {
			if l.Distance != i+1 {
				t.Errorf("%s: level %d is at distance %d", tt.name, i, l.Distance)
			}
		}
	}
}

func TestNodesAreCountedFrom0(t *testing.T) {
	g := New(hopsOf("a:01 / b:0 c:1 *:2 / d:01"))
	id := 0
	for _, l := range g.Hops {
		for _, n := range l.Nodes {
			if n.ID != id || n.Distance != l.Distance {
				t.Errorf("%s has ID %d, distance %d; want %d, %d", plantest.NameOf(n.Address), n.ID, n.Distance, id, l.Distance)
			}
			id++
		}
	}
	if id != 5 || g.Edges == nil || New(nil).Edges == nil || New(nil).Diamonds == nil {
		t.Errorf("%d nodes, %+v", id, g)
	}
}

// The flows of an edge are its own: who changes them does not change those of a node.
func TestEdgesShareNoFlows(t *testing.T) {
	hops := hopsOf("*:0 / a:01")
	g := New(hops)
	g.Edges[0].Flows[0] = 9
	if got := g.Hops[1].Nodes[0].Flows; !reflect.DeepEqual(got, []int{0, 1}) {
		t.Errorf("the node has flows %v", got)
	}
}

func diamondsOf(g *Graph) string {
	var words []string
	name := func(p Point) string {
		if p == (Point{}) {
			return "-"
		}
		return fmt.Sprintf("%s%d", plantest.NameOf(p.Address), p.Distance)
	}
	for _, d := range g.Diamonds {
		words = append(words, fmt.Sprintf("%s>%s w%d %d-%d", name(d.Divergence), name(d.Convergence), d.Width, d.MinLength, d.MaxLength))
	}
	return strings.Join(words, ", ")
}

func TestDiamonds(t *testing.T) {
	for _, tt := range []struct{ name, hops, want string }{
		{"none", "a:01 / b:01 / c:01", ""},
		{"nothing at all", "", ""},
		{"two ways", "a:01 / b:0 c:1 / d:01", "a1>d3 w2 2-2"},
		{"three ways of two routers", "a:012 / b:0 c:1 d:2 / e:0 f:1 g:2 / h:012", "a1>h4 w3 3-3"},
		{"from the sender on", "a:0 b:1 / c:01", "->c2 w2 2-2"},
		{"two, one behind the other", "a:01 / b:0 c:1 / d:01 / e:0 f:1 / g:01", "a1>d3 w2 2-2, d3>g5 w2 2-2"},
		{"one in another", "a:0123 / b:01 c:23 / d:0 e:1 f:23 / g:01 h:23 / i:0123", "a1>i5 w3 4-4, b2>g4 w2 2-2"},
		{"branches of unequal length", "a:01 / b:0 c:1 / e:0 d:1 / t:0 e:1 / t:1", "a1>e3 w2 2-3"},
		{"they do not meet", "a:01 / b:0 c:1", "a1>- w2 1-1"},
		{"they do not meet, and one is longer", "a:01 / b:0 c:1 / d:1", "a1>- w2 1-2"},
		{"behind a silent hop", "a:01 / *:0 / b:0 c:1 / d:01", "a1>d4 w2 3-3"},
		{"silence beside", "a:01 / b:0 *:1 / d:01", "a1>d3 w2 2-2"},
		{"they meet in silence", "a:01 / b:0 c:1 / *:01 / d:01", "a1>d4 w2 3-3"},
		{"meshed", "a:0123 / b:01 c:23 / d:02 e:13 / f:0123", "a1>f4 w2 3-3, b2>f4 w2 2-2, c2>f4 w2 2-2"},
		{"nothing is known of what leads to one", "a:01 / b:01 / c:01 d:9 / e:019", "->e4 w2 2-4"},
		{"the circle of a router that comes twice", "a:01 / b:0 c:1 / a:01", "a1>a3 w2 2-2"},
		{"a router that comes twice in a row", "a:01 / a:01 / b:0 c:1 / d:01", "a1>d4 w2 2-2"},
	} {
		if got := diamondsOf(New(hopsOf(tt.hops))); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Those that begin at one place are in order of their length, the longest first.
func TestTheOrderOfDiamonds(t *testing.T) {
	g := New(hopsOf("a:0123 / b:01 c:2 d:3 / e:0 f:1 g:2 d:3 / h:01 i:2 j:3 / k:0123"))
	if !slices.IsSortedFunc(g.Diamonds, func(a, b Diamond) int { return a.Divergence.Distance - b.Divergence.Distance }) {
		t.Errorf("%s", diamondsOf(g))
	}
}
