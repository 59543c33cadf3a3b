package series

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/fields"
)

const ms = time.Millisecond

// of returns a Series of RTTs in sending order; -1 is a probe without one.
func of(limit int, rtts ...time.Duration) *Series {
	s := new(Series)
	s.Keep(limit)
	for seq, rtt := range rtts {
		put1(s, seq, rtt)
	}
	return s
}

func put1(s *Series, seq int, rtt time.Duration) {
	if rtt < 0 {
		s.Skip(seq)
		return
	}
	s.Add(seq, rtt)
}

// figures are all that a Series says of itself.
type figures struct {
	count                                              int
	min, mean, max, deviation, last, jitter, interjitt time.Duration
	median                                             time.Duration
}

func figuresOf(s *Series) figures {
	return figures{s.Count(), s.Min(), s.Mean(), s.Max(), s.StdDev(), s.Last(), s.Jitter(), s.Interarrival(), s.Percentile(0.5)}
}

// near reports whether two figures differ by no more than rounding.
func (f figures) near(g figures, factor float64) bool {
	close := func(a, b time.Duration) bool {
		return math.Abs(float64(a-b)) <= 2+factor*float64(max(a, b))
	}
	return f.count == g.count && f.min == g.min && f.max == g.max && f.last == g.last && close(f.mean, g.mean) &&
		close(f.deviation, g.deviation) && close(f.jitter, g.jitter) && close(f.interjitt, g.interjitt)
}

