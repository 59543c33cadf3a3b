package mda

import (
	"reflect"
	"slices"
	"testing"
)

// The numbers of the paper, which other implementations print as a table.
func TestRule7TheStoppingRuleIsThatOfThePaper(t *testing.T) {
	for _, tt := range []struct {
		failure float64
		want    []int
	}{
		{0.05, []int{6, 11, 16, 21, 27, 33, 38, 44, 51, 57}},
		{0.01, []int{8, 15, 21, 28, 36, 43, 51, 58, 66, 74}},
	} {
		got := newStoppingRule(tt.failure, 100)
		if len(got) < len(tt.want) || !slices.Equal(got[:len(tt.want)], tt.want) || got[len(got)-1] > 100 {
			t.Errorf("at %v: %v, want %v", tt.failure, got, tt.want)
		}
	}
	if got := newStoppingRule(0.05, 11); !slices.Equal(got, []int{6, 11}) {
		t.Errorf("up to 11: %v", got)
	}
	rule := stoppingRule{6, 11, 16}
	for found, want := range []int{6, 6, 11, 16, MaxFlows} {
		if got := rule.required(found); got != want {
			t.Errorf("where %d are found %d are required, want %d", found, got, want)
		}
	}
	if n := stopAfter(1, 0.05, 6); n != 6 {
		t.Errorf("with a limit of just 6: %d", n)
	}
	if n := stopAfter(1, 0.05, 5); n != 6 {
		t.Errorf("above a limit of 5: %d", n)
	}
}

func TestRule7SilenceIsANodeOfItsOwn(t *testing.T) {
	rule := stoppingRule{6, 11, 16}
	for _, tt := range []struct {
		t       tally
		least   int
		missing int
		holds   bool
	}{
		{tally{}, 1, 6, false},
		{tally{nodes: 1, answered: 6}, 1, 0, true},
		{tally{nodes: 1, answered: 5}, 1, 1, false},
		{tally{nodes: 1, answered: 5, pending: 1}, 1, 0, false},
		{tally{nodes: 2, answered: 10}, 1, 1, false},
		{tally{nodes: 2, answered: 11}, 1, 0, true},
		{tally{silent: 6}, 1, 0, true},
		{tally{silent: 5}, 1, 1, false},
		{tally{nodes: 1, answered: 6, silent: 1}, 1, 4, false}, // 2 outcomes
		{tally{nodes: 1, answered: 6, silent: 5}, 1, 0, true},
		{tally{nodes: 1, answered: 1, silent: 10}, 1, 5, false}, // the one has 1 of 6
		{tally{nodes: 1, answered: 1, silent: 31}, 1, 1, false}, // but not for ever: 3 times 11
		{tally{nodes: 1, answered: 1, silent: 32}, 1, 0, false},
		{tally{nodes: 1, answered: 6}, 2, 5, false}, // two are taken to be there
		{tally{nodes: 1, answered: 11}, 2, 0, true},
		{tally{nodes: 3, answered: 16}, 2, 0, true},
	} {
		if got := rule.missing(tt.t, tt.least); got != tt.missing {
			t.Errorf("%+v: %d are missing, want %d", tt.t, got, tt.missing)
		}
		if got := rule.holds(tt.t, tt.least); got != tt.holds {
			t.Errorf("%+v: the rule holds: %v", tt.t, got)
		}
	}
}

func TestRule7TheRuleHoldsAtEachHop(t *testing.T) {
	for network, want := range map[string]string{
		"r:0 / t.:0":                         "1:12345 2:12345",
		"r:012345 / t.:012345":               "",
		"r:01234 / t.:012345":                "1:5",
		"r:012345 / a:012 b:345 / t.:012345": "2:0(3)6789a",
		"r:012345 / a:01234 *:5 / t.:012345": "1:6789a 2:6789a",
		// Those that are known to pass, of each router in turn, come first.
		"r:0123456789a / a:012346789a b:5 / c:0 t.:1": "2:0(3)bcdefghijkl 3:0(3)23456789a 4:0",
	} {
		if got := asked(met(t, usual(), network)); got != want {
			t.Errorf("%s: %s is asked, want %s", network, got, want)
		}
	}
	tr := met(t, usual(), "r:0123456789 / a:0123 b:456 c:789 / d:59")
	if g := tr.groups(2); len(g) != 1 || !slices.Equal(g[0].flows, []int{0, 5, 9, 1, 4, 7, 2, 6, 8, 3}) || !g[0].any || g[0].share < 0.99 || g[0].share > 1.01 {
		t.Errorf("the group is %+v", g)
	}
	tr = met(t, usual(), "r:012345 / t.:01 b:2345 / d:2")
	if g := tr.groups(2); len(g) != 1 || !slices.Equal(g[0].flows, []int{2, 3, 4, 5}) || g[0].any || g[0].share < 0.66 || g[0].share > 0.67 {
		t.Errorf("behind the end the group is %+v", g)
	}
}

