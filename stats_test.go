package icmplib

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/series"
)

// The results of a probe with the ordinal seq, as an engine would report them.
var (
	testTarget = netip.MustParseAddr("192.0.2.1")
	testRouter = netip.MustParseAddr("198.51.100.7")
	testSent   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

func fate(seq int, status Status) Result {
	return Result{Dst: testTarget, Seq: seq, Status: status, Sent: testSent}
}

func reply(seq int, rtt time.Duration) Result {
	r := fate(seq, StatusReply)
	r.Responder, r.RTT = testTarget, rtt
	return r
}

func routerError(seq int, status Status, rtt time.Duration) Result {
	r := fate(seq, status)
	r.Responder, r.RTT = testRouter, rtt
	return r
}

func with(r Result, change func(*Result)) Result {
	change(&r)
	return r
}

func late(r Result) Result      { return with(r, func(r *Result) { r.Late = true }) }
func duplicate(r Result) Result { return with(r, func(r *Result) { r.Duplicate = true }) }
func altered(r Result) Result   { return with(r, func(r *Result) { r.Status = StatusAltered }) }
func suspect(r Result) Result   { return with(r, func(r *Result) { r.Suspect = true }) }
func unsent(r Result) Result    { return with(r, func(r *Result) { r.Sent = time.Time{} }) }

// books are the counters of a Stats.
type books struct {
	sent, received, silent, icmpErrors, late, unsettled int
	duplicates, altered, advised, sendErrors, suspect   int
}

func booksOf(s *Stats) books {
	return books{
		sent: s.PacketsSent, received: s.PacketsReceived, silent: s.Silent, icmpErrors: s.ICMPErrors,
		late: s.Late, advised: s.Advised, unsettled: s.Unsettled, duplicates: s.Duplicates, altered: s.Altered,
		sendErrors: s.SendErrors, suspect: s.Suspect,
	}
}

func statsOf(results ...Result) *Stats {
	var s Stats
	for _, r := range results {
		s.Add(r)
	}
	return &s
}

const ms = time.Millisecond

func TestStatsCount(t *testing.T) {
	tests := []struct {
		name    string
		results []Result
		want    books
	}{
		{"nothing", nil, books{}},
		{"a reply is received", []Result{reply(0, ms)}, books{sent: 1, received: 1}},
		{"silence is silent", []Result{fate(0, StatusNoReply)}, books{sent: 1, silent: 1}},
		{"silence while our socket lost packets is suspect, too",
			[]Result{suspect(fate(0, StatusNoReply))}, books{sent: 1, silent: 1, suspect: 1}},
		{"a reply is never suspect", []Result{suspect(reply(0, ms))}, books{sent: 1, received: 1}},
		{"an unknown fate is unsettled", []Result{fate(0, StatusUnsettled)}, books{sent: 1, unsettled: 1}},
		{"a router's errors settle their probes",
			[]Result{
				routerError(0, StatusTTLExpired, ms), routerError(1, StatusUnreachable, ms),
				routerError(2, StatusPacketTooBig, ms), routerError(3, StatusParameterProblem, ms),
			},
			books{sent: 4, icmpErrors: 4}},
		{"an error of unknown origin about a packet that was sent counts with them",
			[]Result{fate(0, StatusUnreachable)}, books{sent: 1, icmpErrors: 1}},
		{"redirect, source quench and what advises only inform",
			[]Result{routerError(0, StatusRedirect, ms), routerError(0, StatusSourceQuench, ms), advising(routerError(0, StatusParameterProblem, ms)), reply(0, ms)},
			books{sent: 1, received: 1, advised: 3}},
		{"what the kernel did not take was not sent",
			[]Result{unsent(fate(0, StatusPermissionDenied)), unsent(fate(1, StatusUnreachable))},
			books{sendErrors: 2}},
		{"a duplicate stands beside",
			[]Result{reply(0, ms), duplicate(reply(0, 2*ms)), duplicate(reply(0, 3*ms))},
			books{sent: 1, received: 1, duplicates: 2}},
		{"an altered reply stands beside, and its probe stays open",
			[]Result{altered(reply(0, ms)), fate(0, StatusNoReply)}, books{sent: 1, silent: 1, altered: 1}},
		{"a reply with its nonce answers, whatever became of the rest of its payload",
			[]Result{with(reply(0, ms), func(r *Result) { r.Altered = true })}, books{sent: 1, received: 1, altered: 1}},
		{"a late reply turns silence into lateness",
			[]Result{fate(0, StatusNoReply), late(reply(0, 3*time.Second))}, books{sent: 1, late: 1}},
		{"so does a late ICMP error",
			[]Result{fate(0, StatusNoReply), late(routerError(0, StatusTTLExpired, 3*time.Second))},
			books{sent: 1, late: 1}},
		{"a late reply whose silence was not told settles its probe",
			[]Result{late(reply(0, 3*time.Second))}, books{sent: 1, late: 1}},
		{"a late reply clears the suspicion",
			[]Result{suspect(fate(0, StatusNoReply)), fate(1, StatusNoReply), suspect(late(reply(0, ms)))},
			books{sent: 2, silent: 1, late: 1}},
		{"a late reply to another probe leaves it",
			[]Result{suspect(fate(0, StatusNoReply)), fate(1, StatusNoReply), late(reply(1, ms))},
			books{sent: 2, silent: 1, late: 1, suspect: 1}},
		{"suspects never outnumber the silent",
			[]Result{suspect(fate(0, StatusNoReply)), late(reply(0, ms))}, books{sent: 1, late: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := booksOf(statsOf(tt.results...)); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestStatsOfAHopReceiveEveryAnswer(t *testing.T) {
	var h Hop
	h.Add(routerError(0, StatusTTLExpired, 3*ms))
	h.Add(routerError(1, StatusUnreachable, 5*ms))
	h.Add(reply(2, 4*ms))
	h.Add(fate(3, StatusNoReply))
	h.Add(fate(4, StatusUnreachable))
	if got, want := booksOf(&h.Stats), (books{sent: 5, received: 3, silent: 1, icmpErrors: 1}); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if h.MinRTT() != 3*ms || h.AvgRTT() != 4*ms || h.MaxRTT() != 5*ms {
		t.Errorf("min %v avg %v max %v", h.MinRTT(), h.AvgRTT(), h.MaxRTT())
	}
}

func TestPacketLoss(t *testing.T) {
	tests := []struct {
		name    string
		results []Result
		loss    float64
		alive   bool
	}{
		{"is none before anything was tried", nil, 0, false},
		{"is total when nothing could be sent", []Result{unsent(fate(0, StatusSendError))}, 1, false},
		{"is none when all answer", []Result{reply(0, ms), reply(1, ms)}, 0, true},
		{"counts the silent", []Result{reply(0, ms), fate(1, StatusNoReply)}, 0.5, true},
		{"counts ICMP errors", []Result{routerError(0, StatusUnreachable, ms)}, 1, false},
		{"counts the late: they missed the deadline",
			[]Result{reply(0, ms), fate(1, StatusNoReply), late(reply(1, ms))}, 0.5, true},
		{"leaves out what is not settled", []Result{reply(0, ms), fate(1, StatusUnsettled)}, 0, true},
		{"is not known, hence none, when nothing is settled", []Result{fate(0, StatusUnsettled)}, 0, false},
		{"takes no account of what stands beside",
			[]Result{reply(0, ms), duplicate(reply(0, ms)), altered(reply(0, ms))}, 0, true},
		{"counts what could not be sent",
			[]Result{reply(0, ms), reply(1, ms), reply(2, ms), unsent(fate(3, StatusNetworkDown)), unsent(fate(4, StatusNetworkDown))}, 0.4, true},
		{"counts what could not be sent beside what is not settled",
			[]Result{fate(0, StatusUnsettled), unsent(fate(1, StatusNetworkDown))}, 1, false},
		{"counts the suspect", []Result{reply(0, ms), suspect(fate(1, StatusNoReply))}, 0.5, true},
		{"shows one in a thousand",
			append([]Result{fate(0, StatusNoReply)}, replies(1, 999)...), 0.001, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := statsOf(tt.results...)
			if got := s.PacketLoss(); got != tt.loss {
				t.Errorf("PacketLoss() = %v, want %v", got, tt.loss)
			}
			if got := s.IsAlive(); got != tt.alive {
				t.Errorf("IsAlive() = %v, want %v", got, tt.alive)
			}
		})
	}
}

// replies returns n replies from the ordinal first on, of 1 ms each.
func replies(first, n int) []Result {
	results := make([]Result, n)
	for i := range results {
		results[i] = reply(first+i, ms)
	}
	return results
}

func TestStatsSnapshotStandsAlone(t *testing.T) {
	tests := []struct {
		name   string
		before int
		gap    int
	}{
		{"of a short run", 3, 0},
		{"of a run with a list", 10, 0},
		{"of a run with results ahead of their turn", 10, 5},
		{"of a run with a histogram", series.DefaultKeep + 10, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s, same Stats
			for i := range tt.before {
				s.Add(reply(tt.gap+i, 2*ms))
				same.Add(reply(tt.gap+i, 2*ms))
			}
			c := s.Snapshot()
			for i := range 2 * series.DefaultKeep { // the original goes on, the copy takes another way
				s.Add(reply(tt.gap+tt.before+i, 9*ms))
			}
			if got, want := figuresOf(&c), figuresOf(&same); !got.equal(want) {
				t.Errorf("the copy became %+v, want %+v", got, want)
			}
			want := figuresOf(&s)
			c.Add(reply(tt.gap+tt.before, ms))
			c.Add(reply(0, 3*ms))
			if got := figuresOf(&s); !got.equal(want) {
				t.Errorf("the original became %+v, want %+v", got, want)
			}
		})
	}
}

func TestStatsAddDoesNotAllocate(t *testing.T) {
	tests := []struct {
		name string
		warm int // results added before
		runs int
		add  func(s *Stats, seq int)
	}{
		{"for a short run, from the first on", 0, 1, func(s *Stats, _ int) {
			*s = Stats{}
			s.Add(fate(0, StatusNoReply))
			s.Add(reply(1, 3*ms))
			s.Add(routerError(2, StatusUnreachable, ms))
			s.Add(reply(3, 5*ms))
		}},
		{"for a short run in any order", 0, 1, func(s *Stats, _ int) {
			*s = Stats{}
			s.Add(reply(3, 5*ms))
			s.Add(reply(1, 3*ms))
			s.Add(late(reply(2, ms)))
			s.Add(fate(0, StatusNoReply))
		}},
		{"for an endless run", series.DefaultKeep + 1, 1000, func(s *Stats, seq int) {
			s.Add(reply(seq, time.Duration(seq%7+1)*ms))
		}},
		{"for an endless run with losses", 2 * series.DefaultKeep, 1000, func(s *Stats, seq int) {
			at := seq ^ 1 // each pair in reverse
			if at%4 == 0 {
				s.Add(fate(at, StatusNoReply))
			} else {
				s.Add(reply(at, ms))
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s Stats
			seq := 0
			for ; seq < tt.warm; seq++ {
				s.Add(reply(seq, time.Duration(seq%7+1)*ms))
			}
			s.Add(reply(seq+1, ms)) // one ahead of its turn, so that there is room for it
			s.Add(reply(seq, ms))
			seq += 2 + seq%2
			if n := testing.AllocsPerRun(tt.runs, func() { tt.add(&s, seq); seq++ }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func BenchmarkStatsAdd(b *testing.B) {
	b.Run("short", func(b *testing.B) {
		b.ReportAllocs()
		var s Stats
		r := reply(0, 10*ms)
		for b.Loop() {
			s = Stats{}
			for r.Seq = range 4 {
				s.Add(r)
			}
		}
	})
	b.Run("endless", func(b *testing.B) {
		b.ReportAllocs()
		var s Stats
		r := reply(0, 10*ms)
		for b.Loop() {
			r.RTT = time.Duration(r.Seq%64+1) * ms
			s.Add(r)
			r.Seq++
		}
	})
	b.Run("reordered", func(b *testing.B) {
		b.ReportAllocs()
		var s Stats
		r := reply(0, 10*ms)
		for i := 0; b.Loop(); i++ {
			r.Seq = i ^ 7
			s.Add(r)
		}
	})
}

func TestStatsKeepTheLastICMPError(t *testing.T) {
	s := statsOf(routerError(0, StatusTTLExpired, ms), with(routerError(1, StatusPacketTooBig, ms), func(r *Result) {
		r.Type, r.Code, r.MTU = icmp.V4DestinationUnreachable, 4, 1400
	}), fate(2, StatusNoReply))
	message, ok := errors.AsType[*icmp.Error](s.LastICMPError)
	if !ok || message.Reply.MTU != 1400 || message.Reply.Source != testRouter {
		t.Errorf("the last error is %v", s.LastICMPError)
	}
}

func TestTheTimeOfARetransmittedProbeIsNoPartOfTheStatistics(t *testing.T) {
	s := statsOf(reply(0, ms), with(reply(1, 1001*ms), func(r *Result) { r.Retransmitted = true }))
	if s.PacketsReceived != 2 || s.MaxRTT() != ms {
		t.Errorf("%d received, at most %v", s.PacketsReceived, s.MaxRTT())
	}
}

func advising(r Result) Result {
	r.Advises = true
	return r
}

func TestAReplyThatCorrectsAnError(t *testing.T) {
	at := time.Now()
	unreachable := func(seq int) Result {
		return Result{Seq: seq, Sent: at, Status: StatusUnreachable, Type: icmp.V4DestinationUnreachable, Responder: netip.MustParseAddr("192.0.2.9")}
	}
	reply := func(seq int, rtt time.Duration) Result {
		return Result{Seq: seq, Sent: at, Status: StatusReply, RTT: rtt}
	}
	correcting := func(r Result, late bool) Result {
		r.Corrects, r.Late = true, late
		return r
	}
	// So that a run is longer than what a Stats keeps in itself, and so that 0
	// is missing, and everything waits for its turn.
	for _, first := range []int{0, 1} {
		s := statsOf(
			unreachable(first), reply(first+1, 20*time.Millisecond), unreachable(first+2), reply(first+3, 40*time.Millisecond),
			reply(first+4, 50*time.Millisecond), correcting(reply(first, 10*time.Millisecond), false),
			correcting(reply(first+2, 99*time.Millisecond), true),
		)
		checkInvariants(t, s)
		if got, want := booksOf(s), (books{sent: 5, received: 4, icmpErrors: 1, advised: 1}); got != want {
			t.Errorf("from %d: %+v, want %+v", first, got, want)
		}
		if s.MinRTT() != 10*time.Millisecond || s.AvgRTT() != 30*time.Millisecond || s.MaxRTT() != 50*time.Millisecond ||
			len(s.RTTs()) != 4 || s.MaxLateRTT() != 99*time.Millisecond || s.LastICMPError == nil {
			t.Errorf("from %d: %v, %v", first, s.RTTs(), s.LastICMPError)
		}
	}
	s := statsOf(unreachable(0), correcting(reply(0, time.Second), false), reply(1, 2*time.Second))
	if got, want := booksOf(s), (books{sent: 2, received: 2, advised: 1}); got != want || s.LastICMPError != nil || s.LastRTT() != 2*time.Second {
		t.Errorf("%+v, want %+v; last %v, %v", got, want, s.LastRTT(), s.LastICMPError)
	}
	s = statsOf(correcting(reply(0, time.Second), false)) // the error was not told
	if got, want := booksOf(s), (books{sent: 1, received: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	var hop Hop
	hop.Add(unreachable(0))
	hop.Add(correcting(reply(0, time.Second), false))
	if got, want := booksOf(&hop.Stats), (books{sent: 1, received: 1, advised: 1}); got != want {
		t.Errorf("of a hop: %+v, want %+v", got, want)
	}
}

func TestWhatSettlesAProbe(t *testing.T) {
	for _, tt := range []struct {
		name string
		r    Result
		want bool
	}{
		{"a reply", Result{Status: StatusReply}, true},
		{"a late one", Result{Status: StatusReply, Late: true}, false},
		{"a duplicate", Result{Status: StatusReply, Duplicate: true}, false},
		{"one that corrects an error", Result{Status: StatusReply, Corrects: true}, false},
		{"silence", Result{Status: StatusNoReply}, true},
		{"an error", Result{Status: StatusUnreachable}, true},
		{"a redirect", Result{Status: StatusRedirect}, false},
		{"a quench", Result{Status: StatusSourceQuench}, false},
		{"a reply without the nonce", Result{Status: StatusAltered}, false},
		{"a parameter problem in a ping", Result{Status: StatusParameterProblem, Advises: true}, false},
		{"one in a trace", Result{Status: StatusParameterProblem}, true},
		{"what was not sent", Result{Status: StatusPermissionDenied}, true},
		{"what was not known when the call ended", Result{Status: StatusUnsettled}, true},
	} {
		if got := tt.r.Settles(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// Results for code that only reads them are made by hand, without what they do not need.
func TestResultsMadeByHandCountAsWhatTheySay(t *testing.T) {
	var s Stats
	s.Add(Result{Status: StatusReply, RTT: time.Millisecond})
	s.Add(Result{Seq: 1, Status: StatusNoReply})
	s.Add(Result{Seq: 2, Status: StatusNetworkDown})
	if s.PacketsSent != 2 || s.PacketsReceived != 1 || s.Silent != 1 || s.SendErrors != 1 || s.AvgRTT() != time.Millisecond {
		t.Errorf("%+v", s)
	}
}
