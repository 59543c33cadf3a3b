package mda

import (
	"fmt"
	"slices"
	"testing"

	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/plantest"
)

func TestRule12NodesAmongWhichPacketsAreSpreadAreOneSet(t *testing.T) {
	tr := met(t, usual(), "r:012345 / a:013 b:245 c:0 / d:0")
	h := &tr.hops[1]
	if h.set(0) != 0 || h.set(2) != 0 || h.set(1) != 1 || !h.isShared(0) || !h.isShared(2) || h.isShared(1) || !h.hasShared() {
		t.Errorf("the sets are %v", h.merged)
	}
	tr.update(30)
	if h.set(1) != 0 || !h.isShared(1) {
		t.Errorf("the sets are %v: the router spreads packets over all its next hops", h.merged)
	}
	for flow := range 6 {
		if tr.ask(1, flow).want > 1 {
			t.Errorf("flow %d is sent again %d times, though it is known that packets are spread", flow, tr.ask(1, flow).want)
		}
	}
	if g := tr.groups(2); len(g) != 1 || g[0].least != 3 || len(g[0].flows) != 6 {
		t.Errorf("behind a set of three the groups are %+v", g)
	}
	// Behind a silent hop one router may spread packets and another one flows.
	tr = met(t, usual(), "*:012345 / a:013 b:245 c:0 d:5")
	if tr.update(30); tr.hops[1].set(1) != tr.hops[1].set(3) || tr.hops[1].set(0) != tr.hops[1].set(2) || tr.hops[1].set(0) == tr.hops[1].set(1) {
		t.Errorf("behind silence the sets are %v", tr.hops[1].merged)
	}
	if got := asked(met(t, usual(), "*:012345 / a:013 b:245 c:0 / t.:012345")); got != "2:2(5)6789abcdef" {
		t.Errorf("%s is asked to find out whether b is one of the set", got)
	}
}

func TestRule12WhichNodesAreOfASet(t *testing.T) {
	for _, tt := range []struct {
		network string
		hop     int   // from 0
		sets    []int // by node
	}{
		{"a:013 b:245 c:0", 0, []int{0, 0, 0}},                                // of the first hop
		{"r:0123 / a:01 b:23 c:0", 1, []int{0, 0, 0}},                         // of one router
		{"r:012345 / p:0123 q:45 / a:0 d:45 b:123 c:0", 2, []int{0, 1, 0, 0}}, // of one of two routers
	} {
		tr := met(t, usual(), tt.network)
		tr.update(30)
		for node, want := range tt.sets {
			if got := tr.hops[tt.hop].set(node); got != want {
				t.Errorf("%s: node %d is of the set %d, want %d", tt.network, node, got, want)
			}
		}
	}
	// Behind a silent hop, two nodes show whether packets are spread, or which are none of the set.
	tr := met(t, usual(), "*:012345 / a:01 b:23 c:45")
	tr.update(30)
	if got := []int{tr.ask(1, 0).want, tr.ask(1, 2).want, tr.ask(1, 4).want}; !slices.Equal(got, []int{6, 6, 1}) {
		t.Errorf("behind silence, answers that are wanted of a flow of each node: %v", got)
	}
}

func TestRule13WhatLeadsToEachNode(t *testing.T) {
	cfg := usual()
	for network, want := range map[string]string{
		"r:012345 / a:012345 b:67 / t.:012345":               "1:6 2:0(3)89a 3:67",
		"r:012345 / a:0123456789a / t.:012345b":              "2:b", // its end
		"r:012345 / a:012345 / b:012345 c:6789a / t.:012345": "2:6 3:0(3) 4:6a",
	} {
		if got := asked(met(t, cfg, network)); got != want {
			t.Errorf("%s: %s is asked, want %s", network, got, want)
		}
	}
	cfg.Flows = 4
	tr := met(t, cfg, "r:0123 / a:01 b:23 / t.:01")
	tr.base = 1
	if got := asked(tr); got != "2:0(3) 3:3" {
		t.Errorf("%s is asked: a node has no next hop", got)
	}
}