func TestRule7WhichFlowsPassARouter(t *testing.T) {
	for network, want := range map[string][]group{ // of the third hop
		"r:012345 / *:012345 / t.:0":   {{any: true}},
		"t.:0 *:12 / *:12 / b:1":       nil,
		"r:0123 / a:01 *:23 / b:0":     {{flows: []int{0, 1}, least: 1, share: 1}},
		"r:0123 / a:01 b:23 / b:0":     {{flows: []int{0, 1}, least: 1, share: 0.5}, {flows: []int{2, 3}, least: 1, share: 0.5}},
		"r:0123 / t.:01 a:2 b:3 / b:2": {{flows: []int{2}, least: 1, share: 0.25}, {flows: []int{3}, least: 1, share: 0.25}},
	} {
		if got := met(t, usual(), network).routers(2); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", network, got, want)
		}
	}
	if g := met(t, usual(), "r:012345 / a:012 b:345 / t.:0").groups(2); len(g) != 1 || !g[0].any {
		t.Errorf("at the nearest end the groups are %+v", g)
	}
	for _, hop := range []int{0, 1} {
		if g := met(t, usual(), "r:012 / a:012").passing(hop, []group{{flows: []int{1}}}, 0); len(g) != 3 {
			t.Errorf("%v pass the only router", g)
		}
	}
	if g := met(t, usual(), "r:012 / t.:012").passing(1, []group{{flows: []int{1}}}, 0); len(g) != 3 {
		t.Errorf("at the nearest end %v pass the only router", g)
	}
	tr := met(t, usual(), "r:012 / t.:0 a:12 / b:1 / c:1")
	if g := tr.passing(2, []group{{flows: []int{1}}}, 0); len(g) != 1 {
		t.Errorf("behind the nearest end %v pass the only router", g)
	}
}

func TestRule8TwoFlowsOfEachRouterAreFollowed(t *testing.T) {
	for network, want := range map[string]string{
		"r:0123456789a / a:01234 b:56789a / t.:012345":                     "2:0(3) 3:6",
		"r:0123456789a / a:012346789a b:5 / t.:012345":                     "2:0(3)bcdefghijkl",
		"r:0123456789a / a:01234 b:56789a / c:01234bcdef d:5a / t.:012345": "2:0(3)5(2) 4:a",
		"r:0123456789a / a:01234 b:56789a / c:012345 d:bcdef / t.:012345":  "2:0(3)bc 3:6 4:bf",
	} {
		got := asked(met(t, usual(), network))
		if got != want {
			t.Errorf("%s: %s is asked, want %s", network, got, want)
		}
	}
}

