package plan

import (
	"net/netip"
	"testing"
	"time"
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

func TestTheWindowOpensWithTimeAndAnswers(t *testing.T) {
	start := time.Unix(0, 0)
	w := NewWindow(start, 50*time.Millisecond)
	if w.Hops != Ahead || w.Grow(start.Add(49*time.Millisecond)) || w.Hops != Ahead {
		t.Errorf("%+v at the beginning", w)
	}
	if at := start.Add(50 * time.Millisecond); !w.Grow(at) || w.Hops != 2*Ahead || !w.Grows.Equal(at.Add(50*time.Millisecond)) {
		t.Errorf("%+v after 50 ms", w)
	}
	if w.Answered(3); w.Hops != 2*Ahead {
		t.Errorf("%d hops: an answer from a near hop closes it", w.Hops)
	}
	if w.Answered(10); w.Hops != 11+Ahead {
		t.Errorf("%d hops after an answer of hop 10", w.Hops)
	}
	if w := NewWindow(start, 0); !w.Grows.Equal(start.Add(leastGrowth)) {
		t.Errorf("without an interval it grows after %v", w.Grows.Sub(start))
	}
}

func TestTheHoldoffLastsUntilNoOtherAnswerCanCome(t *testing.T) {
	start, second := time.Unix(100, 0), time.Second
	for _, tt := range []struct {
		name string
		o    Observation
		want time.Duration // after the sending
	}{
		{"silence", Observation{Kind: Silent, Sent: start}, 4 * second},
		{"an answer", Observation{Kind: Reply, Sent: start, RTT: second, Responder: netip.MustParseAddr("10.0.0.1")}, second + 50*time.Millisecond},
		{"nothing that was sent", Observation{Kind: Unreachable, Sent: start, RTT: second}, 0},
	} {
		h := Holdoff{Forgotten: 4 * second, Repeated: 50 * time.Millisecond, Until: start}
		if h.Note(&tt.o); !h.Until.Equal(start.Add(tt.want)) {
			t.Errorf("after %s it lasts %v, want %v", tt.name, h.Until.Sub(start), tt.want)
		}
	}
	h := Holdoff{Until: start}
	if h.Extend(start.Add(-second)); !h.Until.Equal(start) {
		t.Error("the holdoff was made shorter")
	}
	for _, tt := range []struct {
		inFlight int
		at, wake time.Time
		wait     bool
	}{
		{1, start.Add(second), time.Time{}, true}, {0, start.Add(-second), start, true}, {0, start, start, false},
	} {
		if wake, wait := h.Hold(tt.inFlight, tt.at); wait != tt.wait || !wake.Equal(tt.wake) {
			t.Errorf("with %d in flight at %v: %v, %v", tt.inFlight, tt.at, wake, wait)
		}
	}
}
