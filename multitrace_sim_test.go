package icmplib

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// inTree runs a test in virtual time, with a Prober in a tree. What the network
// did is told to seen, unless that is nil.
func inTree(t *testing.T, n *netsim.Tree, seen func(*netsim.Record), f func(t *testing.T, p *Prober)) {
	synctest.Test(t, func(t *testing.T) {
		network := netsim.MustParse(n.String())
		network.Quiet(seen == nil)
		network.Trace(seen)
		p := simProber(t, network, true)
		defer p.Close()
		f(t, p)
	})
}

// Each hop of each of very many routes is the one that is there, whatever the
// network loses and keeps silent about.
func TestManyRoutesAtOnceAreTheTruth(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		words  func(int) string
		last   string
		silent []int
		pairs  int // of targets: one of each family
		opts   MultiTracerouteOptions
	}{
		{"one that answers suffices", atLevel(-1, ""), "delay=2ms", nil, 750, MultiTracerouteOptions{Count: 3, Fast: true}},
		{"two probes to each hop", atLevel(-1, ""), "delay=2ms", nil, 100, MultiTracerouteOptions{}},
		{"no pause between the probes", atLevel(-1, ""), "delay=2ms", nil, 50, MultiTracerouteOptions{Count: 3, Interval: -1}},
		{"a level is silent", atLevel(3, "silent"), "delay=2ms", []int{3}, 100, MultiTracerouteOptions{}},
		{"answers are lost", atLevel(5, "back-lose@10%"), "delay=2ms", nil, 100, MultiTracerouteOptions{Count: 8, Fast: true}},
		{"long round trips", atLevel(2, "delay=400ms"), "delay=2ms", nil, 100, MultiTracerouteOptions{Count: 1}},
		{"UDP", atLevel(-1, ""), "delay=2ms", nil, 50, MultiTracerouteOptions{Packet: Packet{Protocol: UDP}}},
		{"TCP", atLevel(-1, ""), "delay=2ms tcp=80", nil, 50, MultiTracerouteOptions{Packet: Packet{Protocol: TCP}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &netsim.Tree{Levels: broad, Words: tt.words, Last: tt.last}
			inTree(t, n, nil, func(t *testing.T, p *Prober) {
				var targets []string
				for i := range tt.pairs {
					targets = append(targets, n.Target(i, false).String(), n.Target(i, true).String())
				}
				tt.opts.Parallel = 3 * tt.pairs / 2
				routes, err := p.MultiTraceroute(t.Context(), targets, &tt.opts)
				if err != nil {
					t.Fatal(err)
				}
				for i, r := range routes {
					if r.Name != targets[i] {
						t.Fatalf("route %d is to %s, not to %s", i, r.Name, targets[i])
					}
					checkRoute(t, n, r, tt.silent...)
				}
			})
		})
	}
}

// Routers near us bound their errors. Where those are a little more than the
// rate for a router, none is missed; with no rate at all, very many are.
func TestNoSilenceIsMadeWhereRoutersLimitTheirErrors(t *testing.T) {
	t.Parallel()
	const hopRate, limiter = 50, "rate=65 burst=30"
	for _, tt := range []struct {
		level, rate int
		whole       bool
	}{{0, hopRate, true}, {2, hopRate, true}, {4, hopRate, true}, {0, -1, false}, {2, -1, false}} {
		t.Run(fmt.Sprintf("level %d, rates %d", tt.level, tt.rate), func(t *testing.T) {
			n := &netsim.Tree{Levels: broad, Words: atLevel(tt.level, limiter), Last: "delay=2ms"}
			inTree(t, n, nil, func(t *testing.T, p *Prober) {
				routes, err := p.MultiTraceroute(t.Context(), targetsOf(n, 300), &MultiTracerouteOptions{
					Timeout: time.Second, Rate: 20 * tt.rate, HopRate: tt.rate,
				})
				if err != nil {
					t.Fatal(err)
				}
				silent := 0
				for _, r := range routes {
					silent += r.Hops[tt.level].Silent
				}
				if tt.whole && silent > 0 || !tt.whole && silent < 100 {
					t.Errorf("%d probes are silent", silent)
				}
			})
		})
	}
}

