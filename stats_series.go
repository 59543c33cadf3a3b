package icmplib

import (
	"math"
	"slices"
	"time"
)

// sample is a settled probe: its ordinal, and its RTT if it has one.
type sample struct {
	seq int
	rtt time.Duration
}

// noRTT is the rtt of a sample that has none.
const noRTT time.Duration = -1

// series is what is kept of the RTTs of a run that is not short.
//
// What no order matters to is up to date with each sample. What is in sending
// order lags behind by the samples that wait for their turn, and is completed
// with them whenever it is asked for.
type series struct {
	spread    spread
	sequence  sequence
	turns     turns
	limit     int             // of RTTs in list
	list      []time.Duration // in sending order, without those in turns
	histogram *histogram      // of all RTTs, in place of list, once there are more
}

// settle takes a sample.
func (r *series) settle(x sample) {
	if x.rtt != noRTT {
		r.spread.add(x.rtt)
		if r.histogram != nil {
			r.histogram.add(x.rtt)
		}
	}
	if r.turns.inTurn(x.seq) {
		r.take(x.rtt)
	} else {
		r.turns.hold(x)
	}
	for {
		x, ok := r.turns.release()
		if !ok {
			break
		}
		r.take(x.rtt)
	}
	if r.histogram == nil && r.spread.n > r.limit {
		r.condense()
	}
}

// amend gives an RTT to a sample that waits for its turn without one, and
// reports whether there is such a sample.
func (r *series) amend(x sample) bool {
	i := slices.Index(r.turns.waiting(), sample{x.seq, noRTT})
	if i < 0 {
		return false
	}
	r.turns.waiting()[i] = x
	r.spread.add(x.rtt)
	if r.histogram != nil {
		r.histogram.add(x.rtt)
	} else if r.spread.n > r.limit {
		r.condense()
	}
	return true
}

// take takes the next RTT in sending order.
func (r *series) take(rtt time.Duration) {
	if rtt == noRTT {
		return
	}
	r.sequence.add(rtt)
	if r.histogram == nil {
		r.list = append(r.list, rtt)
	}
}

// condense puts the histogram in the place of the list.
func (r *series) condense() {
	r.histogram = new(histogram)
	for _, rtt := range r.list {
		r.histogram.add(rtt)
	}
	for _, x := range r.turns.waiting() {
		if x.rtt != noRTT {
			r.histogram.add(x.rtt)
		}
	}
	r.list = nil
}

// complete returns the sequence with those that wait for their turn.
func (r *series) complete() sequence {
	q := r.sequence
	for _, x := range r.turns.waiting() {
		if x.rtt != noRTT {
			q.add(x.rtt)
		}
	}
	return q
}

// rtts returns a new list of all RTTs in sending order, nil if there is none.
func (r *series) rtts() []time.Duration {
	if r.histogram != nil || r.spread.n == 0 {
		return nil
	}
	all := make([]time.Duration, 0, r.spread.n)
	all = append(all, r.list...)
	for _, x := range r.turns.waiting() {
		if x.rtt != noRTT {
			all = append(all, x.rtt)
		}
	}
	return all
}

// percentile is [Stats.Percentile].
func (r *series) percentile(q float64) time.Duration {
	n := r.spread.n
	if n == 0 {
		return 0
	}
	rank := nearestRank(q, n)
	switch {
	case rank == 1:
		return r.spread.min
	case rank == n:
		return r.spread.max
	case r.histogram != nil:
		return min(max(r.histogram.value(rank), r.spread.min), r.spread.max)
	}
	rtts := r.rtts()
	slices.Sort(rtts)
	return rtts[rank-1]
}

// clone returns a copy that does not change with r, nor r with it. The list is
// shared as far as it goes, for it only grows, and each of the two grows into
// memory of its own: a clone costs little, however long the run is.
func (r *series) clone() *series {
	c := *r
	c.list = slices.Clip(r.list)
	c.turns.held = slices.Clone(r.turns.held)
	if r.histogram != nil {
		c.histogram = r.histogram.clone()
	}
	return &c
}

// spread holds the figures of a set of RTTs that no order matters to. The
// variance is Welford's, which does not suffer from RTTs that are long and
// alike as the sum of squares does.
type spread struct {
	n        int
	min, max time.Duration
	mean     float64 // nanoseconds
	squares  float64 // sum of the squared differences from the mean
}

func (p *spread) add(rtt time.Duration) {
	if p.n == 0 {
		p.min, p.max = rtt, rtt
	}
	p.n++
	p.min, p.max = min(p.min, rtt), max(p.max, rtt)
	delta := float64(rtt) - p.mean
	p.mean += delta / float64(p.n)
	p.squares += delta * (float64(rtt) - p.mean)
}

// average returns the mean. Its rounding must not carry it past the extremes.
func (p spread) average() time.Duration {
	return min(max(roundDuration(p.mean), p.min), p.max)
}

func (p spread) deviation() time.Duration {
	if p.n < 2 {
		return 0
	}
	return roundDuration(math.Sqrt(p.squares / float64(p.n-1)))
}

// sequence holds the figures of RTTs in sending order.
type sequence struct {
	n            int
	last         time.Duration
	differences  float64 // sum of |D|, in nanoseconds
	interarrival float64 // J of RFC 3550 section 6.4.1, in nanoseconds
}

func (q *sequence) add(rtt time.Duration) {
	if q.n > 0 {
		// D of RFC 3550 is the difference of two transit times. Both ends of an
		// RTT are measured by one clock, so here it is that of two RTTs.
		d := math.Abs(float64(rtt - q.last))
		q.differences += d
		q.interarrival += (d - q.interarrival) / 16
	}
	q.n++
	q.last = rtt
}

func (q sequence) jitter() time.Duration {
	if q.n < 2 {
		return 0
	}
	return roundDuration(q.differences / float64(q.n-1))
}
