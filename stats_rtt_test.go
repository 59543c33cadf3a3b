package icmplib

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// figures are all that a Stats says of its RTTs.
type figures struct {
	min, avg, max, last, deviation, jitter, interarrival, late time.Duration
	percentiles                                                [5]time.Duration
	rtts                                                       []time.Duration
}

var testParts = [5]float64{0, 0.25, 0.5, 0.95, 1}

func figuresOf(s *Stats) figures {
	f := figures{
		min: s.MinRTT(), avg: s.AvgRTT(), max: s.MaxRTT(), last: s.LastRTT(), deviation: s.StdDev(),
		jitter: s.Jitter(), interarrival: s.InterarrivalJitter(), late: s.MaxLateRTT(), rtts: s.RTTs(),
	}
	for i, q := range testParts {
		f.percentiles[i] = s.Percentile(q)
	}
	return f
}

func (f figures) equal(g figures) bool {
	return slices.Equal(f.rtts, g.rtts) && (f.rtts == nil) == (g.rtts == nil) && f.min == g.min && f.avg == g.avg && f.max == g.max && f.last == g.last &&
		f.deviation == g.deviation && f.jitter == g.jitter && f.interarrival == g.interarrival &&
		f.late == g.late && f.percentiles == g.percentiles
}

// inOrder returns replies with these RTTs, sent in this order.
func inOrder(rtts ...time.Duration) []Result {
	results := make([]Result, len(rtts))
	for i, rtt := range rtts {
		results[i] = reply(i, rtt)
	}
	return results
}

