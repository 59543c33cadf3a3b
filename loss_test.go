package icmplib

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/netsim"
)

const lossNodes = `
client 192.0.2.1
node a 10.0.1.1 delay=2ms
node b 10.0.2.1 delay=2ms
node limited 10.0.3.1 delay=2ms rate=2 burst=5
node slowly  10.0.3.2 delay=2ms rate=0.3 burst=2
node lossy   10.0.4.1 delay=2ms lose@10%
node back    10.0.4.2 delay=2ms back-lose@10%
node shy     10.0.4.3 delay=2ms answer-lose@40%
node both    10.0.4.4 delay=2ms rate=2 burst=5 lose@10%
node mute    10.0.4.5 delay=2ms silent
node t       10.0.9.9 delay=2ms
`

// lossCases are paths, and the verdicts that are allowed on each hop and on the
// way. An empty one: it does not matter.
var lossCases = []struct {
	path  string
	hops  []string
	whole string
	from  int
}{
	{"a b t", []string{"none", "none", "none"}, "none", 0},
	{"a limited t", []string{"none", "rate-limited", "none"}, "none", 0},
	{"a slowly t", []string{"none", "rate-limited", "none"}, "none", 0},
	{"a lossy t", []string{"none", "loss", "loss"}, "loss", 2},
	{"a back t", []string{"none", "loss", "loss"}, "loss", 2},
	{"a shy t", []string{"none", "unclear", "none"}, "none", 0},
	{"a both t", []string{"none", "rate-limited", "loss"}, "loss", 3},
	{"a limited lossy t", []string{"none", "rate-limited", "loss", "loss"}, "loss", 3},
	{"a mute lossy t", []string{"none", "unclear", "loss", "loss"}, "loss", 3},
}

// The verdicts over several seeds. What is drawn by lot may leave a loss unclear,
// in one case out of some hundred; a limit is never called a loss.
func TestExplainLoss(t *testing.T) {
	t.Parallel()
	const seeds = 4
	wrong, unclear := 0, 0
	for _, tc := range lossCases {
		for seed := range seeds {
			synctest.Test(t, func(t *testing.T) {
				n := netsim.MustParse(fmt.Sprintf("seed %d\n%spath 10.0.9.0/24 %s", seed+1, lossNodes, tc.path))
				n.Quiet(true)
				p := simProber(t, n, true)
				defer p.Close()
				report, err := p.ExplainLoss(t.Context(), "10.0.9.9", nil)
				if err != nil || len(report.Hops) != len(tc.hops) {
					t.Fatalf("%s: %+v, %v", tc.path, report, err)
				}
				for i, want := range tc.hops {
					got := report.Hops[i].Verdict
					switch {
					case got.String() == want:
					case want == "loss" && got == LossUnclear:
						unclear++
					default:
						t.Errorf("%s, seed %d: hop %d is %v, want %s: %+v", tc.path, seed+1, i+1, got, want, report.Hops[i])
					}
				}
				if got := report.Verdict.String(); got != tc.whole || report.From != tc.from {
					wrong++
					t.Logf("%s, seed %d: the way is %s from %d, want %s from %d", tc.path, seed+1, got, report.From, tc.whole, tc.from)
				}
			})
		}
	}
	if wrong > 2 || unclear > 2 {
		t.Errorf("%d of the ways and %d of the hops are not recognised", wrong, unclear)
	}
}

// A token bucket, of any rate and size, is never taken for loss by what is seen of
// it alone: over thousands of them, asked as ExplainLoss asks.
func TestALimitIsNeverCalledLoss(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	seen := map[LossVerdict]int{}
	for range 5000 {
		rate := math.Exp(draw.Float64()*8 - 4) // 0.02 to 55 a second
		burst := 1 + math.Floor(math.Exp(draw.Float64()*6))
		tokens := draw.Float64() * burst
		slow, fast := LossShare{Interval: time.Second}, LossShare{Interval: 50 * time.Millisecond}
		ask := func(s *LossShare, count int) {
			for range count {
				tokens = min(burst, tokens+rate*s.Interval.Seconds()*(0.9+0.2*draw.Float64()))
				if s.PacketsSent++; tokens >= 1 {
					tokens--
					s.PacketsAnswered++
				}
			}
		}
		ask(&slow, 60)
		ask(&fast, 200)
		verdict := judgeLoss(&slow, &fast)
		if seen[verdict]++; verdict == LossFound {
			t.Errorf("rate %.3f, burst %.0f: %d/%d and %d/%d are called loss", rate, burst,
				slow.PacketsAnswered, slow.PacketsSent, fast.PacketsAnswered, fast.PacketsSent)
		}
	}
	if seen[LossLimited] < 1500 {
		t.Errorf("not many limits are recognised: %v", seen)
	}
}

// Loss that does not depend on the rate is recognised, and never called a limit.
func TestLossIsRecognised(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 4))
	for _, part := range []float64{0.1, 0.3, 0.5, 0.8} {
		const tries = 1000
		seen := map[LossVerdict]int{}
		for range tries {
			slow, fast := LossShare{Interval: time.Second}, LossShare{Interval: 50 * time.Millisecond}
			slow.PacketsSent, fast.PacketsSent = 60, 200
			for _, s := range []*LossShare{&slow, &fast} {
				for range s.PacketsSent {
					if draw.Float64() >= part {
						s.PacketsAnswered++
					}
				}
			}
			seen[judgeLoss(&slow, &fast)]++
		}
		if seen[LossFound] < tries*95/100 || seen[LossLimited] > tries/500 || seen[LossNone] > 0 {
			t.Errorf("of losses of %v, %v", part, seen)
		}
	}
}

func TestLossOptionsAreChecked(t *testing.T) {
	p, err := NewProber(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for field, opts := range map[string]*ExplainLossOptions{
		"SlowCount":    {SlowCount: 5},
		"FastCount":    {FastCount: -1},
		"FastInterval": {SlowInterval: 100e6, FastInterval: 50e6},
		"SlowInterval": {SlowInterval: -1, FastInterval: 0},
		"MaxHops":      {FirstHop: 5, MaxHops: 4},
		"Timeout":      {Timeout: -1},
	} {
		_, err := p.ExplainLoss(t.Context(), "127.0.0.1", opts)
		var bad *ConfigError
		if !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: %v", field, err)
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
		low, high := wilson(tc.k, tc.n, z95)
		if math.Abs(low-tc.low) > 5e-4 || math.Abs(high-tc.high) > 5e-4 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", tc.k, tc.n, low, high, tc.low, tc.high)
		}
	}
}
