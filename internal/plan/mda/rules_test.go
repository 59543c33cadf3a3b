package mda

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

var start = time.Unix(1_000_000, 0)

// met returns a trace of which it is known what flows met: "r:01234 / a:012 b:34". A
// letter or digit is a flow, from 0 on. The name * is silence, one with a . is the
// target, and one with a ! refuses to forward.
func met(t *testing.T, cfg Config, text string) *Trace {
	t.Helper()
	tr := New(cfg, start)
	for hop, level := range strings.Split(text, "/") {
		for _, word := range strings.Fields(level) {
			name, flows, _ := strings.Cut(word, ":")
			for _, c := range flows {
				flow := strings.IndexRune(letters, c)
				p := tr.take(place{hop, flow}, start)
				a := tr.ask(hop, flow)
				a.want = max(a.want, 1)
				o := plan.Observation{Key: p.Key, Settles: true, Sent: start, Kind: plan.TimeExceeded, RTT: time.Millisecond}
				switch {
				case name == "*":
					o.Kind = plan.Silent
					a.sent = cfg.Count
				case strings.HasSuffix(name, "."):
					o.Kind = plan.Reply
				case strings.HasSuffix(name, "!"):
					o.Kind = plan.Unreachable
				}
				if name != "*" {
					o.Responder = address(strings.TrimRight(name, ".!"))
				}
				tr.Observe(start, &o)
			}
		}
	}
	return tr
}

const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// asked returns what is to be asked: "2:56" are the flows 5 and 6 at the second hop.
func asked(tr *Trace) string {
	tr.stale = true
	tr.update(tr.window.hops)
	var words []string
	for hop := range tr.hops {
		flows := ""
		for flow := range tr.hops[hop].asks {
			a := &tr.hops[hop].asks[flow]
			if tr.wants(a) && tr.ends[flow] >= hop && hop <= tr.last {
				flows += string(letters[flow])
				if more := a.want - a.answered; a.answered > 0 && more > 0 {
					flows += fmt.Sprintf("(%d)", more)
				}
			}
		}
		if flows != "" {
			words = append(words, fmt.Sprintf("%d:%s", hop+1, flows))
		}
	}
	return strings.Join(words, " ")
}

// short is a trace of few hops.
func short(hops int) Config {
	c := usual()
	c.MaxHops = hops
	return c
}

// sent returns when probes leave to a hop that answers as n does, in milliseconds.
func times(t *testing.T, n *network, cfg Config, ttl int) (at []int) {
	t.Helper()
	n.trace(t, cfg)
	for i, p := range n.sent {
		if p.TTL == ttl {
			at = append(at, int(n.times[i].Milliseconds()))
		}
	}
	return at
}

func TestRule1AFlowIsAskedForAgainLaterEachTime(t *testing.T) {
	for _, tt := range []struct {
		name              string
		count             int
		interval, timeout time.Duration
		want              []int
	}{
		{"after 250 ms, then after twice as long", 7, 50, 20_000, []int{0, 250, 750, 1750, 3750, 7750, 11750}},
		{"not before the interval", 3, 400, 20_000, []int{0, 400, 900}},
		{"after the timeout at the latest", 4, 50, 300, []int{0, 250, 550, 850}},
		{"as often as it may be", 1, 50, 300, []int{0}},
	} {
		cfg := Config{FirstHop: 1, MaxHops: 1, Flows: 1, Count: tt.count, Interval: tt.interval * time.Millisecond, Timeout: tt.timeout * time.Millisecond}
		if got := times(t, newNetwork("r! t", 1), cfg, 1); !slices.Equal(got, tt.want) {
			t.Errorf("%s: probes leave at %v, want %v", tt.name, got, tt.want)
		}
	}
	tr := met(t, short(3), "r:0")
	tr.slow = 400 * time.Millisecond
	a := ask{sent: 1, left: start}
	if due := tr.due(&hop{}, &a, start); !due.Equal(start.Add(800 * time.Millisecond)) {
		t.Errorf("after an RTT of 400 ms it is asked again after %v, want twice that", due.Sub(start))
	}
	if a.discarded = 1; !tr.due(&hop{}, &a, start).Equal(start) {
		t.Error("what is discarded puts the next off")
	}
	if tr.Observe(start, &plan.Observation{Key: plan.MakeKey(1, 0), Settles: true, Kind: plan.TimeExceeded, Responder: address("r"), RTT: time.Second}); tr.slow != time.Second {
		t.Errorf("the longest RTT is %v", tr.slow)
	}
}

