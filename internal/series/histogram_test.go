package series

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramBucketsErrByLessThanOnePercent(t *testing.T) {
	check := func(rtt time.Duration) {
		middle := middleOf(bucketOf(rtt))
		if off := math.Abs(float64(middle - rtt)); off > float64(rtt)/128 {
			t.Errorf("%v is told as %v: off by %.2f %%", rtt, middle, 100*off/float64(rtt))
		}
	}
	for rtt := time.Duration(0); rtt < 1<<12; rtt++ {
		check(rtt)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		check(time.Duration(math.Exp(random.Float64() * math.Log(math.MaxInt64))))
	}
	check(math.MaxInt64)
}

func TestHistogramBucketsFollowEachOther(t *testing.T) {
	for shift := range 62 {
		edge := time.Duration(1) << shift
		if before, at := bucketOf(edge-1), bucketOf(edge); at != before+1 {
			t.Errorf("bucket of %d is %d, of one less %d", edge, at, before)
		}
	}
	if got := bucketOf(-1); got != 0 {
		t.Errorf("bucket of -1 is %d", got)
	}
}

func TestHistogramTakesMemoryForItsRangeOnly(t *testing.T) {
	tests := []struct {
		name    string
		rtts    []time.Duration
		buckets int
	}{
		{"one RTT takes its own doubling", []time.Duration{10 * time.Millisecond}, 64},
		{"equal RTTs take no more", slices.Repeat([]time.Duration{time.Second}, 1000), 64},
		{"10 ms to 200 ms span five doublings", []time.Duration{10 * time.Millisecond, 200 * time.Millisecond}, 5 * 64},
		{"the same, the greater first", []time.Duration{200 * time.Millisecond, 10 * time.Millisecond}, 5 * 64},
		{"100 ns to 10 hours", []time.Duration{100, 10 * time.Hour}, 40 * 64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h histogram
			for _, rtt := range tt.rtts {
				h.add(rtt)
			}
			if got := len(h.counts); got != tt.buckets {
				t.Errorf("%d buckets, want %d", got, tt.buckets)
			}
			var sum uint64
			for _, n := range h.counts {
				sum += n
			}
			if sum != uint64(len(tt.rtts)) {
				t.Errorf("counts sum up to %d, want %d", sum, len(tt.rtts))
			}
		})
	}
}

func TestHistogramFindsEachRank(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var h histogram
	rtts := make([]time.Duration, 5000)
	for i := range rtts {
		rtts[i] = time.Duration(math.Exp(random.NormFloat64()) * 1e7)
		h.add(rtts[i])
	}
	slices.Sort(rtts)
	for i, want := range rtts {
		got := h.value(i + 1)
		if off := math.Abs(float64(got - want)); off > float64(want)/100 {
			t.Errorf("rank %d is %v, want %v", i+1, got, want)
		}
	}
}

func FuzzHistogramBucket(f *testing.F) {
	for _, ns := range []int64{0, 1, 127, 128, 129, 255, 256, 1e6, 1e9, math.MaxInt64} {
		f.Add(ns)
	}
	f.Fuzz(func(t *testing.T, ns int64) {
		bucket := bucketOf(time.Duration(ns))
		if bucket < 0 || bucketOf(middleOf(bucket)) != bucket {
			t.Errorf("%d is in bucket %d, whose middle is in %d", ns, bucket, bucketOf(middleOf(bucket)))
		}
	})
}

func BenchmarkHistogramAdd(b *testing.B) {
	var h histogram
	h.add(time.Millisecond)
	h.add(time.Second)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.add(time.Millisecond + time.Duration(i%900)*time.Millisecond)
	}
}
