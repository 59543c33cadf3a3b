package icmplib

import (
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// drawn is a graph with everything that can be in one.
func drawn() *Graph {
	a := netip.MustParseAddr
	g := &Graph{
		Flows: 11, Probes: 40, Complete: true,
		Hops: []GraphHop{
			{Distance: 1, Nodes: []GraphNode{{ID: 0, Distance: 1, Address: a("10.0.1.1"), Flows: []int{0, 1, 2}}}},
			{Distance: 2, Balancing: BalancingPerFlow, Nodes: []GraphNode{
				{ID: 1, Distance: 2, Address: a("10.0.2.1"), Flows: []int{0, 2}, Balancing: BalancingPerFlow},
				{ID: 2, Distance: 2, Flows: []int{1}},
			}},
			{Distance: 3, Nodes: []GraphNode{{ID: 3, Distance: 3, Address: a("10.0.9.9"), Flows: []int{0, 1, 2}, AvgRTT: 1500 * time.Microsecond}}},
		},
		Edges: []GraphEdge{
			{From: 0, To: 1, Flows: []int{0, 2}}, {From: 0, To: 2, Flows: []int{1}},
			{From: 1, To: 3, Flows: []int{0, 2}, Unsure: true}, {From: 2, To: 3, Flows: []int{1}},
		},
	}
	g.Diamonds = []Diamond{{
		Divergence: GraphPoint{1, a("10.0.1.1")}, Convergence: GraphPoint{3, a("10.0.9.9")},
		Width: 2, MinLength: 2, MaxLength: 2,
	}}
	return g
}

func TestTheGraphAsText(t *testing.T) {
	var b strings.Builder
	if err := drawn().WriteText(&b, nil); err != nil {
		t.Fatal(err)
	}
	const want = `  1  10.0.1.1
       > 10.0.2.1  2 of 3 flows
       > *  1 of 3 flows
  2  10.0.2.1  per-flow
       > 10.0.9.9  2 of 2 flows, unsure
  2  *
       > 10.0.9.9  1 of 1 flows
  3  10.0.9.9
diamond from 10.0.1.1 to 10.0.9.9: width 2, length 2
11 flows, 40 probes, the nodes of each hop are complete with a confidence of 95 %
`
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
}

func TestTheGraphAsDOT(t *testing.T) {
	var b strings.Builder
	if err := drawn().WriteDOT(&b, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"digraph route {\n", `n0 [label="10.0.1.1\n1"];`, `n2 [label="*\n2", style=dashed];`,
		`n0 -> n1 [label="2"];`, `n1 -> n3 [label="2", style=dashed];`, "\n}\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in\n%s", want, b.String())
		}
	}
	if strings.Count(b.String(), "{") != strings.Count(b.String(), "}") {
		t.Error("the braces do not match")
	}
}

// A name may be what its owner wrote to harm who looks at it.
func TestHostileLabelsOfAGraphAreQuoted(t *testing.T) {
	for _, hostile := range []string{"a\x1b[2Jb", "a\nb", "a\x00", "a\xff", "a\u202eb"} {
		var b strings.Builder
		label := func(netip.Addr) string { return hostile }
		if err := errors.Join(drawn().WriteText(&b, label), drawn().WriteDOT(&b, label)); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if !unicode.IsPrint(r) && r != '\n' && r != '\t' || r == utf8.RuneError {
				t.Errorf("%q is written as %q in\n%s", hostile, r, b.String())
				break
			}
		}
		quoted := strconv.Quote(hostile)
		if !strings.Contains(b.String(), quoted) || !strings.Contains(b.String(), "label="+strings.TrimSuffix(strconv.Quote(quoted), `"`)) {
			t.Errorf("%q is not there in\n%s", hostile, b.String())
		}
	}
}

func TestLabelsStandForAddresses(t *testing.T) {
	label := func(a netip.Addr) string { return `"` + a.String() + `\` }
	var text, dot strings.Builder
	if err := drawn().WriteText(&text, label); err != nil {
		t.Fatal(err)
	}
	if err := drawn().WriteDOT(&dot, label); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"  1  \"10.0.1.1\\\n", "       > \"10.0.2.1\\  2 of 3 flows\n", "  2  *\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	for _, want := range []string{`n0 [label="\"10.0.1.1\\\n1"];`, `n2 [label="*\n2", style=dashed];`} {
		if !strings.Contains(dot.String(), want) {
			t.Errorf("%s is not in\n%s", want, dot.String())
		}
	}
}

func TestTheGraphAsJSON(t *testing.T) {
	text, err := json.Marshal(drawn())
	if err != nil {
		t.Fatal(err)
	}
	var back Graph
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(&back, drawn()) {
		t.Errorf("%+v, %v\nwant %+v\nof %s", back, err, *drawn(), text)
	}
	if !strings.Contains(string(text), `"balancing":"per-flow"`) || !strings.Contains(string(text), `"avg_rtt_ms":1.5}`) || !strings.Contains(string(text), `"avg_rtt_ms":null}`) {
		t.Errorf("%s", text)
	}
	if err := new(Balancing).UnmarshalText([]byte("some")); err == nil {
		t.Error("an unknown kind of balancing is taken")
	}
}

func TestNodesAreFoundByID(t *testing.T) {
	g := drawn()
	for id := range 4 {
		if n := g.Node(id); n == nil || n.ID != id {
			t.Errorf("node %d is %+v", id, n)
		}
	}
	if g.Node(4) != nil || g.Node(-1) != nil {
		t.Error("there are nodes that are not there")
	}
}
