package watch

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// watchOf hands answers to a Hop, a letter for each: who answers it. It
// returns the ordinals, from 1, of the answers with which a change was certain.
func watchOf(answers string) (w Hop, changes []int) {
	for i, who := range answers {
		if _, changed := w.Answer(watchAnswer(int(who-'a'), i)); changed {
			changes = append(changes, i+1)
		}
	}
	return w, changes
}

func watchAnswer(who, ordinal int) Answer {
	return Answer{Responder: netip.AddrFrom4([4]byte{10, 0, 0, byte(who)}), Round: ordinal + 1, Ordinal: ordinal}
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

// The last answers decide whether the path ends here: T is the target, a to z are
// routers.
func TestWhereThePathEnds(t *testing.T) {
	for answers, want := range map[string]bool{"": false, "T": true, "a": false, "aT": false, "aTT": false, "aTTT": true, "aTTaT": false, "TTTa": false} {
		var w Hop
		for i, who := range answers {
			a := watchAnswer(int(who), i)
			a.Target = who == 'T'
			w.Answer(a)
		}
		if got := w.IsEnd(); got != want {
			t.Errorf("%q ends the path: %v, want %v", answers, got, want)
		}
		if w.Vacate(); w.IsEnd() || w.Target() != nil {
			t.Errorf("%q: the target is still there after Vacate", answers)
		}
	}
}

func TestWhoIsAMember(t *testing.T) {
	for answers, want := range map[string]string{
		"ab":                     "ab",
		"abaaaaaaaaaaaaaaaaaaa":  "ab", // b answered once, 19 absences ago
		"abaaaaaaaaaaaaaaaaaaaa": "a",  // 20: it only strayed
		"abcdefgh":               "abcdefgh",
		"abcdefghi":              "bcdefghi", // a is absent longest
	} {
		w, _ := watchOf(answers)
		got := ""
		for _, m := range w.members {
			got += string('a' + rune(m.Address.As4()[3]))
		}
		if got != want {
			t.Errorf("%s: members %s, want %s", answers, got, want)
		}
	}
}

func TestWhoStandsForTheHop(t *testing.T) {
	for answers, want := range map[string]byte{"a": 0, "abababababbb": 0, "aaaaaabbbbbb": 1, "aaaaaabbbbbcbbbcccccc": 2} {
		w, _ := watchOf(answers)
		if got := w.Main(); got == nil || got.Address.As4()[3] != want {
			t.Errorf("%s: %+v stands for the hop, want %d", answers, got, want)
		}
	}
}

// An answer to an earlier probe is no sign that the member is absent.
func TestWhenAnAnswerIsOutOfOrder(t *testing.T) {
	var w Hop
	w.Answer(watchAnswer(0, 5))
	w.Answer(watchAnswer(1, 2))
	if m := w.Main(); m.Absent != 0 {
		t.Errorf("absent for %v answers", m.Absent)
	}
}

// How many absences end what was always so, or at times.
func TestWhenAnAbsenceIsTheEnd(t *testing.T) {
	for _, tc := range []struct{ yes, no, absences int }{
		{6, 0, 20}, {1000, 0, 3}, {50, 50, 54},
	} {
		var r Ratio
		for i := range tc.yes + tc.no {
			r.Add(float64(min(1, (i+1)*tc.yes/(tc.yes+tc.no)-i*tc.yes/(tc.yes+tc.no))))
		}
		got := 0
		for ; !r.IsGone() && got < 1e6; got++ {
			r.Absent++
		}
		if got != tc.absences {
			t.Errorf("%d of %d: gone after %d absences, want %d", tc.yes, tc.yes+tc.no, got, tc.absences)
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
		var w Hop
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
			if c, changed := w.Answer(watchAnswer(who, i)); changed {
				t.Errorf("shares %v: %+v in round %d", shares, c, i)
			}
		}
	}
}
