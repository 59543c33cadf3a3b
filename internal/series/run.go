package series

import (
	"math"
	"slices"
	"time"
)

// run is what is kept of the RTTs of a Series that is not short.
//
// What no order matters to is up to date with each sample. What is in sending
// order lags behind by the samples that wait for their turn, and is completed
// with them whenever it is asked for.
type run struct {
	spread    spread
	sequence  sequence
	order     order
	limit     int             // of RTTs in list
	list      []time.Duration // in sending order, without those that wait
	histogram *histogram      // of all RTTs, in place of list, once there are more
}

// settle takes a sample.
func (r *run) settle(x sample) {
	if x.rtt != none {
		r.spread.add(x.rtt)
		if r.histogram != nil {
			r.histogram.add(x.rtt)
		}
	}
	if r.order.inTurn(x.seq) {
		r.take(x.rtt)
	} else {
		r.order.hold(x)
	}
	for {
		x, ok := r.order.release()
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
func (r *run) amend(x sample) bool {
	i := slices.Index(r.order.waiting(), sample{x.seq, none})
	if i < 0 {
		return false
	}
	r.order.waiting()[i] = x
	r.spread.add(x.rtt)
	if r.histogram != nil {
		r.histogram.add(x.rtt)
	} else if r.spread.n > r.limit {
		r.condense()
	}
	return true
}

// take takes the next RTT in sending order.
func (r *run) take(rtt time.Duration) {
	if rtt == none {
		return
	}
	r.sequence.add(rtt)
	if r.histogram == nil {
		r.list = append(r.list, rtt)
	}
}

// condense puts the histogram in the place of the list.
func (r *run) condense() {
	h := new(histogram)
	r.count(h)
	r.histogram, r.list = h, nil
}

// complete returns the sequence with those that wait for their turn.
func (r *run) complete() sequence {
	q := r.sequence
	for _, x := range r.order.waiting() {
		if x.rtt != none {
			q.add(x.rtt)
		}
	}
	return q
}

// rtts returns a new list of all RTTs in sending order, nil if there is none.
func (r *run) rtts() []time.Duration {
	if r.histogram != nil || r.spread.n == 0 {
		return nil
	}
	all := make([]time.Duration, 0, r.spread.n)
	all = append(all, r.list...)
	for _, x := range r.order.waiting() {
		if x.rtt != none {
			all = append(all, x.rtt)
		}
	}
	return all
}

// percentile is [Series.Percentile].
func (r *run) percentile(q float64) time.Duration {
	n := r.spread.n
	if n == 0 {
		return 0
	}
	rank := nearestRank(q, n)
	if rank == 1 {
		return r.spread.min
	}
	if rank == n {
		return r.spread.max
	}
	if r.histogram != nil {
		return min(max(r.histogram.value(rank), r.spread.min), r.spread.max)
	}
	rtts := r.rtts()
	slices.Sort(rtts)
	return rtts[rank-1]
}

// merge takes what another run holds. What waits for its turn in either is taken.
func (r *run) merge(o *run) {
	sequence, rtts := r.complete(), r.rtts()
	sequence.merge(o.complete())
	exact := r.histogram == nil && o.histogram == nil && r.spread.n+o.spread.n <= max(r.limit, o.limit)
	counted := r.histogram // which goes on, for it may be much larger than o
	if !exact {
		if counted == nil {
			counted = new(histogram)
			r.count(counted)
		}
		o.count(counted)
	}
	r.spread.merge(o.spread)
	r.sequence, r.limit = sequence, max(r.limit, o.limit)
	r.order.skipTo(max(r.order.end(), o.order.end()))
	if exact {
		r.list = append(rtts, o.rtts()...)
		return
	}
	r.list, r.histogram = nil, counted
}

// count adds all RTTs to a histogram.
func (r *run) count(h *histogram) {
	if r.histogram != nil {
		h.merge(r.histogram)
		return
	}
	for _, rtt := range r.rtts() {
		h.add(rtt)
	}
}

// clone returns a copy that does not change with r, nor r with it. The list is
// shared as far as it goes, for it only grows, and each of the two grows into
// memory of its own: a clone costs little, however long the run is.
func (r *run) clone() *run {
	c := *r
	c.list = slices.Clip(r.list)
	c.order.held = slices.Clone(r.order.held)
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
	return min(max(rounded(p.mean), p.min), p.max)
}

func (p spread) deviation() time.Duration {
	if p.n < 2 {
		return 0
	}
	return rounded(math.Sqrt(p.squares / float64(p.n-1)))
}

// merge takes a set that is summed up already: Chan, Golub and LeVeque's formula
// for the variance of the union.
func (p *spread) merge(o spread) {
	if o.n == 0 {
		return
	}
	if p.n == 0 {
		*p = o
		return
	}
	p.min, p.max = min(p.min, o.min), max(p.max, o.max)
	n, m := float64(p.n), float64(o.n)
	delta := o.mean - p.mean
	p.mean += delta * m / (n + m)
	p.squares += o.squares + delta*delta*n*m/(n+m)
	p.n += o.n
}

// sequence holds the figures of RTTs in sending order.
type sequence struct {
	n            int
	last         time.Duration
	pairs        int     // of consecutive RTTs
	differences  float64 // sum of their |D|, in nanoseconds
	interarrival float64 // J of RFC 3550 section 6.4.1, in nanoseconds
}

func (q *sequence) add(rtt time.Duration) {
	if q.n > 0 {
		// D of RFC 3550 is the difference of two transit times. Both ends of an
		// RTT are measured by one clock, so here it is that of two RTTs.
		d := math.Abs(float64(rtt - q.last))
		q.pairs++
		q.differences += d
		q.interarrival += (d - q.interarrival) / 16
	}
	q.n++
	q.last = rtt
}

func (q sequence) jitter() time.Duration {
	if q.pairs == 0 {
		return 0
	}
	return rounded(q.differences / float64(q.pairs))
}

// merge takes the figures of another row of RTTs, which goes on where this one
// ends, but is none with it: what lies between the two is no pair.
func (q *sequence) merge(o sequence) {
	if o.n == 0 {
		return
	}
	n, m := float64(q.n), float64(o.n)
	q.interarrival = (q.interarrival*n + o.interarrival*m) / (n + m)
	q.n, q.last = q.n+o.n, o.last
	q.pairs, q.differences = q.pairs+o.pairs, q.differences+o.differences
}

// nearestRank returns the rank, from 1 to n, of the percentile q of n values.
func nearestRank(q float64, n int) int {
	if !(q > 0) { // not a number, too
		return 1
	}
	// 0.07*100 is 7.000000000000001 in binary, and means 7.
	const noise = 1e-12
	rank := math.Ceil(min(q, 1) * float64(n) * (1 - noise))
	return min(max(int(rank), 1), n)
}

// rounded returns the Duration nearest to a number of nanoseconds.
func rounded(ns float64) time.Duration { return time.Duration(math.Round(ns)) }
