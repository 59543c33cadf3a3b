package plan

import (
	"net/netip"
	"testing"
)

func TestWhatAnAnswerMeansForThePath(t *testing.T) {
	somebody := netip.MustParseAddr("10.0.0.1")
	for _, tt := range []struct {
		name   string
		o      Observation
		means  Answers
		answer bool
	}{
		{"a reply", Observation{Kind: Reply, Responder: somebody}, Arrives, true},
		{"the target's own refusal", Observation{Kind: Unreachable, FromTarget: true, Responder: somebody}, Arrives, true},
		{"time exceeded", Observation{Kind: TimeExceeded, Responder: somebody}, Passes, true},
		{"a refusal", Observation{Kind: Unreachable, Responder: somebody}, Refuses, true},
		{"a closed port", Observation{Kind: Refused, Responder: somebody}, Closes, true},
		{"too big", Observation{Kind: TooBig, Responder: somebody}, Refuses, true},
		{"silence", Observation{Kind: Silent}, Refuses, false},
		{"advice", Observation{Kind: Advice, Responder: somebody}, Refuses, false},
		{"an unclear answer", Observation{Kind: Unclear, Responder: somebody}, Refuses, false},
		{"a refusal of this system", Observation{Kind: TooBig}, Refuses, false},
	} {
		if got := tt.o.Answer(); got != tt.means {
			t.Errorf("%s means %d, want %d", tt.name, got, tt.means)
		}
		if got := tt.o.IsAnswer(); got != tt.answer {
			t.Errorf("%s is an answer: %v", tt.name, got)
		}
	}
}

func TestWhichAnswersEndAPath(t *testing.T) {
	for _, tt := range []struct {
		rule    int
		answers Answers
		want    End
	}{
		{1, Arrives, EndReached}, {1, Arrives | Refuses, EndReached}, {1, Arrives | Passes | Refuses, EndReached},
		{2, Refuses, EndUnreachable}, {2, Refuses | Passes, EndUnknown},
		{2, Refuses | Closes, EndUnreachable},
		{3, Closes, EndRefused}, {3, Closes | Passes, EndUnknown}, {3, Closes | Arrives, EndReached},
		{4, Passes, EndUnknown}, {4, 0, EndUnknown},
	} {
		if got := tt.answers.End(); got != tt.want {
			t.Errorf("rule %d: answers %b end with %d, want %d", tt.rule, tt.answers, got, tt.want)
		}
	}
}

// Letters are routers; the first hop that closes a loop counts from 0.
func TestWhatALoopIs(t *testing.T) {
	for path, want := range map[string]int{
		"abcd": -1, "aa": -1, "aaa": 2, "abab": 3, "abcabc": 5, "xabab": 4, "abcab": -1, "aab": -1, "abba": -1, "xaabaab": 6, "xyaaa": 4,
	} {
		got := -1
		for i := range path {
			if ClosesLoop(i, func(i, j int) bool { return path[i] == path[j] }) {
				got = i
				break
			}
		}
		if got != want {
			t.Errorf("%s: the loop closes at %d, want %d", path, got, want)
		}
	}
}