func TestRule15WhatIsInFlightIsUnsettled(t *testing.T) {
	tr := New(usual(), start)
	for range 4 {
		p, _, _ := tr.Next(start)
		tr.Sent(p.Key, start)
	}
	answer := plan.Observation{Key: plan.MakeKey(2, 0), Settles: true, Kind: plan.TimeExceeded, Responder: plantest.Address("a"), Sent: start}
	tr.Observe(start, &answer)
	v := tr.View(false)
	if v.Len() != 2 || v.Open(0) != 1 || v.Open(1) != 0 || v.Open(2) != 1 || v.End() != plan.EndUnknown || v.Holds() || v.Flows() != 1 {
		t.Errorf("%d hops, %d and %d probes unsettled, end %d", v.Len(), v.Open(0), v.Open(1), v.End())
	}
	if h := v.Hop(0); h.Distance != 1 || len(h.Seen) != 0 {
		t.Errorf("a hop whose probe is in flight has nodes: %+v", h)
	}
	for _, tt := range []struct {
		network string
		flow    int
		want    int // the last hop, from 1
	}{
		{"r:01 / a:01 / t.:01", 1, 3},
		{"r:01 / a:0 / t.:01", 1, 3},            // the nearest end
		{"r:01 / a:01 / b:1 t.:0 / t.:1", 1, 4}, // seen to go on
		{"r:01 / a:01 / *:1 t.:0 / t.:1", 1, 3}, // a lost answer of the target
		{"r:01 / a:01 / t.:0 / *:1 / b:1 / t.:1", 1, 6},
		{"r:01 / a:01 / t.:0 / b:1 / *:1 / t.:1", 1, 4}, // the last that was seen
		{"t.:0 a:1 / t.:1", 1, 2},                       // seen to go on at the first hop
		{"t.:0 *:1 / *:1 / t.:1", 1, 1},                 // not seen at all
		{"r:0 *:1 / t.:0 *:1 / t.:1", 1, 2},
		{"r:01 / a:01", 1, 30},
	} {
		if got := met(t, usual(), tt.network).extent(tt.flow) + 1; got != tt.want {
			t.Errorf("%s: flow %d gets to hop %d, want %d", tt.network, tt.flow, got, tt.want)
		}
	}
	if got := met(t, short(4), "r:01 / a:01 / t.:0 b:1 / c:1").extent(1); got != 3 {
		t.Errorf("a flow that is seen at the last hop gets to hop %d", got+1)
	}
	tr = met(t, usual(), "r:01 / a:01 / *:1 t.:0 / t.:1")
	if v := tr.View(true); v.Len() != 3 || v.ask(3, 1) != nil || v.ask(2, 1) == nil || v.ask(2, 2) != nil || v.ask(0, 60) != nil {
		t.Errorf("%d hops", v.Len())
	}
}

// What was decided to be asked, but never left, is in no view.
func TestAViewIsOfWhatLeft(t *testing.T) {
	if v := New(usual(), start).View(true); v.Len() != 0 || v.Flows() != 0 {
		t.Errorf("of a trace that sent nothing, %d hops and %d flows", v.Len(), v.Flows())
	}
	tr := met(t, usual(), "r:0 / a:01")
	tr.ask(0, 5).want, tr.ask(4, 0).want = 1, 1
	if v := tr.View(true); v.Len() != 2 || v.Flows() != 2 || v.ask(0, 5) != nil || v.ask(1, 1) == nil {
		t.Errorf("%d hops and %d flows, want 2 and 2", v.Len(), v.Flows())
	}
	for network, want := range map[string][2]int{ // hops of a trace that is cut, and of one that is done
		"r:01 / a:01 / *:01":           {2, 3},
		"r:01 / *:01 / t.:0":           {3, 3},
		"r:01 / a:01 / t.:0 / *:1":     {3, 3}, // behind the end
		"r:01 / a:01 / t.:01 / *:1":    {3, 3},
		"r:01 / t.:0 a:1 / b:1 / *:01": {3, 3},
	} {
		tr := met(t, short(4), network)
		if got := [2]int{tr.View(false).Len(), tr.View(true).Len()}; got != want {
			t.Errorf("%s: %d hops, want %d", network, got, want)
		}
	}
}

func TestRule16WhenAGraphIsComplete(t *testing.T) {
	whole := "r:0123456789a / a:01234 b:56789a / c:01234 d:56789a / t.:012356"
	for _, tt := range []struct {
		name, network string
		want          bool
	}{
		{"one way", "r:012345 / t.:012345", true},
		{"the first rule does not hold", "r:01234 / t.:012345", false},
		{"the last rule does not hold", "r:012345 / t.:01234", false},
		{"two ways", whole, false}, // no flow was sent again
		{"few are followed", "r:0123456789a / a:01234 b:56789a / t.:012345", false},
		{"behind each router", "r:012345 / *:05 a:1234 / t.:012345", false},
		{"a silent hop", "r:012345 / *:012345 / t.:012345", true},
	} {
		if got := met(t, usual(), tt.network).View(true).Holds(); got != tt.want {
			t.Errorf("%s: complete: %v", tt.name, got)
		}
	}
	tr := New(short(1), start)
	p, _, _ := tr.Next(start)
	tr.Sent(p.Key, start)
	tr.Observe(start, &plan.Observation{Key: p.Key, Settles: true, Kind: plan.Unreachable, Responder: plantest.Address("own"), Local: true})
	if local := met(t, usual(), "r:012345 / t.:012345"); !tr.refused {
		t.Error("what this host itself refuses is not noted")
	} else if local.refused = true; local.View(true).Holds() {
		t.Error("it is complete though this host refused a probe")
	}
	tr = met(t, usual(), whole)
	tr.ask(1, 0).answered += 2
	if tr.View(true).Holds() {
		t.Error("two more are enough")
	}
	if tr.ask(1, 0).answered++; !tr.View(true).Holds() || tr.View(false).Holds() {
		t.Error("three in a row and 9 that agree are not enough, or it is complete though it is cut")
	}
	tr = met(t, usual(), "r:0123456789a / a:01234 b:56789a / c:01234 d:56789a / t.:05")
	tr.ask(1, 0).answered += 3
	if tr.View(true).Holds() {
		t.Error("one flow of each router is enough")
	}
	tr = met(t, usual(), whole)
	tr.ask(1, 0).answered += 3
	if tr.hops[3].eachRouter = true; tr.View(true).Holds() {
		t.Error("it holds behind each router with 3 flows")
	}
}

