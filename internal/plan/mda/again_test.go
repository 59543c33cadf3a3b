package mda

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/plantest"
)

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
	tr = met(t, usual(), "r:0123456789a / t.:01234 b:56789a / t.:56789a")
	if tr.update(4); !slices.Contains(tr.todo, place{1, 0}) {
		t.Errorf("a flow is not sent again at its end: %v", tr.todo)
	}
	tr.todo = nil
	if tr.update(4); tr.todo != nil {
		t.Error("all is decided anew though nothing became known")
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
	answer := plan.Observation{Key: keys[0], Settles: true, Kind: plan.TimeExceeded, Responder: plantest.Address("r"), Sent: start}
	tr.Observe(start, &answer)
	if tr.Alone() {
		t.Fatal("probes leave one by one from the beginning")
	}
	unclear := plan.Observation{Key: keys[1], Kind: plan.Unclear}
	tr.Observe(start, &unclear)
	if !tr.Alone() || tr.Wants(keys[1]) || tr.Wants(keys[0]) {
		t.Errorf("alone: %v, what left before is still to leave: %v", tr.Alone(), tr.Wants(keys[1]))
	}
	silent := plan.Observation{Key: keys[1], Settles: true, Kind: plan.Silent, Sent: start}
	tr.Observe(start, &silent)
	if !counts(tr, keys[0]) || counts(tr, keys[1]) {
		t.Error("what left before does not count though it was answered, or counts though it stayed silent")
	}
	var again []string
	var alone []plan.Key
	for range 40 {
		p, ok, _ := tr.Next(start)
		if !ok {
			break
		}
		again, alone = append(again, fmt.Sprintf("%d:%d", p.TTL, p.Flow)), append(alone, p.Key)
		if tr.Observe(start, &unclear); !tr.Wants(p.Key) {
			t.Errorf("a second unclear answer has flow %d at hop %d discarded", p.Flow, p.TTL)
		}
	}
	if !slices.Contains(again, "2:0") || !slices.Contains(again, "3:0") || slices.Contains(again, "1:0") {
		t.Errorf("asked anew: %v", again)
	}
	if a := tr.ask(1, 0); a.sent != 2 || a.discarded != 1 {
		t.Errorf("%d sent, of which %d are discarded", a.sent, a.discarded)
	}
	for _, k := range alone {
		if tr.Observe(start, &plan.Observation{Key: k, Settles: true, Kind: plan.Silent, Sent: start}); !counts(tr, k) {
			t.Errorf("what left by itself does not count at hop %d", k.Hop())
		}
	}
	late := plan.Observation{Key: keys[1], Late: true, Kind: plan.TimeExceeded, Responder: plantest.Address("s"), Sent: start}
	if tr.Observe(start, &late); !counts(tr, keys[1]) {
		t.Error("what left before does not count though it was answered late")
	}
}

// counts reports whether a probe counts, and something is known of it.
func counts(tr *Trace, k plan.Key) bool {
	return slices.ContainsFunc(tr.View(false).Probes(k.Hop()-tr.cfg.FirstHop), func(p Probe) bool { return p.Key == k })
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
	if !tr.Done() || len(tr.hops[0].probes) != 2 {
		t.Errorf("done: %v after %d refused probes, want 2", tr.Done(), len(tr.hops[0].probes))
	}
	if v := tr.View(true); v.Len() != 1 || v.Hop(0).Distance != 3 || v.End() != plan.EndMaxHops || !slices.Equal(v.Probes(0), []Probe{{plan.MakeKey(3, 0), 0}, {plan.MakeKey(3, 1), 0}}) {
		t.Errorf("%d hops, end %d, probes %v", v.Len(), v.End(), v.Probes(0))
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
			tt.o.Responder = plantest.Address("r")
		}
		if tr.Observe(start, &tt.o); tr.ask(0, 0).answered != tt.want {
			t.Errorf("%s counts %d times", tt.name, tr.ask(0, 0).answered)
		}
		if open := tr.ask(0, 0).open; (open == 0) != tt.o.Settles || tr.inFlight != open {
			t.Errorf("%s: %d probes are in flight", tt.name, open)
		}
	}
}