func TestRule9HopsThatAreNotUniform(t *testing.T) {
	for _, tt := range []struct {
		name, network string
		want          []int // hops at which the rule has to hold behind each router
	}{
		{"uniform", "r:0123 / a:01 b:23 / c:01 d:23 / t.:0123", nil},
		{"wider, and uniform", "r:0123 / a:01 b:23 / c:0 d:1 e:2 f:3 / t.:0123", nil},
		{"narrower, and uniform", "r:0123 / a:0 b:1 c:2 d:3 / e:01 f:23 / t.:0123", nil},
		{"meshed", "r:0123 / a:01 b:23 / c:02 d:13 / t.:0123", []int{2, 3, 4}},
		{"meshed by one", "r:0123 / a:01 b:23 / c:012 d:3 / t.:0123", []int{2, 3, 4}},
		{"meshed, and wider", "r:012345 / a:012 b:345 / c:03 d:1 e:2 f:45 / t.:012345", []int{2, 3, 4}},
		{"meshed, and narrower", "r:012345 / a:01 b:23 c:4 d:5 / e:024 f:135 / t.:012345", []int{2, 3, 4}},
		{"meshed, wider, two behind each", "r:0123 / a:01 b:23 / c:0 d:12 e:3 / t.:0123", []int{2, 3, 4}},
		{"meshed, narrower, two before each", "r:0123 / a:0 b:12 c:3 / d:01 e:23 / t.:0123", []int{2, 3, 4}},
		{"wider on one side", "r:0123 / a:012 b:3 / c:0 d:12 e:3 / t.:0123", []int{2, 3, 4}},
		{"narrower on one side", "r:0123 / a:0 b:12 c:3 / d:012 e:3 / t.:0123", []int{2, 3, 4}},
		{"up to where ways part, and meet", "q:0123 / r:0123 / a:01 b:23 / c:01 d:23 / e:02 f:13 / g:02 h:13 / i:0123 / t.:0123", []int{3, 4, 5, 6, 7}},
		{"silence beside others", "r:0123 / a:01 *:23 / t.:0123", []int{2, 3}},
		{"silence of all", "r:0123 / *:0123 / t.:0123", nil},
		{"not before all is known", "r:0123 / a:01 b:23 / c:02 d:13", []int{2, 3, 4}},
		{"a flow that ends there", "r:0123 / a:01 b:23 / t.:01 d:23 / t.:23", nil},
		{"none but an end", "r:0123 / a:0 t.:12 / t.:0", nil},
	} {
		tr := met(t, usual(), tt.network)
		tr.stop = stoppingRule{1, 1, 1, 1, 1, 1} // so that nothing is missing
		tr.base = 1
		for tr.distrust() {
		}
		var got []int
		for hop := range tr.hops {
			if tr.hops[hop].eachRouter {
				got = append(got, hop+1)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: hops %v, want %v", tt.name, got, tt.want)
		}
	}
	for _, spread := range []string{"a", "c"} {
		tr := met(t, usual(), "r:0123 / a:01 b:23 / c:01 d:23 / t.:0123")
		hop := map[string]int{"a": 1, "c": 2}[spread]
		tr.hops[hop].merge(0, 1)
		if tr.distrust(); !tr.hops[2].eachRouter || !tr.hops[1].eachRouter || !tr.hops[3].eachRouter || tr.hops[4].eachRouter {
			t.Errorf("hops are uniform though packets are spread at hop %d", hop+1)
		}
	}
	tr := met(t, short(3), "r:0123 / a:01 b:23 / c:02 d:13")
	if !tr.distrust() || !tr.hops[1].eachRouter || !tr.hops[2].eachRouter {
		t.Error("the last hops are uniform though they are meshed")
	}
	tr = met(t, usual(), "r:0123 / a:01 b:23 / c:02 d:13")
	tr.ask(2, 4).want = 1
	if tr.distrust() {
		t.Error("hops are judged before all is known")
	}
	tr = met(t, usual(), "r:0123 / a:01 b:23 / c:0 d:2")
	tr.hops[1].eachRouter = true
	if tr.distrust(); tr.hops[2].eachRouter != true {
		t.Error("hops behind those that are not uniform are taken for a whole, though ways have not met")
	}
	cfg := usual()
	cfg.Flows = 4
	if met(t, cfg, "r:0123 / a:01 b:23 / c:02 d:13 / t.:0123").distrust() {
		t.Error("hops are judged though the number of flows is given")
	}
}

func TestRule9And10FlowsAreTriedAtTheRoutersOwnHop(t *testing.T) {
	// Behind b 4 of 6 are missing, and a third of the flows passes it.
	tr := met(t, usual(), "r:012345 / a:0123 b:45 / c:02 d:13 e:4 f:5")
	tr.hops[2].eachRouter = true
	groups := tr.groups(2)
	if len(groups) != 2 || groups[0].any || groups[1].any || !slices.Equal(groups[1].flows, []int{4, 5}) || groups[1].share < 0.33 || groups[1].share > 0.34 {
		t.Errorf("groups %+v", groups)
	}
	tr.draw(1, 3)
	if got := []int{tr.ask(0, 6).want, tr.ask(0, 7).want, tr.ask(0, 8).want, tr.ask(0, 9).want, tr.ask(1, 6).want}; !slices.Equal(got, []int{0, 0, 0, 0, 1}) {
		t.Errorf("of the flows 6 to 9 at the first, and 6 at the second hop, so many are wanted: %v", got)
	}
	tr.draw(1, 3)
	if n := len(tr.hops[1].asks); n != 9 {
		t.Errorf("%d flows are asked for, though the first drawn are not settled", n)
	}
	for share, want := range map[float64]int{1: 4, 0.5: 8, 1.0 / 3: 12, 0.3: 14} {
		tr := met(t, usual(), "r:0 / a:0")
		tr.drawThrough(1, 4, share)
		drawn := 0
		for flow := range tr.hops[1].asks {
			if a := tr.ask(1, flow); a.want > 0 && a.sent == 0 {
				drawn++
			}
		}
		if drawn != want {
			t.Errorf("with a share of %.2f %d flows are drawn, want %d", share, drawn, want)
		}
	}
	tr = met(t, usual(), "r:012 / t.:0 b:12 / c:1")
	if tr.draw(2, 1); tr.ask(2, 2).want != 1 {
		t.Error("behind the nearest end, the flow that goes on is not drawn")
	}
	if tr.draw(2, 9); tr.ask(1, 3).want != 0 {
		t.Error("flows are drawn before others have settled")
	}
}