func TestRule2ProbesToAHopLeaveInBursts(t *testing.T) {
	cfg := usual()
	cfg.Flows, cfg.MaxHops = 20, 1
	want := append(append([]int{0}, slices.Repeat([]int{2}, 7)...), append(slices.Repeat([]int{50}, 8), slices.Repeat([]int{100}, 4)...)...)
	if got := times(t, newNetwork("r t", 1), cfg, 1); !slices.Equal(got, want) {
		t.Errorf("20 probes leave at %v, want %v", got, want)
	}
}

func TestRule3OneFlowScouts(t *testing.T) {
	tr := New(usual(), start)
	next := func(at time.Duration) (words string, wake time.Duration) {
		for {
			p, ok, due := tr.Next(start.Add(at))
			if !ok {
				return words, due.Sub(start)
			}
			words += fmt.Sprintf("%d:%d ", p.TTL, p.Flow)
		}
	}
	if words, wake := next(0); words != "1:0 2:0 3:0 4:0 " || wake != 50*time.Millisecond {
		t.Errorf("at first %s, and then after %v", words, wake)
	}
	if words, _ := next(49 * time.Millisecond); words != "" {
		t.Errorf("after 49 ms %s", words)
	}
	if words, _ := next(50 * time.Millisecond); words != "5:0 6:0 7:0 8:0 " {
		t.Errorf("after an Interval %s", words)
	}
	answer := plan.Observation{Key: plan.MakeKey(6, 0), Settles: true, Kind: plan.TimeExceeded, Responder: address("f"), Sent: start, RTT: time.Millisecond}
	tr.Observe(start, &answer)
	if words, _ := next(50 * time.Millisecond); !strings.HasSuffix(words, "9:0 10:0 ") || strings.Contains(words, "11:") || !strings.HasPrefix(words, "1:1 1:2 1:3 1:4 1:5 2:1") || strings.Contains(words, "7:1") {
		t.Errorf("after an answer of the sixth hop %s", words)
	}
	answer = plan.Observation{Key: plan.MakeKey(3, 0), Settles: true, Kind: plan.Reply, Responder: address("t"), Sent: start, RTT: time.Millisecond}
	tr.Observe(start, &answer)
	if words, wake := next(time.Second); strings.Contains(words, "11:") || wake == 100*time.Millisecond {
		t.Errorf("behind the end %s, and again after %v", words, wake)
	}
	if w := newWindow(start, 0); !w.grows.Equal(start.Add(10 * time.Millisecond)) {
		t.Errorf("without an interval the window grows after %v", w.grows.Sub(start))
	}
	for i, opens := range []bool{true, true, true, false} { // of 16 hops
		tr := New(short(16), start)
		tr.window.hops = []int{4, 8, 15, 16}[i]
		if tr.opens() != opens {
			t.Errorf("with %d of 16 hops open, it opens further: %v", tr.window.hops, !opens)
		}
	}
}

