package drive

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

func TestATagNamesTheTaskAndTheProbe(t *testing.T) {
	for _, want := range []Ref{{}, {maxSlots - 1, 1<<generationBits - 1}, {12345, 678}} {
		for _, k := range []plan.Key{0, plan.MakeKey(254, 2000), plan.MakeKey(255, 1<<24-1)} {
			if r, key := splitTag(makeTag(want, k)); r != want || key != k {
				t.Errorf("%v %v became %v %v", want, k, r, key)
			}
		}
	}
}

// idle is a task that does nothing.
type idle struct{ Task }

func TestAReferenceFindsItsTaskAndNoLaterOne(t *testing.T) {
	var s slots
	first := s.add(slot{task: idle{}})
	second := s.add(slot{task: idle{}})
	if first == second || s.len() != 2 || s.find(first) != &s.all[0] || s.find(second) != &s.all[1] {
		t.Fatalf("%v, %v", first, second)
	}
	s.remove(first)
	third := s.add(slot{task: idle{}})
	if s.find(first) != nil || third.place == first.place || s.find(third) == nil || s.len() != 2 {
		t.Errorf("%v stands for %v", third, first)
	}
	for s.remove(third); ; s.remove(third) { // until places are used again
		if third = s.add(slot{task: idle{}}); third.place == first.place {
			break
		}
	}
	if len(s.all) != freshPlaces || s.find(first) != nil || s.find(third) == nil {
		t.Errorf("%v stands for %v behind %d places", third, first, len(s.all))
	}
	if third.generation != 1 {
		t.Errorf("the second task of a place is generation %d", third.generation)
	}
	if s.find(Ref{place: uint32(len(s.all))}) != nil || s.find(Ref{place: 9999}) != nil {
		t.Error("there is a task where no place is")
	}
}

// Generations fit into a tag: the last one is followed by the first.
func TestGenerationsComeRound(t *testing.T) {
	for from, want := range map[uint16]uint16{0: 1, 1: 2, 1<<generationBits - 1: 0} {
		s := slots{all: []slot{{task: idle{}, generation: from}}}
		s.remove(Ref{0, from})
		if got := s.all[0].generation; got != want {
			t.Errorf("%d is followed by %d, want %d", from, got, want)
		}
	}
}

func TestTimersComeInTheirOrder(t *testing.T) {
	for name, at := range map[string]func(i int) int{
		"in order":    func(i int) int { return i },
		"in disorder": func(i int) int { return i * 7919 % 1000 },
		"backwards":   func(i int) int { return 999 - i },
		"in pairs":    func(i int) int { return i ^ 1 },
	} {
		t.Run(name, func(t *testing.T) {
			var h timers
			for i := range 1000 {
				h.push(timer{at: time.Duration(at(i))})
			}
			for i := range time.Duration(1000) {
				if got, _ := h.first(); got != i {
					t.Fatalf("the first is at %d, want %d", got, i)
				}
				if _, ok := h.pop(i - 1); ok {
					t.Fatalf("timer %d comes too early", i)
				}
				if got, ok := h.pop(i); !ok || got.at != i {
					t.Fatalf("timer %d is that of %v", i, got.at)
				}
			}
			if _, ok := h.first(); ok {
				t.Error("there is another one")
			}
		})
	}
}

func TestARingKeepsItsOrder(t *testing.T) {
	var r ring[int]
	next := 0
	for i := range 10_000 {
		r.push(i)
		if i%3 == 2 {
			continue
		}
		if got := r.pop(); got != next {
			t.Fatalf("%d comes, want %d", got, next)
		}
		next++
	}
	if r.len() != 10_000-next || *r.first() != next || *r.last() != 9_999 {
		t.Errorf("%d are left, from %d to %d", r.len(), *r.first(), *r.last())
	}
}

// A ring takes no more memory than what is in it needs, and a short one is moved rarely.
func TestARingStaysShort(t *testing.T) {
	for _, tt := range []struct{ holds, most int }{{10, 1034}, {1000, 2024}, {5000, 10_000}} {
		var r ring[int]
		longest := 0
		for i := range tt.holds + 50_000 {
			r.push(i)
			if longest = max(longest, len(r.items)); i < tt.holds {
				continue
			}
			if got := r.pop(); got != i-tt.holds {
				t.Fatalf("%d comes, want %d", got, i-tt.holds)
			}
		}
		if longest != tt.most {
			t.Errorf("with %d in it, it has room for %d, want %d", tt.holds, longest, tt.most)
		}
	}
}

// Requests that have a time to keep leave before fresh ones.
func TestWhoHasBegunLeavesFirst(t *testing.T) {
	var r ready
	for i := range uint32(6) {
		r.push(waiting{Ref: Ref{place: i}}, i%2 == 1)
	}
	var order []uint32
	for {
		w, ok := r.pop(time.Time{})
		if !ok {
			break
		}
		order = append(order, w.place)
	}
	if !slices.Equal(order, []uint32{1, 3, 5, 0, 2, 4}) || r.len != 0 {
		t.Errorf("the order is %v", order)
	}
}