// No router is sent more than HopRate allows, but for what chance makes of it
// where several routers share a distance, and the whole keeps to Rate.
func TestTheRateAtARouterIsKept(t *testing.T) {
	t.Parallel()
	const rate, hopRate = 2000, 100
	n := &netsim.Tree{Levels: broad, Words: atLevel(-1, ""), Last: "delay=2ms"}
	type second struct {
		node string
		at   int64
	}
	expired, sent := map[second]int{}, map[int64]int{}
	var start time.Time
	seen := func(r *netsim.Record) {
		if start.IsZero() {
			start = r.Time
		}
		at := int64(r.Time.Sub(start) / time.Second)
		sent[at]++
		if last := r.Events[len(r.Events)-1]; r.TTL <= uint8(len(broad)) {
			expired[second{last.Node, at}]++
		}
	}
	inTree(t, n, seen, func(t *testing.T, p *Prober) {
		if _, err := p.MultiTraceroute(t.Context(), targetsOf(n, 300), &MultiTracerouteOptions{Rate: rate, HopRate: hopRate, Seed: 3}); err != nil {
			t.Fatal(err)
		}
	})
	most := 0
	for s, packets := range expired {
		most = max(most, packets)
		if packets > hopRate*3/2 {
			t.Errorf("%s is sent %d packets in second %d", s.node, packets, s.at)
		}
	}
	if most < hopRate*4/5 {
		t.Errorf("no router is sent more than %d packets in a second: what is left?", most)
	}
	for at, packets := range sent {
		if packets > rate*101/100 {
			t.Errorf("%d packets leave in second %d", packets, at)
		}
	}
}

// Packets that follow one another go to different hosts and different distances.
func TestTheOrderOfManyTracesIsRandom(t *testing.T) {
	t.Parallel()
	const targets, compared = 200, 1000
	n := &netsim.Tree{Levels: broad, Words: atLevel(-1, ""), Last: "delay=2ms"}
	var log []*netsim.Record
	inTree(t, n, func(r *netsim.Record) { log = append(log, &netsim.Record{Destination: r.Destination, TTL: r.TTL}) }, func(t *testing.T, p *Prober) {
		if _, err := p.MultiTraceroute(t.Context(), targetsOf(n, targets), &MultiTracerouteOptions{HopRate: -1}); err != nil {
			t.Fatal(err)
		}
	})
	sameTarget, sameTTL, next := 0, 0, 0
	for i := 1; i < compared; i++ {
		if log[i].Destination == log[i-1].Destination {
			sameTarget++
		}
		switch log[i].TTL {
		case log[i-1].TTL:
			sameTTL++
		case log[i-1].TTL + 1:
			next++
		}
	}
	// Chance makes 5, and 125 of 8 distances.
	if sameTarget > 25 || sameTTL > 250 || next > 250 {
		t.Errorf("of %d neighbours %d go to the same target, %d to the same distance, %d to the one behind it", compared, sameTarget, sameTTL, next)
	}
}

// What a trace takes while it is in flight, with what the network keeps of its
// packets.
func TestTheMemoryOfATraceInFlight(t *testing.T) {
	const parallel, most = 500, 32 << 10
	n := &netsim.Tree{Levels: broad, Words: atLevel(-1, ""), Last: "delay=2ms"}
	inTree(t, n, nil, func(t *testing.T, p *Prober) {
		opts := &MultiTracerouteOptions{Parallel: parallel}
		if _, err := p.MultiTraceroute(t.Context(), targetsOf(n, 1), opts); err != nil {
			t.Fatal(err)
		}
		targets := targetsOf(n, 2*parallel)
		before, routes := heap(), 0
		for _, err := range p.MultiTracerouteSeq(t.Context(), slices.Values(targets), opts) {
			if err != nil {
				t.Fatal(err)
			}
			if routes++; routes < parallel/2 {
				continue
			}
			if each := (heap() - before) / parallel; each > most {
				t.Errorf("a trace in flight takes %d bytes, more than %d", each, most)
			} else {
				t.Logf("a trace in flight takes %d bytes", each)
			}
			break
		}
	})
}

// heap returns the bytes in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
