package icmplib

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// watchOf hands answers to a hopWatch, a letter for each: who answers it. It
// returns the ordinals, from 1, of the answers with which a change was certain.
func watchOf(answers string) (w hopWatch, changes []int) {
	for i, who := range answers {
		if _, changed := w.answer(watchAnswer(int(who-'a'), i)); changed {
			changes = append(changes, i+1)
		}
	}
	return w, changes
}

func watchAnswer(who, ordinal int) (*Result, monitorTag, bool) {
	return &Result{Responder: netip.AddrFrom4([4]byte{10, 0, 0, byte(who)})}, monitorTag{round: ordinal + 1, ordinal: ordinal}, false
}

func TestWhenANewRouterIsCertain(t *testing.T) {
	for answers, want := range map[string][]int{
		"aaaaaabbbbbb":           {12},
		"aaaaaabbbbb":            nil,
		"aaaaabbbbbb":            nil, // not steady for long enough
		"aaaaaaaabcccccc":        {15},
		"aaaaaabbbbbbaaaaaa":     {12, 18},
		"aaaaaabbbabbb":          nil,  // not each time
		"ababaaaaaacccccc":       {16}, // b has only strayed by then
		"abababaabbaaaaaabbbbbb": nil,  // they take turns
		"abababaaaaaacccccc":     nil,  // so do these
	} {
		if _, got := watchOf(answers); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: changes %v, want %v", answers, got, want)
		}
	}
}

// A week of a round each second, of hops that share their load at random in all
// proportions: no change is ever seen.
func TestNoChangeInAWeekOfSharing(t *testing.T) {
	t.Parallel()
	for seed, shares := range [][]float64{
		{1, 1}, {2, 1}, {9, 1}, {49, 1}, {199, 1}, {1, 1, 1}, {6, 2, 1}, {1, 1, 1, 1, 1, 1, 1, 1},
		{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {100, 1, 1, 1},
	} {
		var w hopWatch
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		total := 0.0
		for _, s := range shares {
			total += s
		}
		for i := range 7 * 24 * 3600 {
			who, at := 0, r.Float64()*total
			for ; at >= shares[who]; who++ {
				at -= shares[who]
			}
			if c, changed := w.answer(watchAnswer(who, i)); changed {
				t.Errorf("shares %v: %+v in round %d", shares, c, i)
			}
		}
	}
}