// drain takes all probes out at one time.
func drain(r *ready, now time.Time) (order []int) {
	for {
		w, ok := r.pop(now)
		if !ok {
			return order
		}
		order = append(order, int(w.place)*100+w.probe.TTL)
	}
}

func TestTheSeedDecidesTheOrder(t *testing.T) {
	order := func(seed uint64) []int {
		r := ready{routers: newRouters(&Routers{Seed: seed})}
		for place := range uint32(50) {
			for hop := range 8 {
				r.push(waiting{Ref: Ref{place: place}, probe: plan.Probe{TTL: 1 + hop}}, false)
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
			g := newGate(10 * time.Millisecond)
			for range 4 * gateMemory {
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

// A gate learns from every 32nd answer, of the last 256.
func TestAGateLearns(t *testing.T) {
	g := newGate(10 * time.Millisecond)
	for i, tt := range []struct {
		router byte
		n      int
		pause  time.Duration
	}{
		{1, 16, 10 * time.Millisecond}, {2, 15, 10 * time.Millisecond}, {2, 1, 5 * time.Millisecond},
		{1, 31, 5 * time.Millisecond}, {1, 1, 7500 * time.Microsecond}, {2, 64 + 32, 7 * time.Millisecond}, {1, 256, 10 * time.Millisecond},
	} {
		for range tt.n {
			g.heard(netip.AddrFrom4([4]byte{10, 0, 0, tt.router}))
		}
		if g.pause != tt.pause {
			t.Errorf("step %d: the pause is %v, want %v", i, g.pause, tt.pause)
		}
	}
}

// Routers that wait are looked at every 2 ms at the most.
func TestGatesAreLookedAtTogether(t *testing.T) {
	now := time.Unix(100, 0)
	for _, tt := range []struct {
		name  string
		gates []time.Duration // when each lets the next probe leave, from now
		at    time.Duration
		ok    bool
	}{
		{"nothing waits", nil, 0, false},
		{"one may leave", []time.Duration{-ms}, -ms, true},
		{"one may leave now", []time.Duration{0}, 0, true},
		{"soon", []time.Duration{ms}, 2 * ms, true},
		{"later", []time.Duration{5 * ms, 3 * ms, 4 * ms}, 3 * ms, true},
	} {
		r := newRouters(&Routers{Rate: 100})
		r.hop(7) // where no probe ends
		for i, at := range tt.gates {
			h := r.hop(i + 1)
			h.probes, h.gate.next = []waiting{{}}, now.Add(at)
		}
		at, ok := r.next(now)
		if ok != tt.ok || ok && !at.Equal(now.Add(tt.at)) {
			t.Errorf("%s: %v, %v", tt.name, at.Sub(now), ok)
		}
	}
}

// What a gate lets through in a second is its rate, at whatever times it is
// asked, and a pause is made up for a little only.
func TestAGateKeepsItsRate(t *testing.T) {
	for _, step := range []time.Duration{time.Microsecond, time.Millisecond, 7 * time.Millisecond} {
		g, start, n := newGate(2*time.Millisecond), time.Unix(0, 0), 0
		for at := time.Hour; at < time.Hour+time.Second; at += step {
			for now := start.Add(at); g.open(now); n++ {
				g.take(now)
			}
		}
		if most := 500 + int(gateBurst/(2*time.Millisecond)) + 1; n > most || n < 495 {
			t.Errorf("asked every %v it lets %d packets through", step, n)
		}
	}
}

// A lock goes from one to the next in their order, with the time until which answers
// may come, and who stops to wait is passed over.
func TestALockGoesToTheNext(t *testing.T) {
	var l Locks
	key := lockKey{dst: netip.MustParseAddr("192.0.2.1")}
	freed := make([]chan struct{}, 3)
	claims := make([]*claim, 3)
	for i := range claims {
		freed[i] = make(chan struct{}, 1)
		claims[i] = l.claim(key, freed[i])
	}
	other := l.claim(lockKey{dst: netip.MustParseAddr("192.0.2.2")}, nil)
	for i, want := range []bool{true, false, false} {
		if _, has := claims[i].holds(); has != want {
			t.Errorf("claim %d is held: %v", i, has)
		}
	}
	if _, has := other.holds(); !has {
		t.Error("the lock of another target is not free")
	}
	claims[1].release(time.Unix(99, 0))
	holdoff := time.Unix(5, 0)
	claims[0].release(holdoff)
	if len(freed[1]) != 0 || len(freed[2]) != 1 {
		t.Error("it is not the last one that is told")
	}
	if until, has := claims[2].holds(); !has || !until.Equal(holdoff) {
		t.Errorf("held %v, until %v", has, until)
	}
	claims[2].release(time.Unix(7, 0))
	if until, _ := l.claim(key, nil).holds(); !until.IsZero() {
		t.Errorf("a lock that nobody wanted is held off until %v", until)
	}
}
