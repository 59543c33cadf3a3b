package icmplib

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The numbers of the paper, which other implementations print as a table.
func TestTheStoppingRuleIsThatOfThePaper(t *testing.T) {
	cases := []struct {
		failure float64
		want    []int
	}{
		{0.05, []int{6, 11, 16, 21, 27, 33, 38, 44, 51, 57}},
		{0.01, []int{8, 15, 21, 28, 36, 43, 51, 58, 66, 74}},
	}
	for _, tc := range cases {
		got := stoppingRule(tc.failure, 100)
		if len(got) < len(tc.want) || !slices.Equal(got[:len(tc.want)], tc.want) {
			t.Errorf("at %v: %v, want %v", tc.failure, got, tc.want)
		}
	}
}

// Balls thrown into bins until the rule says stop: how often a bin stays empty.
func TestTheStoppingRuleFailsAsOftenAsItMay(t *testing.T) {
	const rounds = 20000
	rule, random := multipathRule(), rand.New(rand.NewPCG(1, 2))
	for _, width := range []int{2, 3, 4, 8, 16} {
		failed := 0
		for range rounds {
			found := map[int]bool{}
			for n := 0; n == 0 || n < rule[len(found)-1]; n++ {
				found[random.IntN(width)] = true
			}
			if len(found) < width {
				failed++
			}
		}
		// The standard deviation of 20,000 rounds is 0.0015 here.
		if rate := float64(failed) / rounds; rate > multipathFailure+0.005 || rate < 0.015 {
			t.Errorf("of %d next hops some are missed in %.4f of the cases", width, rate)
		}
	}
}