// Rules 1, 2, 5 and 8: orders of arrival that give the same figures, by hand.
func TestRule1TheFiguresAreInSendingOrder(t *testing.T) {
	rtts := []time.Duration{10 * ms, 20 * ms, -1, 40 * ms, 10 * ms, 10 * ms}
	want := figures{5, 10 * ms, 18 * ms, 40 * ms, 13_038_405, 10 * ms, 15 * ms, 0, 10 * ms}
	// |D|: 10, 20, 30, 0, by sixteenths.
	j := 10.0 / 16
	j += (20 - j) / 16
	j += (30 - j) / 16
	j += (0 - j) / 16
	want.interjitt = time.Duration(math.Round(j * 1e6))
	for _, order := range [][]int{{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {1, 0, 3, 2, 5, 4}, {0, 2, 4, 1, 3, 5}, {3, 5, 0, 1, 4, 2}} {
		for _, limit := range []int{3, 6} {
			s := new(Series)
			s.Keep(limit)
			for _, seq := range order {
				put1(s, seq, rtts[seq])
			}
			got := figuresOf(s)
			if limit == 3 && math.Abs(float64(got.median-want.median)) <= float64(want.median)/128 {
				got.median = want.median
			}
			if got != want {
				t.Errorf("arriving as %v, %d kept: %+v, want %+v", order, limit, got, want)
			}
		}
	}
}

func TestRule1WhatWaitsCountsAsTheEnd(t *testing.T) {
	for _, n := range []int{2, 7} { // short, and not
		s := new(Series)
		for seq := range n {
			s.Add(seq+1, time.Duration(seq+1)*ms) // the first never comes
		}
		if s.Last() != time.Duration(n)*ms || s.Jitter() != ms || len(s.RTTs()) != n {
			t.Errorf("%d RTTs wait: last %v, jitter %v, list %v", n, s.Last(), s.Jitter(), s.RTTs())
		}
		s.Add(0, 100*ms)
		if got := s.RTTs(); got[0] != 100*ms || s.Last() != time.Duration(n)*ms {
			t.Errorf("once the first is there: %v", got)
		}
	}
}

func TestRule2ASecondRowIsTakenAsItComes(t *testing.T) {
	s := of(10, ms, 2*ms, 3*ms)
	for seq := range 3 {
		s.Add(seq, time.Duration(10+seq)*ms)
	}
	if want := []time.Duration{ms, 2 * ms, 3 * ms, 10 * ms, 11 * ms, 12 * ms}; !slices.Equal(s.RTTs(), want) {
		t.Errorf("%v, want %v", s.RTTs(), want)
	}
}

func TestRule4AHistogramTakesThePlaceOfTheList(t *testing.T) {
	s := of(5, ms, 2*ms, 3*ms, 4*ms, -1, 5*ms)
	if len(s.RTTs()) != 5 || s.Summary().Buckets != nil {
		t.Fatalf("five of five: %v", s.RTTs())
	}
	s.Add(7, 6*ms) // ahead of its turn, and one too many
	if s.RTTs() != nil || len(s.Summary().Buckets) != 6 || s.Count() != 6 {
		t.Errorf("six of five: %v, %v", s.RTTs(), s.Summary().Buckets)
	}
	s.Skip(6)
	s.Add(8, 6*ms)
	if b := s.Summary().Buckets; len(b) != 6 || b[5].Count != 2 {
		t.Errorf("seven of five: %v", b)
	}
	if s := new(Series); true {
		for seq := range DefaultKeep {
			s.Add(seq, ms)
		}
		if len(s.RTTs()) != DefaultKeep {
			t.Errorf("%d kept of itself", len(s.RTTs()))
		}
		if s.Add(DefaultKeep, ms); s.RTTs() != nil {
			t.Errorf("more than %d kept of itself", DefaultKeep)
		}
	}
}

func TestRule5AShortRowTakesNoMemory(t *testing.T) {
	if n := testing.AllocsPerRun(10, func() {
		var s Series
		for seq := range shortRun {
			s.Add(shortRun-1-seq, ms)
		}
		_ = s.Percentile(0.5) + s.Jitter() + s.StdDev()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestRule6APercentileIsTheNearestRank(t *testing.T) {
	for _, tt := range []struct {
		q    float64
		n    int
		want int
	}{
		{0.5, 4, 2}, {0.51, 4, 3}, {0.25, 4, 1}, {0.07, 100, 7}, {1, 10, 10}, {0.95, 20, 19}, {0, 9, 1}, {-1, 9, 1}, {2, 9, 9}, {math.NaN(), 9, 1}, {0.001, 9, 1}, {math.Inf(1), 9, 9},
	} {
		s := new(Series)
		for seq := range tt.n {
			s.Add(seq, time.Duration(tt.n-seq)*ms)
		}
		if got := s.Percentile(tt.q); got != time.Duration(tt.want)*ms {
			t.Errorf("%v of %d: %v, want %d ms", tt.q, tt.n, got, tt.want)
		}
	}
	if got := of(9, -1, -1, -1, -1, -1).Percentile(0.5); got != 0 {
		t.Errorf("of none: %v", got)
	}
	if got := of(9, -1).Percentile(0.5); got != 0 {
		t.Errorf("of none: %v", got)
	}
}

func TestRule6AHistogramErrsByLessThanOnePercent(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	s, all := new(Series), []time.Duration{}
	s.Keep(10)
	for seq := range 2000 {
		rtt := time.Duration(math.Exp(random.Float64()*6) * float64(ms))
		s.Add(seq, rtt)
		all = append(all, rtt)
	}
	slices.Sort(all)
	for q := 0.0; q <= 1; q += 0.01 {
		want := all[nearestRank(q, len(all))-1]
		if got := s.Percentile(q); math.Abs(float64(got-want)) > float64(want)/128 {
			t.Errorf("%v: %v, want %v", q, got, want)
		}
	}
	if s.Percentile(0) != all[0] || s.Percentile(1) != all[len(all)-1] {
		t.Errorf("the extremes are %v and %v", s.Percentile(0), s.Percentile(1))
	}
	equal := of(2, 1001, 1001, 1001, 1001)
	if got := equal.Percentile(0.5); got != 1001 {
		t.Errorf("of RTTs of 1001 ns: %v", got)
	}
}

func TestRule7MeanAndDeviation(t *testing.T) {
	for _, tt := range []struct {
		rtts            []time.Duration
		mean, deviation time.Duration
	}{
		{nil, 0, 0},
		{[]time.Duration{5 * ms}, 5 * ms, 0},
		{[]time.Duration{10 * ms, 20 * ms}, 15 * ms, 7_071_068},
		{[]time.Duration{math.MaxInt64, math.MaxInt64, math.MaxInt64}, math.MaxInt64, 0},
		{[]time.Duration{time.Hour, time.Hour + 1, time.Hour + 2}, time.Hour + 1, 1},
	} {
		s := of(10, tt.rtts...)
		if s.Mean() != tt.mean || s.StdDev() != tt.deviation {
			t.Errorf("%v: mean %v, deviation %v, want %v and %v", tt.rtts, s.Mean(), s.StdDev(), tt.mean, tt.deviation)
		}
	}
	if s := of(10, -1, -1); s.Jitter() != 0 || s.Last() != 0 || s.Count() != 0 || s.RTTs() != nil {
		t.Errorf("of no RTTs: %+v", figuresOf(s))
	}
	s := new(Series)
	if s.Add(0, -5); s.Count() != 1 || s.Max() != 0 {
		t.Errorf("an RTT below 0: %+v", figuresOf(s))
	}
}

func TestRule9ACloneStandsAlone(t *testing.T) {
	for _, limit := range []int{3, 5, 100} {
		for _, n := range []int{2, 5, 9} {
			s := new(Series)
			s.Keep(limit)
			for seq := range n {
				s.Add(2*seq+1, time.Duration(seq+1)*ms) // each second one waits
			}
			before, list := figuresOf(s), s.RTTs()
			c := s.Clone()
			for seq := range 4 {
				c.Add(2*seq, time.Second)
				s2 := c.Clone()
				s2.Add(100+seq, time.Hour)
			}
			if figuresOf(s) != before || !slices.Equal(s.RTTs(), list) {
				t.Errorf("%d of %d: the original became %+v of %+v", n, limit, figuresOf(s), before)
			}
			copied := figuresOf(&c)
			for seq := range 4 {
				s.Add(2*seq, 2*time.Hour)
			}
			if figuresOf(&c) != copied || c.Max() != time.Second {
				t.Errorf("%d of %d: the copy became %+v of %+v", n, limit, figuresOf(&c), copied)
			}
		}
	}
}

func TestRule10MergedFiguresAreThoseOfAll(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for _, tt := range []struct{ a, b, limit int }{{0, 0, 9}, {0, 3, 9}, {3, 0, 9}, {3, 4, 9}, {5, 4, 9}, {5, 5, 9}, {30, 2, 9}, {2, 30, 9}, {500, 700, 9}} {
		a, b, all := of(tt.limit), of(tt.limit), []time.Duration{}
		differences, pairs := 0.0, 0
		for _, x := range []struct {
			s *Series
			n int
		}{{a, tt.a}, {b, tt.b}} {
			for seq := range x.n {
				rtt := time.Duration(1 + random.Int64N(int64(time.Second)))
				if seq > 0 {
					differences += math.Abs(float64(rtt - all[len(all)-1]))
					pairs++
				}
				all = append(all, rtt)
				x.s.Add(seq, rtt)
			}
		}
		before := figuresOf(b)
		inter := rounded((float64(a.Interarrival())*float64(tt.a) + float64(b.Interarrival())*float64(tt.b)) / float64(max(1, tt.a+tt.b)))
		a.Merge(b)
		want := of(10_000, all...)
		f := figuresOf(want)
		f.jitter = 0
		if pairs > 0 {
			f.jitter = rounded(differences / float64(pairs))
		}
		f.interjitt = inter
		if got := figuresOf(a); !got.near(f, 1e-9) {
			t.Errorf("%+v: %+v, want %+v", tt, got, f)
		}
		for q := 0.0; q <= 1; q += 0.1 {
			got, want := a.Percentile(q), want.Percentile(q)
			if math.Abs(float64(got-want)) > float64(want)/100 || tt.a+tt.b <= tt.limit && got != want {
				t.Errorf("%+v: percentile %v is %v, want %v", tt, q, got, want)
			}
		}
		if exact := tt.a+tt.b <= tt.limit; exact != (len(all) == 0 || a.RTTs() != nil) || exact && !slices.Equal(a.RTTs(), all) && len(all) > 0 {
			t.Errorf("%+v: the list is %v", tt, a.RTTs())
		}
		if figuresOf(b) != before {
			t.Errorf("%+v: the one that was merged changed", tt)
		}
	}
}

func TestRule10WhatIsAddedAfterwardsComesLast(t *testing.T) {
	a, b := of(100, ms, ms), new(Series)
	b.Add(1, 2*ms) // 0 never came
	b.Add(7, 3*ms)
	a.Merge(b)
	a.Add(8, 9*ms)
	if want := []time.Duration{ms, ms, 2 * ms, 3 * ms, 9 * ms}; !slices.Equal(a.RTTs(), want) || a.Last() != 9*ms {
		t.Errorf("%v, want %v", a.RTTs(), want)
	}
	if n := len(a.run.order.waiting()); n != 0 {
		t.Errorf("%d wait", n)
	}
	// The greater limit holds.
	a, b = of(2, ms, ms), of(5, ms, ms, ms)
	if a.Merge(b); len(a.RTTs()) != 5 {
		t.Errorf("%v", a.RTTs())
	}
}

func TestRule12ASummaryIsRestored(t *testing.T) {
	for _, limit := range []int{3, 5, 100} {
		for n := range 9 {
			rtts := make([]time.Duration, n)
			for i := range rtts {
				rtts[i] = time.Duration(i*i%7) * ms
			}
			s := of(limit, rtts...)
			r, err := Restore(s.Summary(), n)
			if err != nil {
				t.Fatal(err)
			}
			if figuresOf(&r) != figuresOf(s) || !slices.Equal(r.RTTs(), s.RTTs()) {
				t.Errorf("%d of %d: %+v, want %+v", n, limit, figuresOf(&r), figuresOf(s))
			}
			again, err := Restore(r.Summary(), n)
			if err != nil || figuresOf(&again) != figuresOf(s) {
				t.Errorf("%d of %d: %+v the second time, want %+v", n, limit, figuresOf(&again), figuresOf(s))
			}
			r.Add(n, 50*ms)
			s.Add(n, 50*ms)
			got, want := figuresOf(&r), figuresOf(s)
			if got.median, want.median = 0, 0; !got.near(want, 1e-6) || r.run != nil && len(r.run.order.waiting()) > 0 {
				t.Errorf("%d of %d, and one more: %+v, want %+v", n, limit, got, want)
			}
		}
	}
}

func TestRule12ContradictionsAreRefused(t *testing.T) {
	ok := Summary{Min: ms, Max: 3 * ms, Mean: 2 * ms, Last: 3 * ms, RTTs: []time.Duration{ms, 3 * ms}}
	counted := ok
	counted.RTTs, counted.Buckets = nil, []Bucket{{ms, 1}, {3 * ms, 1}}
	for _, good := range []Summary{ok, counted, {}} {
		if _, err := Restore(good, 2); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for name, change := range map[string]func(f *Summary){
		"smallest":      func(f *Summary) { f.Min = 2 * ms },
		"none smaller":  func(f *Summary) { f.Min = -ms },
		"greatest":      func(f *Summary) { f.Max = 2 * ms },
		"mean below":    func(f *Summary) { f.Mean = ms - 1 },
		"mean above":    func(f *Summary) { f.Mean = 3*ms + 1 },
		"last below":    func(f *Summary) { f.Last = ms - 1 },
		"last above":    func(f *Summary) { f.Last = 3*ms + 1 },
		"both":          func(f *Summary) { f.Buckets = counted.Buckets },
		"RTTs below 0":  func(f *Summary) { f.RTTs, f.Min = []time.Duration{-1, 3 * ms}, -1 },
		"bucket":        func(f *Summary) { f.RTTs, f.Buckets = nil, []Bucket{{-1, 2}} },
		"too many":      func(f *Summary) { f.RTTs, f.Buckets = nil, []Bucket{{ms, math.MaxUint64}} },
		"too many both": func(f *Summary) { f.RTTs, f.Buckets = nil, []Bucket{{ms, math.MaxInt}, {3 * ms, 1}} },
	} {
		f := ok
		change(&f)
		if _, err := Restore(f, 2); err == nil {
			t.Errorf("%s: %+v is restored", name, f)
		}
	}
	edge := counted
	edge.Mean, edge.Last = ms, ms
	if _, err := Restore(edge, 2); err != nil {
		t.Error(err)
	}
	edge.Mean, edge.Last = 3*ms, 3*ms
	edge.Buckets = []Bucket{{ms, math.MaxInt - 1}, {3 * ms, 1}}
	if s, err := Restore(edge, 2); err != nil || s.Count() != math.MaxInt {
		t.Error(s.Count(), err)
	}
	// What is restored without an RTT waits for nothing.
	s, err := Restore(Summary{}, 4)
	if err != nil {
		t.Fatal(err)
	}
	s.Add(4, ms)
	if s.Last() != ms || s.Count() != 1 {
		t.Errorf("%+v", figuresOf(&s))
	}
}

func TestRule11ASkippedProbeIsAmended(t *testing.T) {
	short := new(Series)
	short.Skip(1)
	short.Add(2, 6)
	short.Add(3, 7)
	short.Amend(1, 106)
	if want := []time.Duration{106, 6, 7}; !slices.Equal(short.RTTs(), want) {
		t.Errorf("in a short row: %v, want %v", short.RTTs(), want)
	}
	for first, want := range [][]time.Duration{
		{0, 1, 2, 3, 4, 5, 7, 106}, // its turn has passed
		{1, 2, 3, 4, 5, 106, 7},    // it waits, for 0 never came
	} {
		s := new(Series)
		for seq := first; seq < 8; seq++ {
			if seq == 6 {
				s.Skip(seq)
				continue
			}
			s.Add(seq, time.Duration(seq))
		}
		if s.Amend(6, 106); !slices.Equal(s.RTTs(), want) || s.Max() != 106 {
			t.Errorf("%v, want %v", s.RTTs(), want)
		}
	}
	for _, limit := range []int{5, 6, 7} { // as the last that is kept, or the first too many
		s := new(Series)
		s.Keep(limit)
		for seq := 1; seq < 7; seq++ {
			s.Add(seq, ms)
		}
		s.Skip(7)
		s.Amend(7, -2)
		exact := len(s.RTTs())
		if n := len(s.Summary().Buckets); (exact == 7) != (limit == 7) || (n == 2) != (limit < 7) || s.Count() != 7 || s.Min() != 0 {
			t.Errorf("%d kept: %d RTTs and %d buckets of %d", limit, exact, n, s.Count())
		}
	}
	s := of(9)
	if s.Amend(4, ms); s.Count() != 1 {
		t.Error("what nobody skipped is not added")
	}
}

func TestRule1OfOneOrdinalTheFirstToArriveIsFirst(t *testing.T) {
	s := of(9, 1, 2, 3, 4, 5)
	s.Add(7, 10)
	s.Add(7, 20)
	if got := s.RTTs(); !slices.Equal(got, []time.Duration{1, 2, 3, 4, 5, 10, 20}) || s.Last() != 20 {
		t.Errorf("%v", got)
	}
}

func TestRule3ASlidingWindowTakesNoMoreMemory(t *testing.T) {
	var o order
	o.hold(sample{1 << 20, 1}) // which is far ahead, and waits all the time
	for seq := 0; seq < 10000; seq += 2 {
		o.hold(sample{seq + 1, 1})
		if !o.inTurn(seq) {
			t.Fatalf("%d has to wait", seq)
		}
		if x, ok := o.release(); !ok || x.seq != seq+1 {
			t.Fatalf("%+v comes, %v, behind %d", x, ok, seq)
		}
		if _, ok := o.release(); ok {
			t.Fatalf("what is far ahead comes behind %d", seq+1)
		}
		if cap(o.held) > 32 {
			t.Fatalf("room for %d samples at %d", cap(o.held), seq)
		}
	}
}

func TestRule12WhatJSONSaysIsRestored(t *testing.T) {
	codec := fields.Codec[Series]{List: func(s *Series, o *fields.Object) { s.Fields(o, 9) }}
	for _, tt := range []struct {
		s    *Series
		want string
	}{
		{of(9), `{"min_rtt_ms":null,"avg_rtt_ms":null,"max_rtt_ms":null,"last_rtt_ms":null,"median_rtt_ms":null,"p95_rtt_ms":null,` +
			`"p99_rtt_ms":null,"stddev_rtt_ms":null,"jitter_ms":null,"interarrival_jitter_ms":null,"rtts_ms":[]}`},
		{of(9, 2000, 4000), `{"min_rtt_ms":0.002,"avg_rtt_ms":0.003,"max_rtt_ms":0.004,"last_rtt_ms":0.004,"median_rtt_ms":0.002,"p95_rtt_ms":0.004,` +
			`"p99_rtt_ms":0.004,"stddev_rtt_ms":0.001414,"jitter_ms":0.002,"interarrival_jitter_ms":0.000125,"rtts_ms":[0.002,0.004]}`},
		{of(4, 1, 2, 3, 4, 5), `{"min_rtt_ms":0.000001,"avg_rtt_ms":0.000003,"max_rtt_ms":0.000005,"last_rtt_ms":0.000005,"median_rtt_ms":0.000003,"p95_rtt_ms":0.000005,` +
			`"p99_rtt_ms":0.000005,"stddev_rtt_ms":0.000002,"jitter_ms":0.000001,"interarrival_jitter_ms":0,"rtts_ms":[],"histogram":[` +
			`{"rtt_ms":0.000001,"count":1},{"rtt_ms":0.000002,"count":1},{"rtt_ms":0.000003,"count":1},{"rtt_ms":0.000004,"count":1},{"rtt_ms":0.000005,"count":1}]}`},
	} {
		text, err := codec.Append(nil, tt.s)
		if err != nil || string(text) != tt.want {
			t.Errorf("%v\n%s\nwant\n%s", err, text, tt.want)
		}
		var back Series
		if err := codec.Read(text, &back); err != nil || back.Count() != tt.s.Count() || back.StdDev() != tt.s.StdDev() || back.Percentile(0.5) != tt.s.Percentile(0.5) {
			t.Errorf("%+v, %v", figuresOf(&back), err)
		}
	}
	if err := codec.Read([]byte(`{"min_rtt_ms":2,"rtts_ms":[1]}`), &Series{}); err == nil {
		t.Error("figures that contradict each other are read")
	}
}

func TestAHistogramWidensByDoublings(t *testing.T) {
	for _, tt := range []struct {
		rtt    time.Duration
		bucket int
		middle time.Duration
	}{{-1, 0, 0}, {0, 0, 0}, {127, 127, 127}, {128, 128, 129}, {129, 128, 129}, {255, 191, 255}, {256, 192, 258}, {1 << 20, 960, 1<<20 + 1<<13}} {
		if b := bucketOf(tt.rtt); b != tt.bucket || middleOf(b) != tt.middle {
			t.Errorf("%d is in bucket %d around %d, want %d around %d", tt.rtt, b, middleOf(b), tt.bucket, tt.middle)
		}
	}
	var h histogram
	h.add(1 << 20)
	if n := testing.AllocsPerRun(10, func() { h.add(1 << 20); h.add(1<<21 - 1) }); n > 0 || len(h.counts) != bucketsPerDoubling {
		t.Errorf("%d buckets, %v allocations", len(h.counts), n)
	}
	h.add(1<<20 - 1)
	h.add(1 << 21)
	if len(h.counts) != 3*bucketsPerDoubling {
		t.Errorf("%d buckets, want those of 3 doublings", len(h.counts))
	}
}

func TestRule6TheNearestRankIsThatOfTheDecimalFraction(t *testing.T) {
	for _, tt := range []struct {
		q       float64
		n, rank int
	}{{0.07, 100, 7}, {0.29, 100, 29}, {0.0701, 100, 8}, {0, 3, 1}, {1, 3, 3}, {2, 3, 3}} {
		if got := nearestRank(tt.q, tt.n); got != tt.rank {
			t.Errorf("%v of %d: rank %d, want %d", tt.q, tt.n, got, tt.rank)
		}
	}
}

// What was merged weighs as much as it has values when more is merged.
func TestMergedRowsWeighTheirLengths(t *testing.T) {
	var q sequence
	for i := range 3 {
		q.merge(sequence{n: 10, interarrival: float64(i + 1)})
	}
	if q.n != 30 || q.interarrival != 2 {
		t.Errorf("%d values, interarrival %v, want 30 and 2", q.n, q.interarrival)
	}
}
