package series

import (
	"math/bits"
	"slices"
	"time"
)

// histogram counts RTTs in buckets whose width grows with the RTT, so that the
// middle of a bucket is never further from what it counts than 1/128 of it.
//
// Each doubling of the RTT is cut into 64 buckets of equal width: the highest 7
// bits tell them apart, which needs no logarithm. Below 128 ns each
// nanosecond has its own. Only the doublings between the smallest and the
// greatest RTT take memory: an RTT between 10 ms and 200 ms, 2.5 KiB.
type histogram struct {
	low    int // the bucket that counts[0] counts
	counts []uint64
}

// bucketsPerDoubling is a power of two. Half its inverse is the error.
const bucketsPerDoubling = 64

// bucketOf returns the bucket of an RTT.
func bucketOf(rtt time.Duration) int {
	ns := uint64(max(rtt, 0))
	if ns < 2*bucketsPerDoubling {
		return int(ns)
	}
	// The shift leaves a number from 64 to 127.
	shift := bits.Len64(ns) - bits.Len64(bucketsPerDoubling)
	return shift*bucketsPerDoubling + int(ns>>shift)
}

// middleOf returns the RTT in the middle of a bucket: the inverse of bucketOf.
func middleOf(bucket int) time.Duration {
	if bucket < 2*bucketsPerDoubling {
		return time.Duration(bucket)
	}
	shift := bucket/bucketsPerDoubling - 1
	from := uint64(bucket-shift*bucketsPerDoubling) << shift
	return time.Duration(from + 1<<shift/2)
}

// Bucket is a number of RTTs that differ by less than 1/64 of themselves, and the
// RTT in the middle of what they can be.
type Bucket struct {
	RTT   time.Duration
	Count uint64
}

func (h *histogram) add(rtt time.Duration) { h.addMany(bucketOf(rtt), 1) }

// cover widens the histogram to the whole doubling that the bucket is in.
func (h *histogram) cover(bucket int) {
	from := bucket - bucket%bucketsPerDoubling
	to := from + bucketsPerDoubling
	if len(h.counts) > 0 {
		from = min(from, h.low)
		to = max(to, h.low+len(h.counts))
	}
	counts := make([]uint64, to-from)
	if len(h.counts) > 0 {
		copy(counts[h.low-from:], h.counts)
	}
	h.low, h.counts = from, counts
}

// value returns about the RTT of a rank, from 1 to the number of RTTs.
func (h *histogram) value(rank int) time.Duration {
	left := uint64(rank)
	for i, n := range h.counts {
		if n >= left {
			return middleOf(h.low + i)
		}
		left -= n
	}
	return 0
}

// merge adds what o counts.
func (h *histogram) merge(o *histogram) {
	for i, n := range o.counts {
		h.addMany(o.low+i, n)
	}
}

// addMany counts n RTTs of a bucket.
func (h *histogram) addMany(bucket int, n uint64) {
	if n == 0 {
		return
	}
	if bucket < h.low || bucket >= h.low+len(h.counts) {
		h.cover(bucket)
	}
	h.counts[bucket-h.low] += n
}

// buckets returns those that count anything, in ascending order.
func (h *histogram) buckets() (all []Bucket) {
	for i, n := range h.counts {
		if n > 0 {
			all = append(all, Bucket{middleOf(h.low + i), n})
		}
	}
	return all
}

func (h *histogram) clone() *histogram {
	return &histogram{low: h.low, counts: slices.Clone(h.counts)}
}