func TestStatsFigures(t *testing.T) {
	tests := []struct {
		name    string
		results []Result
		want    figures
	}{
		{"without an RTT are 0", []Result{fate(0, StatusNoReply)}, figures{}},
		{"of one RTT have no deviation and no jitter", inOrder(7 * ms), figures{
			min: 7 * ms, avg: 7 * ms, max: 7 * ms, last: 7 * ms,
			percentiles: [5]time.Duration{7 * ms, 7 * ms, 7 * ms, 7 * ms, 7 * ms},
			rtts:        []time.Duration{7 * ms},
		}},
		{"of 10 ms and 20 ms deviate by 7.07 ms, over n-1", inOrder(10*ms, 20*ms), figures{
			min: 10 * ms, avg: 15 * ms, max: 20 * ms, last: 20 * ms,
			deviation: 7071068, jitter: 10 * ms, interarrival: 10 * ms / 16,
			percentiles: [5]time.Duration{10 * ms, 10 * ms, 10 * ms, 20 * ms, 20 * ms},
			rtts:        []time.Duration{10 * ms, 20 * ms},
		}},
		{"of 10, 20, 15, 30 and 5 ms have a jitter of (10+5+15+25)/4 ms",
			inOrder(10*ms, 20*ms, 15*ms, 30*ms, 5*ms), figures{
				min: 5 * ms, avg: 16 * ms, max: 30 * ms, last: 5 * ms,
				deviation: 9617692, jitter: 13750 * time.Microsecond, interarrival: 3231049,
				percentiles: [5]time.Duration{5 * ms, 10 * ms, 15 * ms, 30 * ms, 30 * ms},
				rtts:        []time.Duration{10 * ms, 20 * ms, 15 * ms, 30 * ms, 5 * ms},
			}},
		{"of a gap pass over it", []Result{reply(0, 10*ms), fate(1, StatusNoReply), reply(2, 13*ms)}, figures{
			min: 10 * ms, avg: 11500 * time.Microsecond, max: 13 * ms, last: 13 * ms,
			deviation: 2121320, jitter: 3 * ms, interarrival: 3 * ms / 16,
			percentiles: [5]time.Duration{10 * ms, 10 * ms, 10 * ms, 13 * ms, 13 * ms},
			rtts:        []time.Duration{10 * ms, 13 * ms},
		}},
		{"leave out what is late, altered, duplicate or an error",
			[]Result{
				reply(0, 10*ms), duplicate(reply(0, 99*ms)), altered(reply(1, 98*ms)), fate(1, StatusNoReply),
				late(reply(1, 3*time.Second)), routerError(2, StatusTTLExpired, 97*ms),
				routerError(3, StatusRedirect, 96*ms),
			}, figures{
				min: 10 * ms, avg: 10 * ms, max: 10 * ms, last: 10 * ms, late: 3 * time.Second,
				percentiles: [5]time.Duration{10 * ms, 10 * ms, 10 * ms, 10 * ms, 10 * ms},
				rtts:        []time.Duration{10 * ms},
			}},
		{"take an RTT below 0 for 0", inOrder(-5, 2*ms), figures{
			avg: ms, max: 2 * ms, last: 2 * ms, deviation: 1414214, jitter: 2 * ms, interarrival: ms / 8,
			percentiles: [5]time.Duration{0, 0, 0, 2 * ms, 2 * ms}, rtts: []time.Duration{0, 2 * ms},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := figuresOf(statsOf(tt.results...)); !got.equal(tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestStatsFiguresAreInSendingOrder(t *testing.T) {
	sent := []Result{
		reply(0, 10*ms), fate(1, StatusNoReply), reply(2, 40*ms), unsent(fate(3, StatusSendError)),
		reply(4, 20*ms), routerError(5, StatusUnreachable, ms), reply(6, 25*ms), fate(7, StatusUnsettled),
		reply(8, 5*ms),
	}
	for n := 1; n <= len(sent); n++ {
		want := figuresOf(statsOf(sent[:n]...))
		random := rand.New(rand.NewPCG(7, uint64(n)))
		for range 30 {
			arrived := slices.Clone(sent[:n])
			random.Shuffle(n, func(i, j int) { arrived[i], arrived[j] = arrived[j], arrived[i] })
			got := figuresOf(statsOf(arrived...))
			got.avg, got.deviation = want.avg, want.deviation // may differ in the last bit
			if !got.equal(want) {
				t.Fatalf("arrived as %v:\ngot  %+v\nwant %+v", arrived, got, want)
			}
		}
	}
}

func TestInterarrivalJitterFollowsRFC3550(t *testing.T) {
	// D is 16, 16 and 0: J is 0 + 16/16, then 1 + 15/16, then 1.9375 - 1.9375/16.
	s := statsOf(inOrder(10*ms, 26*ms, 10*ms, 10*ms)...)
	if got, want := s.InterarrivalJitter(), 1816406*time.Nanosecond; got != want {
		t.Errorf("InterarrivalJitter() = %v, want %v", got, want)
	}
}

func TestPercentileIsTheNearestRank(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100-i) * ms
	}
	tests := []struct {
		name string
		rtts []time.Duration
		q    float64
		want time.Duration
	}{
		{"the 7th of 100 is the 7th, though 0.07*100 is a little more than 7", hundred, 0.07, 7 * ms},
		{"the median of an even number is the lower one of the middle", hundred, 0.5, 50 * ms},
		{"a little more than the half is the next", hundred, 0.501, 51 * ms},
		{"the 95th of 100 is the 95th", hundred, 0.95, 95 * ms},
		{"0 is the smallest", hundred, 0, ms},
		{"1 is the greatest", hundred, 1, 100 * ms},
		{"below 0 is the smallest", hundred, -3, ms},
		{"above 1 is the greatest", hundred, 95, 100 * ms},
		{"what is not a number is the smallest", hundred, math.NaN(), ms},
		{"infinity is the greatest", hundred, math.Inf(1), 100 * ms},
		{"the median of three is the middle one", []time.Duration{9 * ms, ms, 5 * ms}, 0.5, 5 * ms},
		{"there is none of nothing", nil, 0.5, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := statsOf(inOrder(tt.rtts...)...).Percentile(tt.q); got != tt.want {
				t.Errorf("Percentile(%v) = %v, want %v", tt.q, got, tt.want)
			}
		})
	}
}

func TestStatsKeepRTTsUpToTheirLimit(t *testing.T) {
	tests := []struct {
		name   string
		expect int // 0: nothing was said
		add    int
		kept   bool
	}{
		{"a zero Stats keeps 1024", 0, 1024, true},
		{"and drops them with one more", 0, 1025, false},
		{"for a finite count it keeps all", 3000, 3000, true},
		{"and drops them when it is fed more than that", 3000, 3001, false},
		{"for a small count it keeps 1024 all the same", 4, 1024, true},
		{"for an endless run it keeps 1024", -1, 1024, true},
		{"and drops them with one more there, too", -1, 1025, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s Stats
			if tt.expect != 0 {
				s.KeepRTTs(tt.expect)
			}
			for i := range tt.add {
				s.Add(reply(i, time.Duration(i+1)))
			}
			rtts := s.RTTs()
			if kept := rtts != nil; kept != tt.kept || kept && len(rtts) != tt.add {
				t.Errorf("%d of %d are kept", len(rtts), tt.add)
			}
			if s.MinRTT() != 1 || s.MaxRTT() != time.Duration(tt.add) {
				t.Errorf("from %v to %v", s.MinRTT(), s.MaxRTT())
			}
		})
	}
}

func TestRTTsAreTheCallersOwn(t *testing.T) {
	for _, n := range []int{3, 30} {
		s := statsOf(replies(0, n)...)
		clear(s.RTTs())
		if got := s.RTTs(); slices.Contains(got, 0) || len(got) != n {
			t.Errorf("of %d RTTs, %v", n, got)
		}
	}
}

func TestFiguresOfAShortRunDoNotAllocate(t *testing.T) {
	s := statsOf(reply(3, ms), reply(1, 2*ms), fate(2, StatusNoReply), reply(0, 4*ms))
	var sum time.Duration
	if n := testing.AllocsPerRun(10, func() {
		sum += s.MinRTT() + s.AvgRTT() + s.MaxRTT() + s.LastRTT() + s.StdDev() + s.Jitter() +
			s.InterarrivalJitter() + s.Percentile(0.5)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
