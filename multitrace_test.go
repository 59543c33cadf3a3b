package icmplib

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// small is a tree in which a route takes a moment.
func small() *netsim.Tree {
	return &netsim.Tree{Levels: []int{1, 2, 8}, Words: func(int) string { return "delay=5ms" }, Last: "delay=5ms"}
}

func TestEveryTargetOfManyHasItsRoute(t *testing.T) {
	n := small()
	inTree(t, n, nil, func(t *testing.T, p *Prober) {
		targets := []string{n.Target(0, false).String(), "no..name", n.Target(1, true).String(), n.Target(0, false).String(), n.Target(0, false).String(), "", n.Target(2, false).String()}
		routes, err := p.MultiTraceroute(t.Context(), targets, nil)
		if err != nil || len(routes) != len(targets) {
			t.Fatalf("%d routes, %v", len(routes), err)
		}
		for i, r := range routes {
			switch {
			case r.Name != targets[i]:
				t.Errorf("route %d is to %q, not to %q", i, r.Name, targets[i])
			case i == 1 || i == 5:
				if !errors.Is(r.Err, ErrNameLookup) || r.Reached || r.Hops != nil {
					t.Errorf("%q: %v, %v", r.Name, r.Err, r.Hops)
				}
			default:
				checkRoute(t, n, r)
			}
		}
	})
}

func TestATargetThatCannotBeSentToFailsNobodyElse(t *testing.T) {
	n := small()
	inTree(t, n, nil, func(t *testing.T, p *Prober) {
		opts := &MultiTracerouteOptions{}
		opts.Packet.Source = netip.MustParseAddr("192.0.2.1")
		routes, err := p.MultiTraceroute(t.Context(), []string{n.Target(0, false).String(), n.Target(0, true).String(), n.Target(0, true).String(), n.Target(1, false).String()}, opts)
		if err != nil {
			t.Fatal(err)
		}
		checkRoute(t, n, routes[0])
		checkRoute(t, n, routes[3])
		for _, r := range routes[1:3] {
			if _, ok := errors.AsType[*ConfigError](r.Err); !ok || r.Hops != nil {
				t.Errorf("%v, %v", r.Err, r.Hops)
			}
		}
	})
}

func TestRoutesAreYieldedAsTheyComplete(t *testing.T) {
	t.Parallel()
	n := small()
	inTree(t, n, nil, func(t *testing.T, p *Prober) {
		var drawn atomic.Int64
		routes := int64(0)
		targets := func(yield func(string) bool) {
			for i := range 5000 {
				drawn.Add(1)
				if !yield(n.Target(i%1500, false).String()) {
					return
				}
			}
		}
		for r, err := range p.MultiTracerouteSeq(t.Context(), targets, &MultiTracerouteOptions{Count: 1, MaxHops: 4, Parallel: 50, HopRate: -1}) {
			if err != nil {
				t.Fatal(err)
			}
			checkRoute(t, n, r)
			// In flight, drawn ahead, and on their way from there.
			if routes++; drawn.Load()-routes > 50+3*1024 {
				t.Fatalf("%d targets are drawn where %d routes are complete", drawn.Load(), routes)
			}
		}
		if routes != 5000 {
			t.Errorf("%d routes", routes)
		}
	})
}

func TestAConsumerThatIsSlowLosesNothing(t *testing.T) {
	n := small()
	inTree(t, n, nil, func(t *testing.T, p *Prober) {
		routes := 0
		for r, err := range p.MultiTracerouteSeq(t.Context(), slices.Values(targetsOf(n, 100)), nil) {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second) // longer than any timeout
			checkRoute(t, n, r)
			for i := range r.Hops {
				if h := &r.Hops[i]; h.PacketsReceived != 2 || h.MaxRTT() > time.Second {
					t.Fatalf("hop %d on the way to %s: %v", i+1, r.Name, &h.Stats)
				}
			}
			routes++
		}
		if routes != 100 {
			t.Errorf("%d routes", routes)
		}
	})
}

func TestLeavingTheLoopEndsTheTraces(t *testing.T) {
	n := small()
	inTree(t, n, nil, func(t *testing.T, p *Prober) {
		start, routes := time.Now(), 0
		for range p.MultiTracerouteSeq(t.Context(), slices.Values(targetsOf(n, 1000)), nil) {
			if routes++; routes == 3 {
				break
			}
		}
		if routes != 3 || time.Since(start) > 3*time.Second {
			t.Errorf("%d routes in %v", routes, time.Since(start))
		}
	})
}

