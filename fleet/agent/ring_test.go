package agent

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib"
)

func TestTheRingIsBoundedAndCountsWhatItDrops(t *testing.T) {
	r := newRing(10)
	for i := range 5 {
		r.add(waiting{id: fmt.Sprint(i), body: make([]byte, 4)})
	}
	if n, dropped := r.counts(); n != 2 || dropped != 3 {
		t.Errorf("%d wait, %d dropped", n, dropped)
	}
	w, ok := r.oldest(t.Context())
	if !ok || w.id != "3" {
		t.Errorf("the oldest is %q", w.id)
	}
	r.remove("3")
	if w, _ := r.oldest(t.Context()); w.id != "4" {
		t.Errorf("then comes %q", w.id)
	}
	r.remove("4")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := r.oldest(ctx); ok {
		t.Error("an empty ring has an oldest round")
	}
}

// What was stored although it was dropped meanwhile was not lost.
func TestARoundThatIsStoredIsNotDropped(t *testing.T) {
	r := newRing(4)
	r.add(waiting{id: "a", body: make([]byte, 4)})
	r.add(waiting{id: "b", body: make([]byte, 4)})
	r.remove("a")
	if n, dropped := r.counts(); n != 1 || dropped != 0 {
		t.Errorf("%d wait, %d dropped", n, dropped)
	}
}

func TestRoundsBeginAtAMomentOfTheAgents(t *testing.T) {
	now := time.Unix(1_800_000_000, 123)
	phases := map[time.Duration]bool{}
	for i := range 100 {
		name := fmt.Sprint("a", i)
		d := untilRound(now, name, time.Minute)
		if d <= 0 || d > time.Minute {
			t.Errorf("%s waits %v", name, d)
		}
		if again := untilRound(now.Add(d), name, time.Minute); again != time.Minute {
			t.Errorf("%s: the round behind comes after %v", name, again)
		}
		phases[d.Truncate(time.Second)] = true
	}
	if len(phases) < 30 {
		t.Errorf("the rounds of 100 agents begin at %d seconds of a minute", len(phases))
	}
}

// A round that takes too long makes the next one late. One that began a moment before its time,
// because the clock was set, is not made twice.
func TestNoRoundIsLeftOut(t *testing.T) {
	const every = time.Minute
	now := time.Unix(1_800_000_000, 0)
	moment := now.Add(untilRound(now, "a", every))
	for _, c := range []struct{ begun, ended, wait time.Duration }{
		{0, 57 * time.Second, 3 * time.Second},
		{-time.Millisecond, 57 * time.Second, 3 * time.Second},
		{time.Millisecond, 57 * time.Second, 3 * time.Second},
		{0, 61 * time.Second, 0},
		{0, 80 * time.Second, 0},
		{20 * time.Second, 77 * time.Second, 0},
		{0, 100 * time.Second, 20 * time.Second}, // that was no round
		{-time.Hour, 50 * time.Second, 10 * time.Second},
	} {
		if got := untilNext(moment.Add(c.begun), moment.Add(c.ended), "a", every); got != c.wait {
			t.Errorf("begun at %v, at %v: %v, want %v", c.begun, c.ended, got, c.wait)
		}
	}
	if got := untilNext(time.Time{}, moment.Add(time.Second), "a", every); got != every-time.Second {
		t.Errorf("the first round comes after %v", got)
	}
}

func routeOf(addresses ...string) *icmplib.Route {
	r := &icmplib.Route{}
	for i, a := range addresses {
		h := icmplib.Hop{Distance: i + 1, Status: icmplib.StatusNoReply}
		if a != "*" {
			h.Address, h.Status = mustAddr(a), icmplib.StatusTTLExpired
			h.Responders = []icmplib.Responder{{Address: h.Address, PacketsReceived: 1}}
		}
		r.Hops = append(r.Hops, h)
	}
	return r
}

func TestRoutesAreToldWhenTheyAreWorthIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		known := &peerPath{}
		m := &mesh{paths: map[string]*peerPath{"p": known}}
		for i, step := range []struct {
			route *icmplib.Route
			bad   int
			after time.Duration
			why   string
		}{
			{routeOf("10.0.0.1", "10.0.0.2"), 0, 0, "first"},
			{routeOf("10.0.0.1", "10.0.0.2"), 0, time.Minute, ""},
			{routeOf("*", "10.0.0.2"), 0, time.Minute, ""},
			{routeOf("10.0.0.1", "*", "*"), 0, time.Minute, ""},
			{routeOf("*", "*"), 0, time.Minute, ""},
			{routeOf("10.0.0.9", "10.0.0.2"), 0, time.Minute, "changed"}, // than what was known before the silence
			{routeOf("10.0.0.9", "10.0.0.2"), 2, time.Minute, "loss"},
			{routeOf("10.0.0.9", "10.0.0.2", "10.0.0.3"), 0, time.Minute, ""},
			{routeOf("10.0.0.9", "10.0.0.2", "10.0.0.4"), 0, time.Minute, "changed"},
			{routeOf("10.0.0.9", "10.0.0.2", "10.0.0.4"), 0, 2 * time.Hour, "unchanged"},
		} {
			time.Sleep(step.after)
			known.bad = step.bad
			why := ""
			if told := m.tell("p", step.route, time.Now()); told != nil {
				why = told.Why
			}
			if why != step.why {
				t.Errorf("step %d: %q, want %q", i, why, step.why)
			}
		}
	})
}

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

func prefixes(all ...string) (parsed []netip.Prefix) {
	for _, s := range all {
		parsed = append(parsed, netip.MustParsePrefix(s))
	}
	return parsed
}
