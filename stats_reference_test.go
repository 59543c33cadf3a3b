package icmplib

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/series"
)

// reference is Stats as one would write it with no thought of memory or time:
// it keeps all results, and works everything out from them.
type reference struct {
	limit   int
	results []Result
}

// settled returns the results that settle a probe, in sending order.
func (m *reference) settled() []Result {
	var settled []Result
	for _, r := range m.results {
		if !r.Duplicate && !r.Late && !r.informs() {
			settled = append(settled, r)
		}
	}
	slices.SortStableFunc(settled, func(a, b Result) int { return cmp.Compare(a.Seq, b.Seq) })
	return settled
}

func (m *reference) rtts() []time.Duration {
	var rtts []time.Duration
	for _, r := range m.settled() {
		if r.Status == StatusReply && !r.neverLeft() {
			rtts = append(rtts, r.RTT)
		}
	}
	return rtts
}

// count returns how many results are as told.
func (m *reference) count(is func(r *Result) bool) (n int) {
	for i := range m.results {
		if is(&m.results[i]) {
			n++
		}
	}
	return n
}

func (m *reference) books() books {
	status := func(which Status) int {
		return m.count(func(r *Result) bool {
			return r.Status == which && !r.neverLeft() && !r.Late && !r.Duplicate
		})
	}
	late := m.count(func(r *Result) bool { return r.Late })
	doubt := m.count(func(r *Result) bool { return r.Suspect && !r.Late })
	cleared := m.count(func(r *Result) bool { return r.Suspect && r.Late })
	b := books{
		received:   status(StatusReply),
		silent:     status(StatusNoReply) - late,
		icmpErrors: status(StatusTTLExpired) + status(StatusUnreachable),
		late:       late,
		unsettled:  status(StatusUnsettled),
		duplicates: m.count(func(r *Result) bool { return r.Duplicate }),
		altered:    m.count(func(r *Result) bool { return r.Status == StatusAltered }),
		advised:    m.count(func(r *Result) bool { return r.Status == StatusRedirect }),
		sendErrors: m.count(func(r *Result) bool { return r.neverLeft() }),
		suspect:    doubt - cleared,
	}
	b.sent = b.received + b.silent + b.icmpErrors + b.late + b.unsettled
	return b
}

// figures works out all figures; percentiles are exact whatever the limit.
func (m *reference) figures() (f figures) {
	for _, r := range m.results {
		if r.Late {
			f.late = max(f.late, r.RTT)
		}
	}
	rtts := m.rtts()
	n := len(rtts)
	if n == 0 {
		return f
	}
	var sum, squares, differences, interarrival float64
	for i, rtt := range rtts {
		sum += float64(rtt)
		if i > 0 {
			d := math.Abs(float64(rtt - rtts[i-1]))
			differences += d
			interarrival = interarrival + (d-interarrival)/16
		}
	}
	for _, rtt := range rtts {
		squares += math.Pow(float64(rtt)-sum/float64(n), 2)
	}
	round := func(ns float64) time.Duration { return time.Duration(math.Round(ns)) }
	f.avg, f.interarrival = round(sum/float64(n)), round(interarrival)
	if n > 1 {
		f.deviation = round(math.Sqrt(squares / float64(n-1)))
		f.jitter = round(differences / float64(n-1))
	}
	f.last = rtts[n-1]
	if n <= m.limit {
		f.rtts = rtts
	}
	sorted := slices.Sorted(slices.Values(rtts))
	f.min, f.max = sorted[0], sorted[n-1]
	for i, q := range testParts {
		f.percentiles[i] = sorted[max(int(math.Ceil(q*float64(n))), 1)-1]
	}
	return f
}

// mismatch tells where got differs from f by more than its kind may: floating
// point sums by a nanosecond, percentiles of a histogram by 1 %.
func (f figures) mismatch(got figures) string {
	near := func(a, b, off time.Duration) bool { return (a - b).Abs() <= off }
	for i, want := range f.percentiles {
		off := time.Duration(0)
		if f.rtts == nil {
			off = want / 100
		}
		if !near(got.percentiles[i], want, off) {
			return fmt.Sprintf("percentile %v is %v, want %v", testParts[i], got.percentiles[i], want)
		}
	}
	switch {
	case !slices.Equal(got.rtts, f.rtts) || (got.rtts == nil) != (f.rtts == nil):
		return fmt.Sprintf("RTTs are %v, want %v", got.rtts, f.rtts)
	case got.min != f.min || got.max != f.max || got.last != f.last || got.late != f.late:
		return fmt.Sprintf("an exact figure differs:\n%+v, want\n%+v", got, f)
	case !near(got.avg, f.avg, 1) || !near(got.deviation, f.deviation, 1) ||
		!near(got.jitter, f.jitter, 1) || !near(got.interarrival, f.interarrival, 1):
		return fmt.Sprintf("a rounded figure differs:\n%+v, want\n%+v", got, f)
	}
	return ""
}