func TestRule4AFlowEndsWhereItsAnswersEndIt(t *testing.T) {
	tr := met(t, usual(), "r:0123 / t.:0 a!:1 b:23 / c:2 t.:3")
	if !slices.Equal(tr.ends, []int{1, 1, never, 2}) || tr.near != 1 || tr.far != 2 {
		t.Errorf("ends %v, the nearest %d, the farthest answer %d", tr.ends, tr.near, tr.far)
	}
	tr.answer(1, 1, address("b"), plan.Passes)
	if tr.ends[1] != never {
		t.Errorf("a flow that passes ends at %d", tr.ends[1])
	}
	tr.answer(1, 0, address("b"), plan.Passes)
	if tr.ends[0] != 1 {
		t.Errorf("a flow that the target answered ends at %d", tr.ends[0])
	}
	for _, tt := range []struct {
		network   string
		hop, flow int // from 0
		want      bool
	}{
		{"r:01 / a:01 / b:1 t.:0", 3, 1, true},             // seen to go on
		{"r:01 / a:01 / t.:0", 3, 1, false},                // not asked for at the end
		{"r:01 / a:01 / t.:0", 2, 1, true},                 // up to the end
		{"r:01 / a:01 / b:1 t.:0", 3, 0, false},            // it ended
		{"r:01 / a:01 / t.:0 *:1 / *:1 / *:1", 5, 1, true}, // silent behind it, but not for long
		{"r:01 / a:0 *:1 / t.:0 *:1 / *:1 / *:1", 5, 1, false},
		{"t.:0 *:1 / *:1 / *:1", 3, 1, true},
		{"t.:0 *:1 / *:1 / *:1 / *:1", 4, 1, false},
	} {
		if got := met(t, usual(), tt.network).mayReach(tt.hop, tt.flow); got != tt.want {
			t.Errorf("%s: flow %d may be asked for at hop %d: %v", tt.network, tt.flow, tt.hop+1, got)
		}
	}
}

func TestRule5TheTraceEndsByItsShape(t *testing.T) {
	for _, tt := range []struct {
		name, network string
		gap, hops     int
		end           plan.End
		last          int
	}{
		{"a circle", "r:0 / a:0 / b:0 / a:0 / b:0 / c:0", 0, 9, plan.EndLoop, 4},
		{"sets of routers", "r:0 / a:0 b:1 / c:0 / b:0 a:1 / c:0 / d:0", 0, 9, plan.EndLoop, 4},
		{"other sets", "r:0 / a:0 b:1 / c:0 / b:0 / c:0 / d:0", 0, 9, plan.EndMaxHops, 8},
		{"a gap", "r:0 / *:0 / *:0 / *:0 / d:0", 2, 9, plan.EndGap, 2},
		{"a gap that is not long enough", "r:0 / *:0 / b:0 / *:0 / d:0", 2, 9, plan.EndMaxHops, 8},
		{"any gap", "r:0 / *:0 / *:0 / *:0 / *:0", 0, 9, plan.EndMaxHops, 8},
		{"a gap from the beginning", "*:0 / *:0 / c:0", 2, 9, plan.EndGap, 1},
		{"the target has the address of routers", "r:0 / r:0 / r.:0", 0, 9, plan.EndMaxHops, 8},
		{"silence is no circle", "r:0 / *:0 / *:0 / *:0 / *:0 / *:0", 0, 9, plan.EndMaxHops, 8},
		{"a circle behind the target", "r:0 / t.:0 / t.:1 / t.:1", 0, 9, plan.EndMaxHops, 8},
		{"no further hop", "r:0 / a:0", 0, 2, plan.EndMaxHops, 1},
	} {
		cfg := short(tt.hops)
		cfg.GapLimit, cfg.Flows = tt.gap, 1
		tr := met(t, cfg, tt.network)
		if asked(tr); tr.cut != tt.end || tr.last != tt.last {
			t.Errorf("%s: it ends with %d at hop %d, want %d at %d", tt.name, tr.cut, tr.last+1, tt.end, tt.last+1)
		}
	}
	cfg := usual()
	cfg.Flows = 2
	tr := met(t, cfg, "r:0 / r:0")
	asked(tr)
	if tr.answer(2, 0, address("r"), plan.Passes); asked(tr) == "" || tr.cut != plan.EndMaxHops {
		t.Error("a circle ends the trace before all flows were asked for")
	}
}

