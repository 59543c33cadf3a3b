package loss

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const (
	second = time.Second
	often  = 50 * time.Millisecond // the fast interval
)

// hop returns a hop that answered so many of so many probes, once a second and 20
// times a second.
func hop(slowAnswered, slowSent, fastAnswered, fastSent int) Hop {
	return Hop{Slow: Share{slowSent, slowAnswered, second}, Fast: Share{fastSent, fastAnswered, often}}
}

func with(h Hop, change func(*Hop)) Hop {
	change(&h)
	return h
}

// The rules on a hop's own answers, on both sides of what each of them decides.
func TestOwnAnswers(t *testing.T) {
	fastEvery := func(interval time.Duration) func(*Hop) { return func(h *Hop) { h.Fast.Interval = interval } }
	for _, tc := range []struct {
		name string
		hop  Hop
		want Verdict
	}{
		{"rule 1: 10 probes at each rate are enough", hop(10, 10, 10, 10), None},
		{"rule 1: 9 at the slow rate are too few", hop(9, 9, 10, 10), Unclear},
		{"rule 1: 9 at the fast rate are too few", hop(10, 10, 9, 9), Unclear},
		{"rule 1: silent at the slow rate", hop(0, 60, 150, 200), Unclear},
		{"rule 1: a single slow answer counts", hop(1, 60, 150, 200), Found},
		{"rule 1: another responder", with(hop(60, 60, 20, 200), func(h *Hop) { h.Changed = true }), Unclear},
		{"rule 2: all answered", hop(60, 60, 200, 200), None},
		{"rule 2: whatever the rates", with(hop(60, 60, 200, 200), fastEvery(second)), None},
		{"rule 2: one is lost slowly", hop(59, 60, 200, 200), Unclear},
		{"rule 2: one is lost fast", hop(60, 60, 199, 200), Unclear},
		{"rule 3: 4 times as fast, less an eighth", with(hop(60, 60, 20, 200), fastEvery(281250*time.Microsecond)), Limited},
		{"rule 3: slower than that", with(hop(60, 60, 20, 200), fastEvery(281251*time.Microsecond)), Unclear},
		{"rule 4: the intervals do not overlap", hop(60, 60, 152, 200), Limited},
		{"rule 4: they do, barely", hop(60, 60, 153, 200), Unclear},
		{"rule 4: with losses at both rates", hop(50, 60, 80, 200), Limited},
		{"rule 4: a greater share is no limit", hop(30, 60, 190, 200), Found},
		{"rule 5: 4 losses are too few", hop(57, 60, 199, 200), Unclear},
		{"rule 5: 5 are enough", hop(56, 60, 199, 200), Found},
		{"rule 6: lost at the fast rate alone", hop(60, 60, 180, 200), Unclear},
		{"rule 6: and one slowly", hop(59, 60, 180, 200), Found},
		{"rule 7: an empty bucket serves a twentieth", hop(2, 60, 1, 200), Unclear},
		{"rule 7: perhaps not more than twice that", hop(12, 60, 11, 200), Unclear},
		{"rule 7: certainly more than twice that", hop(12, 60, 12, 200), Found},
		{"rule 8: the same share", hop(54, 60, 180, 200), Found},
	} {
		if got := tc.hop.own(); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// The rules on the path to each hop, and on the whole.
func TestPath(t *testing.T) {
	var (
		good    = hop(60, 60, 200, 200)
		lossy   = hop(54, 60, 180, 200)
		limited = hop(40, 60, 20, 200)
		mute    = hop(0, 60, 0, 200)
		shy     = hop(36, 60, 120, 200) // answers 6 of 10
		cold    = hop(60, 60, 20, 200)  // limited, but not at the slow rate
		few     = hop(9, 9, 0, 0)
	)
	type verdicts = []Verdict
	for _, tc := range []struct {
		name      string
		hops      []Hop
		reached   bool
		own, path verdicts
		whole     Verdict
		from      int
	}{
		{"rule 9: a hop behind speaks for all in front", []Hop{mute, shy, good}, true,
			verdicts{Unclear, Unclear, None}, verdicts{None, None, None}, None, -1},
		{"rule 9: the slow rate suffices", []Hop{mute, cold}, true,
			verdicts{Unclear, Limited}, verdicts{None, None}, None, -1},
		{"rule 9: not for those behind", []Hop{good, mute}, true,
			verdicts{None, Unclear}, verdicts{None, Unclear}, Unclear, -1},
		{"rule 9: too few slow probes say nothing", []Hop{few}, true,
			verdicts{Unclear}, verdicts{Unclear}, Unclear, -1},
		{"rule 9: 10 are enough, whatever the fast rate", []Hop{mute, hop(10, 10, 0, 0)}, true,
			verdicts{Unclear, Unclear}, verdicts{None, None}, None, -1},
		{"rule 10: a limit says nothing", []Hop{limited, lossy}, true,
			verdicts{Limited, Found}, verdicts{Unclear, Found}, Found, 1},
		{"rule 10: nor at the target", []Hop{good, limited}, true,
			verdicts{None, Limited}, verdicts{None, Unclear}, Unclear, -1},
		{"rule 10: loss is loss on the path", []Hop{good, lossy, lossy}, true,
			verdicts{None, Found, Found}, verdicts{None, Found, Found}, Found, 1},
		{"rules 11 and 12: a hop behind does better", []Hop{shy, lossy}, true,
			verdicts{Unclear, Found}, verdicts{Unclear, Found}, Found, 1},
		{"rule 11: not if it does so by chance", []Hop{hop(53, 60, 175, 200), lossy}, true,
			verdicts{Found, Found}, verdicts{Found, Found}, Found, 0},
		{"rule 11: at the fast rate alone", []Hop{shy, hop(50, 60, 190, 200)}, true,
			verdicts{Unclear, Found}, verdicts{Unclear, Found}, Found, 1},
		{"rule 11: at the slow rate alone", []Hop{shy, hop(59, 60, 0, 1)}, true,
			verdicts{Unclear, Unclear}, verdicts{Unclear, Unclear}, Unclear, -1},
		{"rule 11: not one in front", []Hop{lossy, shy}, true,
			verdicts{Found, Found}, verdicts{Found, Found}, Found, 0},
		{"rule 13: not reached", []Hop{good, lossy}, false,
			verdicts{None, Found}, verdicts{None, Found}, Unclear, -1},
		{"rule 13: no hops", nil, true, nil, nil, Unclear, -1},
		{"rule 14: beyond a hop without loss", []Hop{lossy, good, mute, lossy, mute, lossy}, true,
			verdicts{Unclear, None, Unclear, Found, Unclear, Found}, verdicts{None, None, Unclear, Found, Unclear, Found}, Found, 3},
		{"rule 14: an unclear target has no beginning of loss", []Hop{good, lossy, mute}, true,
			verdicts{None, Found, Unclear}, verdicts{None, Found, Unclear}, Unclear, -1},
	} {
		whole, from := Judge(tc.hops, tc.reached)
		var own, path verdicts
		for _, h := range tc.hops {
			own, path = append(own, h.Verdict), append(path, h.Path)
		}
		if whole != tc.whole || from != tc.from || !slices.Equal(own, tc.own) || !slices.Equal(path, tc.path) {
			t.Errorf("%s: own %v, path %v, whole %v from %d; want %v, %v, %v from %d",
				tc.name, own, path, whole, from, tc.own, tc.path, tc.whole, tc.from)
		}
	}
}

// A token bucket, of any rate and size, is never taken for loss by what is seen of
// it alone: over thousands of them, asked as ExplainLoss asks.
func TestALimitIsNeverCalledLoss(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	seen := map[Verdict]int{}
	for range 5000 {
		rate := math.Exp(draw.Float64()*8 - 4) // 0.02 to 55 a second
		burst := 1 + math.Floor(math.Exp(draw.Float64()*6))
		tokens := draw.Float64() * burst
		h := hop(0, 0, 0, 0)
		ask := func(s *Share, count int) {
			for range count {
				tokens = min(burst, tokens+rate*s.Interval.Seconds()*(0.9+0.2*draw.Float64()))
				if s.Sent++; tokens >= 1 {
					tokens--
					s.Answered++
				}
			}
		}
		ask(&h.Slow, 60)
		ask(&h.Fast, 200)
		verdict := h.own()
		if seen[verdict]++; verdict == Found {
			t.Errorf("rate %.3f, burst %.0f: %+v is called loss", rate, burst, h)
		}
	}
	if seen[Limited] < 1500 {
		t.Errorf("not many limits are recognised: %v", seen)
	}
}

// Loss that does not depend on the rate is recognised, and never called a limit.
func TestLossIsRecognised(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 4))
	for _, part := range []float64{0.1, 0.3, 0.5, 0.8} {
		const tries = 1000
		seen := map[Verdict]int{}
		for range tries {
			h := hop(0, 60, 0, 200)
			for _, s := range []*Share{&h.Slow, &h.Fast} {
				for range s.Sent {
					if draw.Float64() >= part {
						s.Answered++
					}
				}
			}
			seen[h.own()]++
		}
		if seen[Found] < tries*95/100 || seen[Limited] > tries/500 || seen[None] > 0 {
			t.Errorf("of losses of %v, %v", part, seen)
		}
	}
}

// The values are those of the closed form, as tables have them.
func TestWilson(t *testing.T) {
	for _, tc := range []struct {
		k, n      int
		low, high float64
	}{
		{0, 10, 0, 0.2775}, {10, 10, 0.7225, 1}, {5, 10, 0.2366, 0.7634}, {1, 100, 0.0018, 0.0545}, {0, 0, 0, 1},
	} {
		low, high := Wilson(tc.k, tc.n)
		if math.Abs(low-tc.low) > 5e-4 || math.Abs(high-tc.high) > 5e-4 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", tc.k, tc.n, low, high, tc.low, tc.high)
		}
	}
}