// randomRun returns the results of n probes as an engine might report them:
// each is settled once, up to reach later than its turn, and some are followed
// by a late answer, a duplicate or the like.
func randomRun(random *rand.Rand, n, reach int) []Result {
	type event struct {
		at int
		r  Result
	}
	var events []event
	for seq := range n {
		at := seq + random.IntN(reach+1)
		rtt := 1 + time.Duration(math.Exp(random.NormFloat64()*2)*1e7)
		add := func(r Result, at int) { events = append(events, event{at, r}) }
		switch random.IntN(12) {
		case 0:
			add(fate(seq, StatusNoReply), at)
		case 1:
			add(fate(seq, StatusNoReply), at)
			add(late(reply(seq, rtt)), at+random.IntN(9))
		case 2:
			add(suspect(fate(seq, StatusNoReply)), at)
			if random.IntN(2) == 0 {
				add(suspect(late(reply(seq, rtt))), at+random.IntN(9))
			}
		case 3:
			add(routerError(seq, StatusTTLExpired, rtt), at)
			add(duplicate(routerError(seq, StatusTTLExpired, rtt)), at+1)
		case 4:
			add(routerError(seq, StatusRedirect, rtt), at)
			add(routerError(seq, StatusUnreachable, rtt), at)
		case 5:
			add(unsent(fate(seq, StatusSendError)), at)
		case 6:
			add(fate(seq, StatusUnsettled), at)
		case 7:
			add(altered(reply(seq, rtt)), seq)
			add(reply(seq, rtt), at)
		default:
			add(reply(seq, rtt), at)
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	results := make([]Result, len(events))
	for i, e := range events {
		results[i] = e.r
	}
	return results
}

// checkInvariants checks what is true of a Stats at any moment.
func checkInvariants(t *testing.T, s *Stats) {
	t.Helper()
	if sum := s.PacketsReceived + s.Silent + s.ICMPErrors + s.Late + s.Unsettled; sum != s.PacketsSent {
		t.Fatalf("the books do not balance: %+v", booksOf(s))
	}
	for _, n := range []int{
		s.PacketsSent, s.PacketsReceived, s.Silent, s.ICMPErrors, s.Late, s.Unsettled,
		s.Duplicates, s.Altered, s.SendErrors, s.Suspect,
	} {
		if n < 0 || s.Suspect > s.Silent {
			t.Fatalf("a counter is out of range: %+v", booksOf(s))
		}
	}
	if loss := s.PacketLoss(); !(loss >= 0 && loss <= 1) {
		t.Fatalf("the loss is %v of %+v", loss, booksOf(s))
	}
	if s.MinRTT() > s.AvgRTT() || s.AvgRTT() > s.MaxRTT() || s.LastRTT() < s.MinRTT() || s.LastRTT() > s.MaxRTT() {
		t.Fatalf("min %v, avg %v, max %v, last %v", s.MinRTT(), s.AvgRTT(), s.MaxRTT(), s.LastRTT())
	}
	before := s.MinRTT()
	for _, q := range testParts {
		at := s.Percentile(q)
		if at < before || at > s.MaxRTT() {
			t.Fatalf("percentile %v is %v, of a smaller part %v, of all %v", q, at, before, s.MaxRTT())
		}
		before = at
	}
}

func TestStatsAgreeWithTheReference(t *testing.T) {
	tests := []struct {
		name  string
		runs  int
		most  int // probes in a run
		limit int // RTTs to keep
		reach int // how far results stray from sending order
	}{
		{"short runs in order", 200, 5, 1024, 0},
		{"short runs in any order", 500, 6, 1024, 6},
		{"longer runs in order", 30, 60, 1024, 0},
		{"longer runs in any order", 60, 60, 1024, 60},
		{"runs that go over to a histogram", 60, 60, 20, 0},
		{"runs that go over to a histogram while results wait", 60, 60, 20, 60},
		{"runs that go over as early as can be", 100, 12, 4, 4},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(11, uint64(i)))
			for range tt.runs {
				s, m := keeping(tt.limit), reference{limit: tt.limit}
				for _, r := range randomRun(random, random.IntN(tt.most+1), tt.reach) {
					s.Add(r)
					m.results = append(m.results, r)
					checkInvariants(t, &s)
					agree(t, &s, &m)
				}
			}
		})
	}
}

// keeping returns a Stats with a limit below what callers can ask for.
func keeping(limit int) (s Stats) {
	s.rtts.Keep(limit)
	return s
}

func agree(t *testing.T, s *Stats, m *reference) {
	t.Helper()
	if got, want := booksOf(s), m.books(); got != want {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
	if trouble := m.figures().mismatch(figuresOf(s)); trouble != "" {
		t.Fatal(trouble)
	}
}

func TestStatsOfALongRunAgreeWithTheReference(t *testing.T) {
	t.Parallel()
	var s Stats
	m := reference{limit: series.DefaultKeep}
	for _, r := range randomRun(rand.New(rand.NewPCG(12, 13)), 50_000, 2000) {
		s.Add(r)
		m.results = append(m.results, r)
	}
	checkInvariants(t, &s)
	agree(t, &s, &m)
}

func FuzzStats(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66})
	f.Add([]byte{0xf1, 0x02, 0xe1, 0x81, 0x41, 0x21, 0x11, 0x05})
	f.Fuzz(func(t *testing.T, script []byte) {
		s := keeping(3)
		for _, b := range script { // any result at all, whether it makes sense or not
			r := reply(int(b>>4)-2, time.Duration(b)*ms-ms)
			r.Status = Status(b % 19)
			r.Late, r.Duplicate, r.Altered = b%5 == 0, b%7 == 0, b%11 == 0
			r.Suspect = b%3 == 0
			if b%13 == 0 {
				r = unsent(r)
			}
			s.Add(r)
			checkInvariants(t, &s)
		}
	})
}