func TestTheEndOfTheContextLeavesEveryTargetItsRoute(t *testing.T) {
	n := small()
	inTree(t, n, nil, func(t *testing.T, p *Prober) {
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		targets := targetsOf(n, 2000)
		routes, err := p.MultiTraceroute(ctx, targets, &MultiTracerouteOptions{Parallel: 300})
		if !errors.Is(err, cause) || len(routes) != len(targets) {
			t.Fatalf("%d routes, %v", len(routes), err)
		}
		whole, partial, none := 0, 0, 0
		for i, r := range routes {
			switch {
			case r == nil || r.Name != targets[i]:
				t.Fatalf("route %d is %v", i, r)
			case r.Reached:
				checkRoute(t, n, r)
				whole++
			case r.Err == nil:
				partial++
				for i := range r.Hops {
					checkInvariants(t, &r.Hops[i].Stats)
				}
			case errors.Is(r.Err, cause) && r.Hops == nil:
				none++
			default:
				t.Errorf("%s: %v, %v", r.Name, r.Err, r.Hops)
			}
		}
		if whole == 0 || partial == 0 || none == 0 {
			t.Errorf("%d are whole, %d are not, %d were not begun", whole, partial, none)
		}
	})
}

func TestProgressOfManyTracesAddsUp(t *testing.T) {
	n := small()
	inTree(t, n, nil, func(t *testing.T, p *Prober) {
		var last Progress
		opts := &MultiTracerouteOptions{Progress: func(g Progress) { last = g }}
		if _, err := p.MultiTraceroute(t.Context(), append(targetsOf(n, 20), "no..name"), opts); err != nil {
			t.Fatal(err)
		}
		if last.Targets != 21 || last.Completed != 21 || last.Alive != 20 || last.PacketsReceived < 20*4*2 || last.PacketsSent < last.PacketsReceived {
			t.Errorf("%+v", last)
		}
	})
}

func TestMultiTracerouteRefusesWhatCannotBe(t *testing.T) {
	p, err := NewProber(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for field, opts := range map[string]*MultiTracerouteOptions{
		"Parallel": {Parallel: -1},
		"Count":    {Count: -1},
		"MaxHops":  {MaxHops: 256},
		"TTL":      {Packet: Packet{TTL: 5}},
	} {
		routes, err := p.MultiTraceroute(t.Context(), []string{"127.0.0.1"}, opts)
		if refused, ok := errors.AsType[*ConfigError](err); !ok || refused.Field != field || routes != nil {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := p.MultiTraceroute(t.Context(), nil, &MultiTracerouteOptions{Parallel: 1<<16 + 1}); err == nil {
		t.Error("more traces than there are places are allowed")
	}
}

// Traces of other calls, whose answers have no marks either, and the traces of
// this one take turns.
func TestTracesWithoutMarksShareATargetWithOthers(t *testing.T) {
	n := &netsim.Tree{Levels: []int{1, 2, 4}, Words: func(int) string { return "delay=5ms quote=8" }, Last: "delay=5ms"}
	inTree(t, n, nil, func(t *testing.T, p *Prober) {
		opts := TracerouteOptions{Timeout: 200 * time.Millisecond, Packet: Packet{Protocol: UDP, Payload: []byte("of the caller's own")}}
		many := MultiTracerouteOptions{}
		many.setTrace(&opts)
		results := make(chan string, 3)
		single := func() {
			r, err := p.Traceroute(t.Context(), n.Target(1, false).String(), &opts)
			results <- fmt.Sprint(err, " ", r.End)
		}
		go single()
		go single()
		go func() {
			defer func() { results <- "<nil> reached" }()
			for r, err := range p.MultiTracerouteSeq(t.Context(), slices.Values(targetsOf(n, 4)), &many) {
				if err != nil {
					t.Error(err)
					return
				}
				checkRoute(t, n, r)
			}
		}()
		for range 3 {
			if got := <-results; got != "<nil> reached" {
				t.Error(got)
			}
		}
	})
}

// setTrace sets the options that a MultiTraceroute shares with a Traceroute.
func (o *MultiTracerouteOptions) setTrace(t *TracerouteOptions) {
	o.FirstHop, o.MaxHops, o.Count, o.Interval, o.Timeout = t.FirstHop, t.MaxHops, t.Count, t.Interval, t.Timeout
	o.Fast, o.GapLimit, o.Family, o.Packet = t.Fast, t.GapLimit, t.Family, t.Packet
}
