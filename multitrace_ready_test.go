package icmplib

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

// drain takes all probes out at one time.
func drain(r *readyProbes, now time.Time) (order []int) {
	for {
		t, hop, ok := r.pop(now)
		if !ok {
			return order
		}
		order = append(order, int(t.place)*100+hop)
	}
}

func TestTheSeedDecidesTheOrder(t *testing.T) {
	order := func(seed uint64) []int {
		r := newReadyProbes(0, seed)
		for place := range uint32(50) {
			for hop := range 8 {
				r.push(traceRef{place: place}, hop)
			}
		}
		return drain(&r, time.Unix(0, 0))
	}
	first := order(1)
	if len(first) != 400 || len(slices.Compact(slices.Sorted(slices.Values(first)))) != 400 {
		t.Fatalf("%d probes come out", len(first))
	}
	if !slices.Equal(first, order(1)) || slices.Equal(first, order(2)) || slices.IsSorted(first) {
		t.Error("the order is not that of the seed")
	}
}

// A distance has the rate of a router while one router answers there, and more
// when several do: then the busiest of them has that rate.
func TestADistanceMayHaveWhatItsBusiestRouterMayHave(t *testing.T) {
	for _, tt := range []struct {
		name    string
		routers []int // of which each answers so many in a round
		pause   time.Duration
	}{
		{"nobody has answered", nil, 10 * time.Millisecond},
		{"one router", []int{1}, 10 * time.Millisecond},
		{"two alike", []int{1, 1}, 5 * time.Millisecond},
		{"one of three with half of it", []int{2, 1, 1}, 5 * time.Millisecond},
		{"sixteen", slices.Repeat([]int{1}, 16), 625 * time.Microsecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newHopGate(10 * time.Millisecond)
			for range 4 * hopMemory {
				for i, n := range tt.routers {
					for range n {
						g.heard(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
					}
				}
			}
			if g.pause != tt.pause {
				t.Errorf("the pause is %v, want %v", g.pause, tt.pause)
			}
		})
	}
}

// What a gate lets through in a second is its rate, at whatever times it is
// asked, and a pause is made up for a little only.
func TestAGateKeepsItsRate(t *testing.T) {
	for _, step := range []time.Duration{time.Microsecond, time.Millisecond, 7 * time.Millisecond} {
		g, start, n := newHopGate(2*time.Millisecond), time.Unix(0, 0), 0
		for at := time.Hour; at < time.Hour+time.Second; at += step {
			for now := start.Add(at); g.open(now); n++ {
				g.take(now)
			}
		}
		if most := 500 + int(hopBurst/(2*time.Millisecond)) + 1; n > most || n < 495 {
			t.Errorf("asked every %v it lets %d packets through", step, n)
		}
	}
}

func TestTimersComeInTheirOrder(t *testing.T) {
	var timers traceTimers
	start := time.Unix(0, 0)
	for i := range 1000 {
		timers.push(traceTimer{at: start.Add(time.Duration(i * 7919 % 1000)), index: i})
	}
	for i := range 1000 {
		if _, ok := timers.pop(start.Add(time.Duration(i - 1))); ok {
			t.Fatalf("timer %d comes too early", i)
		}
		if timer, ok := timers.pop(start.Add(time.Duration(i))); !ok || !timer.at.Equal(start.Add(time.Duration(i))) {
			t.Fatalf("timer %d is that of %v", i, timer.at)
		}
	}
}

func TestATagNamesItsProbe(t *testing.T) {
	for _, want := range []traceRef{{0, 0}, {1<<tracePlaceBits - 1, 1<<traceGenerationBits - 1}, {12345, 678}} {
		for _, probe := range [][2]int{{0, 0}, {254, 2 * maxTracerouteCount}, {29, 1}} {
			if r, hop, seq := splitTraceTag(want.tag(probe[0], probe[1])); r != want || hop != probe[0] || seq != probe[1] {
				t.Errorf("%v %v became %v %d %d", want, probe, r, hop, seq)
			}
		}
	}
}
