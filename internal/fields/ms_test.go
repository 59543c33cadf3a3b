package fields

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// What is written is what the shortest float64 would be, digit for digit.
func TestMillisecondsAreTheShortestNumber(t *testing.T) {
	check := func(d time.Duration) {
		want := strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', -1, 64)
		if got := string(appendMS(nil, d)); got != want {
			t.Errorf("%d ns: %s, want %s", d, got, want)
		}
	}
	for _, d := range []time.Duration{0, 1, 10, 999_999, 1e6, 1_000_001, 1_100_000, 1e15 - 1, 1e15, 1e15 + 1, math.MaxInt64} {
		check(d)
		check(-d)
	}
	check(math.MinInt64)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		check(time.Duration(random.Int64() >> random.IntN(63)))
	}
}