func TestRule16EachRouterIsFollowedAndChecked(t *testing.T) {
	const before = "r:0123456789a / a:01234 b:56789a / t.:"
	for _, tt := range []struct {
		name, behind    string
		again           int // how many times flow 0 was sent again at the second hop
		follows, checks bool
	}{
		{"one flow of b", "012345", 10, false, true},
		{"two flows of b", "0123456", 10, true, true},
		{"10 times", "0123456789a", 10, true, true},
		{"but 9 times", "0123456789a", 9, true, false},
	} {
		tr := met(t, usual(), before+tt.behind)
		tr.ask(1, 0).answered += tt.again
		v := tr.View(true)
		if follows, checks := v.follows(2), v.isChecked(1); follows != tt.follows || checks != tt.checks {
			t.Errorf("%s: followed %v, checked %v", tt.name, follows, checks)
		}
		if got, want := v.Holds(), tt.follows && tt.checks; got != want {
			t.Errorf("%s: complete: %v", tt.name, got)
		}
	}
	tr := met(t, usual(), before+"0123456")
	if tr.ask(2, 6).answered = 0; tr.View(true).follows(2) {
		t.Error("a flow that is not settled counts as followed")
	}
}

func TestRule16TheFlowsOfASilentRouterCountByThemselves(t *testing.T) {
	for seed := range 50 {
		n := newNetwork("r a|s, s! b|c, a d, b d, c d, d t", seed)
		v := n.trace(t, usual()).View(true)
		if silent := v.silentFlows(1); v.Holds() && len(silent) > 0 && len(silent) < 6 {
			t.Errorf("seed %d: complete with %d flows behind the silent router", seed, len(silent))
		}
	}
	v := met(t, usual(), "r:0123 / *:01 a:23 / b:01 / t.:0123").View(true)
	if got := v.silentFlows(1); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("behind silence are %v", got)
	}
	for _, tt := range []struct {
		network string
		hop     int
		want    []int
	}{
		{"r:0123 / *:01 a:23 / b:0 / t.:0123", 1, []int{0}}, // flow 1 was not asked for behind it
		{"r:0123 / *:0123 / b:01 / t.:0123", 1, nil},        // silent for all
		{"r:0123 / *:0123 / t.:0123", 1, nil},               // and just before the end
		{"t.:0 r:12 / *:12 / b:1 / t.:12", 1, []int{1}},     // but behind the nearest end not all count
		{"r:0 / t.:0 a:123 / *:123 / b:12 / t.:12", 2, []int{1, 2}},
	} {
		if got := met(t, usual(), tt.network).View(true).silentFlows(tt.hop); !slices.Equal(got, tt.want) {
			t.Errorf("%s: behind silence are %v, want %v", tt.network, got, tt.want)
		}
	}
}

func TestTheViewOfAHop(t *testing.T) {
	v := met(t, usual(), "r:0123 / a:01 b:1 *:2 t.:3 / c:01").View(true)
	got := v.Hop(1)
	names := ""
	for _, n := range got.Seen {
		names += fmt.Sprintf("%s%v set %d ends %v any %v; ", plantest.NameOf(n.Address), n.Flows, n.Set, n.Ends, n.Any)
	}
	if want := "a[0 1] set 0 ends false any false; b[1] set 0 ends false any false; t[3] set 2 ends true any false; *[2] set 3 ends false any false; "; names != want || got.Distance != 2 {
		t.Errorf("hop %d: %s\nwant %s", got.Distance, names, want)
	}
	if h := met(t, usual(), "r:01 / *:01 / t.:01").View(true).Hop(1); len(h.Seen) != 1 || !h.Seen[0].Any || h.Seen[0].Address.IsValid() {
		t.Errorf("a silent hop is %+v", h)
	}
	if end := met(t, usual(), "r:01 / a!:0 t.:1").View(true).End(); end != plan.EndReached {
		t.Errorf("with the target and a refusal at the end: %d", end)
	}
	if end := met(t, usual(), "r:01 / t.:1 a!:0").View(true).End(); end != plan.EndReached {
		t.Errorf("with the target and a refusal at the end: %d", end)
	}
	if end := met(t, usual(), "r:01 / a!:01").View(true).End(); end != plan.EndUnreachable {
		t.Errorf("with a refusal at the end: %d", end)
	}
}
