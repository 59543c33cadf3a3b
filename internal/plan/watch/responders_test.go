package watch

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// answersOf hands answers to a hop, a letter for each: who answers. T is the target. It
// returns the ordinals, from 1, of the answers with which a change was certain.
func answersOf(answers string) (s responders, changes []int) {
	for i, who := range answers {
		if _, changed := s.take(answerOf(byte(who), i)); changed {
			changes = append(changes, i+1)
		}
	}
	return s, changes
}

func answerOf(who byte, ordinal int) answer {
	return answer{from: netip.AddrFrom4([4]byte{10, 0, 0, who}), target: who == 'T', at: time.Unix(int64(ordinal), 0), round: ordinal + 1, ordinal: ordinal}
}

func repeat(answers string, n int) (all string) {
	for range n {
		all += answers
	}
	return all
}

func TestWhenAChangeIsCertain(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		answers string
		want    []int
	}{
		{"3: steady", "aaaaaabbbbbb", []int{12}},
		{"3: the new one is not, yet", "aaaaaabbbbb", nil},
		{"3: the old one was not", "aaaaabbbbbb", nil},
		{"3: a stray answer between", "aaaaaaaabcccccc", []int{15}},
		{"3: back again", "aaaaaabbbbbbaaaaaa", []int{12, 18}},
		{"3: not in a row", "aaaaaabbbabbb", nil},
		{"3: b only strayed by then", "ababaaaaaacccccc", []int{16}},
		{"1: they share the load", "abababaabbaaaaaabbbbbb", nil},
		{"1: established ones answered thrice", "aaaaaabbabbabcccccc", nil},
		{"2: a and b are gone", repeat("ab", 50) + repeat("c", 60), []int{100 + 52}},
		{"2: always there", repeat("a", 100) + "bbbbb", []int{104}},
		{"4: of two newcomers", repeat("a", 30) + "bcbcb", []int{35}},
		{"9: the router answers as the target does", "aaaaaa" + "aaaaaa", nil},
	} {
		if _, got := answersOf(tt.answers); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("rule %s: changes with answers %v, want %v", tt.rule, got, tt.want)
		}
	}
}