func TestRule6EachOfANumberOfFlowsIsAskedForAtEachHop(t *testing.T) {
	cfg := usual()
	cfg.Flows = 3
	for network, want := range map[string]string{
		"r:0":                      "1:12 2:0 3:0 4:0 5:0",
		"r:012 / a:0":              "2:12 3:0 4:0 5:0 6:0",
		"r:012 / a:012 / t.:0":     "3:12",
		"r:012 / a:012 / t.:012":   "",
		"r:012 / a:01 b:2 / t.:01": "2:0(3) 3:2",
		"r:012 / t.:0 b:12 / t.:1": "2:0(3) 3:2",
		"r:012 / t.:0 b:12 / c:1":  "2:0(3) 3:2 4:1",
	} {
		if got := asked(met(t, cfg, network)); got != want {
			t.Errorf("%s: %s is asked, want %s", network, got, want)
		}
	}
	n := newNetwork("r a, a t", 1)
	v := n.trace(t, cfg).View(true)
	if n.probes(v) != 9 || v.Holds() || v.Flows() != 3 {
		t.Errorf("%d probes of %d flows, complete: %v", n.probes(v), v.Flows(), v.Holds())
	}
}

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
	tr := met(t, usual(), "r:012 / t.:0 a:12 / b:1 / c:1")
	if g := tr.passing(2, []group{{flows: []int{1}}}, 0); len(g) != 1 {
		t.Errorf("behind the nearest end %v pass the only router", g)
	}
}

