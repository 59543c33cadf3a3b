package live

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
)

var (
	somewhere = netip.MustParseAddr("192.0.2.1")
	sent      = time.Unix(1, 0)
)

func TestMarks(t *testing.T) {
	for _, tt := range []struct {
		name string
		r    icmplib.Result
		want mark
	}{
		{"the target's answer", icmplib.Result{Sent: sent, Status: icmplib.StatusReply, Responder: somewhere, RTT: 5}, mark{markAnswered, 5}},
		{"one of which the system does not say whose it is", icmplib.Result{Sent: sent, Status: icmplib.StatusReply, RTT: 5}, mark{markAnswered, 5}},
		{"a router's", icmplib.Result{Sent: sent, Status: icmplib.StatusTTLExpired, Responder: somewhere, RTT: 5}, mark{markAnswered, 5}},
		{"that of one that refuses", icmplib.Result{Sent: sent, Status: icmplib.StatusUnreachable, Responder: somewhere, RTT: 5}, mark{markAnswered, 5}},
		{"an error of this system's own", icmplib.Result{Sent: sent, Status: icmplib.StatusUnreachable}, mark{kind: markLost}},
		{"silence", icmplib.Result{Sent: sent, Status: icmplib.StatusNoReply}, mark{kind: markLost}},
		{"a late answer", icmplib.Result{Sent: sent, Status: icmplib.StatusReply, Responder: somewhere, RTT: 5, Late: true}, mark{kind: markLate}},
		{"an answer to one of several packets", icmplib.Result{Sent: sent, Status: icmplib.StatusReply, Responder: somewhere, RTT: 5, Retransmitted: true}, mark{kind: markUntimed}},
		{"what was not sent", icmplib.Result{Status: icmplib.StatusPermissionDenied}, mark{kind: markUnsent}},
		{"a further answer", icmplib.Result{Sent: sent, Status: icmplib.StatusReply, Responder: somewhere, RTT: 5, Duplicate: true}, mark{}},
		{"a redirect", icmplib.Result{Sent: sent, Status: icmplib.StatusRedirect, Responder: somewhere}, mark{}},
		{"an unknown fate", icmplib.Result{Sent: sent, Status: icmplib.StatusUnsettled}, mark{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := markOf(&tt.r); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// drawn notes what happens to the probes of some rounds, and returns the tail.
func drawn(trail *trail, upTo, count int) string {
	m := New(inASCII)
	return m.graph(trail.tail(upTo, count), scale{0, 7})
}

func TestATrailHasEachProbeInItsPlace(t *testing.T) {
	answer := func(round int, rtt time.Duration) *icmplib.Result {
		return &icmplib.Result{Sent: sent, Seq: round - 1, Status: icmplib.StatusReply, Responder: somewhere, RTT: rtt}
	}
	silence := func(round int) *icmplib.Result {
		return &icmplib.Result{Sent: sent, Seq: round - 1, Status: icmplib.StatusNoReply}
	}
	late := answer(3, 6)
	late.Late = true

	var tr trail
	for _, step := range []struct {
		r     *icmplib.Result
		round int
		want  string
	}{
		{answer(1, 0), 1, "     _"},
		{answer(2, 6), 2, "    _#"},
		{answer(4, 3), 4, "  _# ="}, // that of round 3 is not known yet
		{silence(3), 4, "  _#x="},
		{late, 5, " _#l= "},
		{silence(5), 5, " _#l=x"},
		{answer(9, 6), 9, "=x   #"},
	} {
		tr.note(step.r)
		if got := drawn(&tr, step.round, 6); got != step.want {
			t.Errorf("after that of round %d it is %q, want %q", step.r.Seq+1, got, step.want)
		}
	}
}

func TestATrailKeepsTheLastRoundsOnly(t *testing.T) {
	var tr trail
	const rounds = 3 * maxTrail
	for round := 1; round <= rounds; round++ {
		r := icmplib.Result{Sent: sent, Seq: round - 1, Status: icmplib.StatusNoReply}
		tr.note(&r)
	}
	far := icmplib.Result{Sent: sent, Seq: 0, Status: icmplib.StatusReply, Responder: somewhere}
	tr.note(&far) // which is too old
	if len(tr.marks) != maxTrail || drawn(&tr, rounds, maxTrail) != strings.Repeat("x", maxTrail) {
		t.Errorf("there are %d marks: %q", len(tr.marks), drawn(&tr, rounds, maxTrail))
	}
	tr.reach(10 * rounds)
	if got := drawn(&tr, 10*rounds, maxTrail); len(tr.marks) != maxTrail || strings.Contains(got, "x") {
		t.Errorf("after a long silence there are %d marks: %q", len(tr.marks), got)
	}
}

func TestScales(t *testing.T) {
	ms := time.Millisecond
	marks := []mark{{markAnswered, 20 * ms}, {kind: markLost}, {markAnswered, 24 * ms}}
	for _, tt := range []struct {
		name string
		got  scale
		want scale
	}{
		{"of one hop, not narrower than a quarter of its best", scale{}.include(marks).own(), scale{20 * ms, 25 * ms}},
		{"of all, from 0", scale{}.include(marks).common(), scale{0, 24 * ms}},
		{"of nothing", scale{}.include(marks[1:2]).own(), scale{0, ms}},
		{"of one that varies", scale{20 * ms, 20 * ms}.include([]mark{{markAnswered, 80 * ms}}).own(), scale{20 * ms, 80 * ms}},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	for _, tt := range []struct {
		rtt  time.Duration
		want int
	}{{0, 0}, {20 * ms, 0}, {50 * ms, 3}, {79 * ms, 6}, {80 * ms, 6}, {200 * ms, 6}} {
		if got := (scale{20 * ms, 80 * ms}).level(tt.rtt, 7); got != tt.want {
			t.Errorf("%v is at %d, want %d", tt.rtt, got, tt.want)
		}
	}
}