// Rule 4: the change tells of the one that answered last among those that have gone,
// and of the newcomer that answered most, with its first answer.
func TestWhatAChangeTells(t *testing.T) {
	for answers, want := range map[string]string{
		"aaaaaabbbbbb":                     "a>b@7",
		repeat("a", 100) + "bcbb":          "a>b@101",
		repeat("a", 100) + "cbbb":          "a>b@102",
		repeat("ab", 50) + repeat("c", 60): "a>c@101",
		repeat("ba", 50) + repeat("c", 60): "b>c@101",
	} {
		var s responders
		got := ""
		for i, who := range answers {
			if c, changed := s.take(answerOf(byte(who), i)); changed && got == "" {
				got = fmt.Sprintf("%s>%s@%d", nameOf(c.from), nameOf(c.to), c.round)
				if c.first.Unix() != int64(c.round-1) {
					t.Errorf("%s: first at %v", answers, c.first)
				}
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", answers, got, want)
		}
	}
}

// Rule 1.
func TestWhoIsEstablished(t *testing.T) {
	for answers, want := range map[string]string{
		"a": "a", "ababab": "a", "abababa": "ab", "abbbaa": "a", "abbbaaa": "ab", "abaaabb": "a", "abaaabba": "ab",
		"abababacbcbc": "ab", "abababacbcbcb": "abc",
	} {
		s, _ := answersOf(answers)
		got := ""
		for _, r := range s.all {
			if r.established {
				got += nameOf(r.address)
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", answers, got, want)
		}
	}
}

// Rule 4: of several that have gone the change tells of the one that answered last.
func TestWhichOfThoseThatHaveGone(t *testing.T) {
	for _, order := range []string{"ab", "ba"} {
		var s responders
		for i := range order {
			s.all = append(s.all, responder{address: addressOf(order[i]), established: true, last: int(order[i]), ratio: ratio{1000, 1000, 2}})
		}
		if c, changed := s.take(answerOf('c', 2000)); !changed || c.from != addressOf('b') {
			t.Errorf("%s: %+v", order, c)
		}
	}
}

// Rule 4: all that are left are established, and share the load from then on.
func TestAfterAChangeTheNewOnesAreEstablished(t *testing.T) {
	s, changes := answersOf(repeat("a", 100) + "bcbcbcbcbc")
	if len(changes) != 1 || !s.changed {
		t.Fatalf("changes %v", changes)
	}
	for _, r := range s.all {
		if !r.established || r.address == addressOf('a') {
			t.Errorf("%+v", r)
		}
	}
}

// Rule 9.
func TestARouterThatAnswersAsTheTarget(t *testing.T) {
	var s responders
	for i := range 20 {
		a := answerOf('a', i)
		a.target = i >= 10
		if c, changed := s.take(a); changed {
			t.Errorf("answer %d: %+v", i+1, c)
		}
	}
	if s.hasRouter() || !s.isEnd() || len(s.all) != 1 {
		t.Errorf("%+v", s)
	}
}

// Rule 7.
func TestWhereThePathEnds(t *testing.T) {
	for answers, want := range map[string]bool{"": false, "T": true, "a": false, "aT": false, "aTT": false, "aTTT": true, "aTTaT": false, "TTTa": false} {
		s, _ := answersOf(answers)
		if got := s.isEnd(); got != want {
			t.Errorf("%q ends the path: %v, want %v", answers, got, want)
		}
		if s.vacate(); s.isEnd() || s.target() != nil {
			t.Errorf("%q: the target is still there after it left", answers)
		}
	}
	s, _ := answersOf("TaTaTaTa")
	if s.vacate(); s.first().address != addressOf('a') {
		t.Errorf("%v stands for the hop that the target left", s.first())
	}
}

// Rule 5.
func TestWhoIsKept(t *testing.T) {
	for answers, want := range map[string]string{
		"ab":                                  "ab",
		"abaaaaaaaaaaaaaaaaaaa":               "ab", // b answered once, 19 absences ago
		"abaaaaaaaaaaaaaaaaaaaa":              "a",  // 20: it only strayed
		"abcdefgh":                            "abcdefgh",
		"abcdefghi":                           "bcdefghi", // a is absent longest
		"abcdefgha" + "i":                     "acdefghi",
		repeat("ab", 4) + repeat("a", 40):     "ab",
		repeat("ab", 30) + repeat("a", 70):    "a", // b has gone, without a successor
		"a" + repeat("b", 5) + repeat("a", 3): "ab",
		repeat("ab", 3) + repeat("c", 19*7):   "",
	} {
		s, _ := answersOf(answers)
		got := ""
		for _, r := range s.all {
			got += nameOf(r.address)
		}
		if want != "" && got != want {
			t.Errorf("%s: %s are kept, want %s", answers, got, want)
		}
	}
}

// Rule 5: of those that are absent equally long the first goes.
func TestWhoMakesRoom(t *testing.T) {
	var s responders
	for i, who := range "abcdefgh" {
		s.all = append(s.all, responder{address: addressOf(byte(who)), last: 100, ratio: ratio{100, 100, float64(2 * (i % 2))}})
	}
	s.find(answerOf('i', 101))
	got := ""
	for _, r := range s.all {
		got += nameOf(r.address)
	}
	if got != "acdefghi" {
		t.Errorf("%s are kept", got)
	}
}

// Rule 4: a newcomer that is absent thrice is none any more, of two that answered equally
// often the first counts.
func TestTheBoundsOfPresence(t *testing.T) {
	gone := responder{address: addressOf('a'), established: true, last: 1, ratio: ratio{1000, 1000, 10}}
	for absent, want := range map[float64]bool{1: true, 2: false} { // one more by the answer of c
		newcomer := responder{address: addressOf('b'), last: 5, ratio: ratio{9, 9, absent}}
		s := responders{all: []responder{gone, newcomer, {address: addressOf('c'), last: 9, ratio: ratio{9, 9, 0}}}}
		s.all[2].count-- // the answer makes it equal
		if c, _ := s.take(answerOf('c', 10)); (c.to == addressOf('b')) != want {
			t.Errorf("absent for %v: %v follows", absent+1, c.to)
		}
	}
}

// Rules 4, 5 and 6, where the first of all is a newcomer, nobody is left, or two are alike.
func TestWhoFollowsAndWhoIsForgotten(t *testing.T) {
	gone := responder{address: addressOf('a'), established: true, last: 1, ratio: ratio{1000, 1000, 10}}
	newcomer := func(who byte, count float64) responder {
		return responder{address: addressOf(who), last: 9, ratio: ratio{count, count, 0}}
	}
	s := responders{all: []responder{newcomer('b', 9), gone, newcomer('c', 5)}}
	if c, changed := s.replace(); !changed || c.to != addressOf('b') {
		t.Errorf("%+v follows", c)
	}
	for absent, want := range map[float64]string{0: "b", 2: "b", 3: "ab"} {
		other := responder{address: addressOf('b'), established: true, last: 9, ratio: ratio{9, 9, absent}}
		s := responders{all: []responder{gone, other}}
		s.forget()
		got := ""
		for _, r := range s.all {
			got += nameOf(r.address)
		}
		if got != want {
			t.Errorf("with another that is absent for %v: %s are kept, want %s", absent, got, want)
		}
	}
	s = responders{all: []responder{newcomer('b', 5), newcomer('c', 5)}}
	s.all[0].established, s.all[1].established = true, true
	if s.choose(); s.main != addressOf('b') {
		t.Errorf("%v is chosen", s.main)
	}
}

// Rule 6.
func TestWhoStandsForTheHop(t *testing.T) {
	for answers, want := range map[string]byte{
		"a": 'a', "abababababbb": 'a', "aaaaaabbbbbb": 'b', "aaaaaabbbbbcbbbcccccc": 'c',
		repeat("abc", 30) + repeat("bcc", 60): 'c', // a has gone; c answers most
	} {
		s, _ := answersOf(answers)
		if got := s.first(); got == nil || got.address != addressOf(want) {
			t.Errorf("%s: %+v stands for the hop, want %c", answers, got, want)
		}
	}
	var nobody responders
	if nobody.first() != nil || nobody.target() != nil || nobody.isKnown() || nobody.hasRouter() {
		t.Error("somebody stands for a hop that nobody answers at")
	}
}

// Rule 8.
func TestWhenAnAnswerIsOutOfOrder(t *testing.T) {
	var s responders
	s.take(answerOf('a', 5))
	s.take(answerOf('b', 2))
	if r := s.first(); r.absent != 0 || r.last != 5 {
		t.Errorf("absent for %v answers, the last was %d", r.absent, r.last)
	}
	s.take(answerOf('b', 6))
	if r := s.first(); r.absent != 1 {
		t.Errorf("absent for %v answers", r.absent)
	}
	s.take(answerOf('a', 4))
	if r := s.first(); r.absent != 1 || r.last != 5 || r.count != 2 {
		t.Errorf("an earlier answer ends the absence: %+v", r)
	}
}

// Rules 1 and 2 of ratio: how many absences end what was always so, or at times.
func TestWhenAnAbsenceIsTheEnd(t *testing.T) {
	for _, tt := range []struct{ yes, no, absences int }{
		{6, 0, 20}, {30, 0, 5}, {100, 0, 4}, {500, 0, 3}, {1000, 0, 3}, {50, 50, 54}, {500, 500, 42}, {1, 99, 100000}, {99, 1, 9},
	} {
		var r ratio
		for i := range tt.yes + tt.no {
			r.add(float64(min(1, (i+1)*tt.yes/(tt.yes+tt.no)-i*tt.yes/(tt.yes+tt.no))))
		}
		got := 0
		for ; !r.isGone() && got < 1e5; got++ {
			r.absent++
		}
		if got != tt.absences {
			t.Errorf("%d of %d: gone after %d absences, want %d", tt.yes, tt.yes+tt.no, got, tt.absences)
		}
	}
}

// Rule 3 of ratio.
func TestWhatWasLongAgoIsForgotten(t *testing.T) {
	var r ratio
	for range 1024 {
		r.add(1)
	}
	if r.count != 1024 || r.span != 1024 {
		t.Errorf("%+v", r)
	}
	if r.add(0); r.count != 512 || r.span != 512.5 {
		t.Errorf("%+v", r)
	}
}

func TestLikelihood(t *testing.T) {
	for _, tt := range []struct{ k, n, want float64 }{
		{0, 5, 0}, {5, 5, 0}, {0, 0, 0}, {6, 5, 0}, {1, 2, -1.3862943611198906}, {1, 4, -2.249340578475233},
	} {
		if got := likelihood(tt.k, tt.n); !(got-tt.want <= 1e-12 && tt.want-got <= 1e-12) { // nor is it NaN
			t.Errorf("%v of %v: %v, want %v", tt.k, tt.n, got, tt.want)
		}
	}
}

// Rounds each second, of hops that share their load at random in all proportions: no
// change is ever seen. The week is for those in which chance has the best prospects; a
// day does for the others.
func TestNoChangeWhereLoadIsShared(t *testing.T) {
	for seed, tt := range []struct {
		days   int
		shares []float64
	}{
		{7, []float64{1, 1}}, {1, []float64{2, 1}}, {7, []float64{9, 1}}, {1, []float64{49, 1}}, {1, []float64{199, 1}},
		{1, []float64{1, 1, 1}}, {1, []float64{6, 2, 1}}, {1, []float64{1, 1, 1, 1, 1, 1, 1, 1}},
		{1, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}, {1, []float64{100, 1, 1, 1}},
	} {
		t.Run(fmt.Sprint(tt.shares), func(t *testing.T) {
			t.Parallel()
			var s responders
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			total := 0.0
			for _, share := range tt.shares {
				total += share
			}
			for i := range tt.days * 24 * 3600 {
				who, at := 0, r.Float64()*total
				for ; at >= tt.shares[who]; who++ {
					at -= tt.shares[who]
				}
				if c, changed := s.take(answerOf(byte('a'+who), i)); changed {
					t.Errorf("%+v in round %d", c, i)
				}
			}
		})
	}
}