// What is sent again to check a hop leaves in a row, before all else, and what has
// ended is not asked for.
func TestRule11WhatIsSentAgainLeavesFirst(t *testing.T) {
	tr := met(t, usual(), "r:0123 / a:01 b:23")
	tr.update(4)
	if len(tr.todo) < 3 || tr.todo[0] != (place{1, 0}) || tr.todo[1].hop != 0 {
		t.Errorf("in order: %v", tr.todo)
	}
	tr = met(t, usual(), "r:0123 / t.:01 b:23")
	tr.ask(2, 0).want = 1
	if tr.update(4); slices.Contains(tr.todo, place{2, 0}) {
		t.Errorf("a flow that has ended is asked for: %v", tr.todo)
	}
	tr.todo = nil
	if tr.update(4); tr.todo != nil {
		t.Error("all is decided anew though nothing became known")
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
	tr := met(t, usual(), "r:0123 / a:01 b:23 / c:02 d:13")
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

func TestRule11HowOftenFlowsAreSentAgain(t *testing.T) {
	for nodes, want := range map[int]int{2: 10, 3: 7, 4: 5, 5: 5, 8: 4, 10: 3, 16: 3, 32: 2} {
		if got := repeats(nodes); got != want {
			t.Errorf("of %d nodes %d times, want %d", nodes, got, want)
		}
	}
	for network, want := range map[string]string{
		// Of two nodes 10 times: 3 at once, 10 where they meet behind, fewer where they do not.
		"r:0123456789a / a:01234 b:56789a":                                 "2:0(3) 3:0a 4:0 5:0 6:0",
		"r:0123456789a / a:01234 b:56789a / t.:0123456":                    "2:0(5)5(5)",
		"r:0123456789a / a:01234 b:56789a / c:01234 d:56789a / t.:0123456": "2:0(3)",
		"r:0123456789a / a:01234 b:56789a / c:0123456789a / t.:012345":     "2:0(5)5(5)",
		"r:0123456789a / t.:0123456789a":                                   "",
		"r:0123456789abcdef / a:01234 b:56789 c:abcdef / t.:0123456ab":     "2:0(4)5(3)",
		"a:0123456789a b:bc / t.:012345bc":                                 "1:0(5)b(5)",
		"*:0123456789a / a:01234 b:56789a / t.:0123456":                    "2:0(5)5(5)",
		"r:0123456789a / t.:01234 b:56789a / t.:56789a":                    "2:0(5)5(5)",
	} {
		if got := asked(met(t, usual(), network)); got != want {
			t.Errorf("%s: %s is asked, want %s", network, got, want)
		}
	}
	// A router that takes its next hops in turn is found by flows that are sent in a row.
	for seed := range 200 {
		n := newNetwork("r~ a|b, a t, b t", seed)
		if tr := n.trace(t, usual()); !tr.hops[1].isShared(0) || !tr.hops[1].isShared(1) {
			t.Fatal("a router that takes two next hops in turn is taken for one that spreads flows")
		}
		n = newNetwork("r% a|b, a c, b d, c t, d t", seed)
		if tr := n.trace(t, usual()); len(tr.hops[1].nodes) > 1 && !tr.hops[1].isShared(0) {
			t.Fatalf("seed %d: a router that spreads packets is taken for one that spreads flows", seed)
		}
		n = newNetwork("r s, s!% a|b, a t, b t", seed)
		if tr := n.trace(t, usual()); len(tr.hops[2].nodes) > 1 && !tr.hops[2].isShared(0) {
			t.Fatalf("seed %d: a silent router that spreads packets is taken for one that spreads flows", seed)
		}
	}
}

func TestRule11Agreement(t *testing.T) {
	for _, tt := range []struct {
		name, network string
		agree         int
		settled       bool
	}{
		{"each node has its own next hop", "r:012345 / a:012 b:345 / c:012 d:345", 4, true},
		{"not all were followed", "r:012345 / a:012 b:345 / c:01 d:34", 2, true},
		{"they meet", "r:012345 / a:012 b:345 / c:012345", 0, true},
		{"one has two", "r:012345 / a:012 b:345 / c:01 e:2 d:345", 0, true},
		{"only one was followed", "r:012345 / a:012 b:345 / c:012", 0, true},
		{"all end there", "r:012345 / t.:012 s.:345", 0, true},
		{"nothing was asked behind", "r:012345 / a:012 b:345", 0, false},
	} {
		tr := met(t, usual(), tt.network)
		if agree, settled := tr.agreement(1, firstFlows(6)); agree != tt.agree || settled != tt.settled {
			t.Errorf("%s: %d agree, settled: %v", tt.name, agree, settled)
		}
	}
	if _, settled := met(t, short(2), "r:0123 / a:01 b:23").agreement(1, firstFlows(4)); !settled {
		t.Error("something may be known behind the last hop")
	}
	tr := met(t, usual(), "r:0123 / a:01 b:23 / c:01 d:23")
	if tr.ask(2, 4).want = 1; true {
		if _, settled := tr.agreement(1, firstFlows(4)); settled {
			t.Error("it is settled though something is asked")
		}
	}
}

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

func TestRule14WhereAnswersAreUnclearProbesLeaveOneByOne(t *testing.T) {
	tr := New(short(4), start)
	var keys []plan.Key
	for {
		p, ok, _ := tr.Next(start)
		if !ok {
			break
		}
		keys = append(keys, p.Key)
		tr.Sent(p.Key, start)
	}
	answer := plan.Observation{Key: keys[0], Settles: true, Kind: plan.TimeExceeded, Responder: address("r"), Sent: start}
	tr.Observe(start, &answer)
	if tr.Alone() {
		t.Fatal("probes leave one by one from the beginning")
	}
	unclear := plan.Observation{Key: keys[1], Kind: plan.Unclear}
	tr.Observe(start, &unclear)
	if !tr.Alone() || tr.Wants(keys[1]) || tr.Wants(keys[0]) {
		t.Errorf("alone: %v, what left before is still to leave: %v", tr.Alone(), tr.Wants(keys[1]))
	}
	v := tr.View(false)
	if !v.Discards(keys[0]) || !v.Discards(keys[1]) {
		t.Error("what left before counts though it stays silent")
	}
	silent := plan.Observation{Key: keys[1], Settles: true, Kind: plan.Silent, Sent: start}
	tr.Observe(start, &silent)
	var again []string
	for range 40 {
		p, ok, _ := tr.Next(start)
		if !ok {
			break
		}
		again = append(again, fmt.Sprintf("%d:%d", p.TTL, p.Flow))
		if tr.Observe(start, &unclear); !tr.Wants(p.Key) {
			t.Errorf("a second unclear answer has flow %d at hop %d discarded", p.Flow, p.TTL)
		}
		if !tr.Wants(p.Key) || tr.View(false).Discards(p.Key) {
			t.Error("what leaves one by one is discarded")
		}
	}
	if !slices.Contains(again, "2:0") || !slices.Contains(again, "3:0") || slices.Contains(again, "1:0") {
		t.Errorf("asked anew: %v", again)
	}
	if a := tr.ask(1, 0); a.sent != 2 || a.discarded != 1 {
		t.Errorf("%d sent, of which %d are discarded", a.sent, a.discarded)
	}
}

func TestRule15WhatIsInFlightIsUnsettled(t *testing.T) {
	tr := New(usual(), start)
	for range 4 {
		p, _, _ := tr.Next(start)
		tr.Sent(p.Key, start)
	}
	answer := plan.Observation{Key: plan.MakeKey(2, 0), Settles: true, Kind: plan.TimeExceeded, Responder: address("a"), Sent: start}
	tr.Observe(start, &answer)
	v := tr.View(false)
	if v.Len() != 2 || v.Open(0) != 1 || v.Open(1) != 0 || v.Open(2) != 1 || v.End() != plan.EndUnknown || v.Holds() || v.Flows() != 1 {
		t.Errorf("%d hops, %d and %d probes unsettled, end %d", v.Len(), v.Open(0), v.Open(1), v.End())
	}
	if h := v.Hop(0); h.Distance != 1 || len(h.Nodes) != 0 {
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
		{"r:01 / a:01", 1, 30},
	} {
		if got := met(t, usual(), tt.network).extent(tt.flow) + 1; got != tt.want {
			t.Errorf("%s: flow %d gets to hop %d, want %d", tt.network, tt.flow, got, tt.want)
		}
	}
	tr = met(t, usual(), "r:01 / a:01 / *:1 t.:0 / t.:1")
	if v := tr.View(true); v.Len() != 3 || v.Has(3, 1) || !v.Has(2, 1) || v.Has(2, 2) || v.Has(0, 60) {
		t.Errorf("%d hops", v.Len())
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
	tr.Observe(start, &plan.Observation{Key: p.Key, Settles: true, Kind: plan.Unreachable, Responder: address("own"), Local: true})
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
	if got := met(t, usual(), "r:0123 / *:0123 / b:01 / t.:0123").View(true).silentFlows(1); got != nil {
		t.Errorf("behind a hop that is silent for all are %v", got)
	}
}

// Probes that wait may be recalled, and such as the system does not take meet nobody.
func TestProbesThatDoNotLeave(t *testing.T) {
	tr := New(short(1), start)
	p, _, _ := tr.Next(start)
	if tr.Done() || !tr.Wants(p.Key) {
		t.Error("a probe waits, but the trace is done, or does not want it")
	}
	tr.Recall(p.Key)
	if q, ok, _ := tr.Next(start); !ok || q.TTL != 1 || q.Flow != 0 || q.Key == p.Key {
		t.Errorf("after the recall %+v, %v", q, ok)
	}
	tr = New(Config{FirstHop: 3, MaxHops: 3, Count: 2, Flows: 2, Timeout: time.Second}, start)
	for range 20 {
		if p, ok, wake := tr.Next(start); ok {
			if p.TTL != 3 || p.Key.Hop() != 3 {
				t.Errorf("a probe to hop %d, key %d", p.TTL, p.Key.Hop())
			}
			tr.Refused(p.Key, nil, start)
		} else if wake.IsZero() {
			break
		} else {
			start := wake
			if p, ok, _ := tr.Next(start); ok {
				tr.Refused(p.Key, nil, start)
			}
		}
	}
	if !tr.Done() || len(tr.hops[0].flows) != 2 {
		t.Errorf("done: %v after %d refused probes, want 2", tr.Done(), len(tr.hops[0].flows))
	}
	if v := tr.View(true); v.Len() != 1 || v.Hop(0).Distance != 3 || v.End() != plan.EndMaxHops || v.Flow(plan.MakeKey(3, 1)) != 0 {
		t.Errorf("%d hops, end %d", v.Len(), v.End())
	}
	tr = met(t, usual(), "r:0 / t.:0")
	p = tr.take(place{3, 0}, start)
	if tr.Wants(p.Key) {
		t.Error("a probe behind the end is still to leave")
	}
	p = tr.take(place{1, 0}, start)
	if tr.Wants(p.Key) {
		t.Error("a flow that has answered is to be asked for again")
	}
	if tr.ask(1, 0).want = 2; !tr.Wants(p.Key) {
		t.Error("a second answer is wanted, but not the probe")
	}
	if tr.last = 0; tr.Wants(p.Key) {
		t.Error("a probe behind the last hop is still to leave")
	}
}

// Beside what settles a probe, a late answer counts, and no other.
func TestWhichAnswersCount(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    plan.Observation
		want int
	}{
		{"an answer", plan.Observation{Settles: true, Kind: plan.TimeExceeded}, 1},
		{"a late answer", plan.Observation{Late: true, Kind: plan.TimeExceeded}, 1},
		{"a duplicate", plan.Observation{Duplicate: true, Kind: plan.TimeExceeded}, 0},
		{"a late duplicate", plan.Observation{Late: true, Duplicate: true, Kind: plan.TimeExceeded}, 0},
		{"a reply after an error", plan.Observation{Kind: plan.Reply}, 0},
		{"advice", plan.Observation{Kind: plan.Advice}, 0},
		{"silence", plan.Observation{Settles: true, Kind: plan.Silent}, 0},
	} {
		tr := New(usual(), start)
		p, _, _ := tr.Next(start)
		tt.o.Key = p.Key
		if tt.o.Kind != plan.Silent {
			tt.o.Responder = address("r")
		}
		if tr.Observe(start, &tt.o); tr.ask(0, 0).answered != tt.want {
			t.Errorf("%s counts %d times", tt.name, tr.ask(0, 0).answered)
		}
		if open := tr.ask(0, 0).open; (open == 0) != tt.o.Settles || tr.inFlight != open {
			t.Errorf("%s: %d probes are in flight", tt.name, open)
		}
	}
}

func TestTheViewOfAHop(t *testing.T) {
	v := met(t, usual(), "r:0123 / a:01 b:1 *:2 t.:3 / c:01").View(true)
	got := v.Hop(1)
	names := ""
	for _, n := range got.Nodes {
		names += fmt.Sprintf("%s%v set %d ends %v any %v; ", nameOf(n.Address), n.Flows, n.Set, n.Ends, n.Any)
	}
	if want := "a[0 1] set 0 ends false any false; b[1] set 0 ends false any false; t[3] set 2 ends true any false; *[2] set 3 ends false any false; "; names != want || got.Distance != 2 {
		t.Errorf("hop %d: %s\nwant %s", got.Distance, names, want)
	}
	if h := met(t, usual(), "r:01 / *:01 / t.:01").View(true).Hop(1); len(h.Nodes) != 1 || !h.Nodes[0].Any || h.Nodes[0].Address.IsValid() {
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
