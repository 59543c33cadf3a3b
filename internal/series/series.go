// Package series keeps round-trip times: their spread, their percentiles and how
// they vary from one to the next.
//
// Its rules, each with a test of its number:
//
//  1. What depends on an order is in sending order. A sample that comes ahead of its
//     turn waits for those before it; until then it counts as the end of the row.
//  2. An ordinal whose turn has passed is taken as it comes: it is another row's.
//  3. Of more than maxHeld samples that wait, the missing ones are given up.
//  4. RTTs are kept one by one up to a limit. One more, and a histogram takes their
//     place, whose size does not depend on their number.
//  5. The first four samples take no memory of their own.
//  6. A percentile is the nearest rank's. The smallest and the greatest RTT are
//     exact always, what is between them to 1/128 once there is a histogram.
//  7. The mean lies between the extremes; the deviation is that of a sample (n-1).
//  8. Jitter is the mean difference of consecutive RTTs, and the interarrival
//     jitter that of RFC 3550 section 6.4.1. A probe without an RTT is passed over.
//  9. A clone shares nothing with its original that either changes.
//  10. Merging two series gives the figures of all their RTTs together. No pair is
//     made of the end of the one and the beginning of the other.
//  11. A skipped probe is given an RTT afterwards; where its turn has passed, it comes
//     last.
//  12. What is restored of a Summary has its figures, and goes on from there.
package series

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"
)

// shortRun is how many samples fit into a Series itself. Most pings of very many
// hosts are that short, and allocate nothing for their statistics.
const shortRun = 4

// DefaultKeep is how many RTTs a Series keeps that was told nothing else.
const DefaultKeep = 1024

// Series is the RTTs of one row of probes. Its zero value is ready for use. It is
// not safe for concurrent use, and [Series.Clone] copies it.
type Series struct {
	limit int32 // of RTTs to keep; 0: DefaultKeep
	early uint8
	first [shortRun]sample // the first to be settled, as they came
	run   *run             // all of them; nil until there are more
}

// Keep has s keep up to count RTTs, and not [DefaultKeep]. It is to be called
// before the first sample.
func (s *Series) Keep(count int) { s.limit = int32(min(count, math.MaxInt32)) }

// Add takes the RTT of the probe with an ordinal. Less than 0 counts as 0.
func (s *Series) Add(seq int, rtt time.Duration) { s.settle(sample{seq, max(rtt, 0)}) }

// Skip takes note that the probe with an ordinal has no RTT.
func (s *Series) Skip(seq int) { s.settle(sample{seq, none}) }

// Amend gives an RTT to a probe that was skipped. Where its turn has passed, the
// RTT comes last.
func (s *Series) Amend(seq int, rtt time.Duration) {
	x := sample{seq, max(rtt, 0)}
	if s.run != nil {
		if !s.run.amend(x) {
			s.run.settle(x)
		}
		return
	}
	if i := slices.Index(s.first[:s.early], sample{seq, none}); i >= 0 {
		s.first[i] = x
		return
	}
	s.settle(x)
}

func (s *Series) settle(x sample) {
	if s.run == nil && s.early < shortRun {
		s.first[s.early] = x
		s.early++
		return
	}
	s.grow()
	s.run.settle(x)
}

// grow moves the first samples into a run.
func (s *Series) grow() {
	if s.run != nil {
		return
	}
	s.run = &run{limit: int(cmp.Or(s.limit, DefaultKeep))}
	for _, x := range s.first[:s.early] {
		s.run.settle(x)
	}
}

// Clone returns a copy that shares nothing with s that either changes.
func (s *Series) Clone() Series {
	c := *s
	if s.run != nil {
		c.run = s.run.clone()
	}
	return c
}

// Count returns how many RTTs there are.
func (s *Series) Count() int { return s.spread().n }

// Min returns the smallest RTT, 0 if there is none.
func (s *Series) Min() time.Duration { return s.spread().min }

// Mean returns the mean of the RTTs, 0 if there is none.
func (s *Series) Mean() time.Duration { return s.spread().average() }

// Max returns the greatest RTT, 0 if there is none.
func (s *Series) Max() time.Duration { return s.spread().max }

// StdDev returns the sample standard deviation, 0 of fewer than two RTTs.
func (s *Series) StdDev() time.Duration { return s.spread().deviation() }

// Last returns the last RTT in sending order, 0 if there is none.
func (s *Series) Last() time.Duration { return s.sequence().last }

// Jitter returns the mean of the absolute differences of consecutive RTTs.
func (s *Series) Jitter() time.Duration { return s.sequence().jitter() }

// Interarrival returns the jitter of RFC 3550 section 6.4.1.
func (s *Series) Interarrival() time.Duration { return rounded(s.sequence().interarrival) }

// Percentile returns the smallest RTT that the part q of all does not exceed.
func (s *Series) Percentile(q float64) time.Duration {
	if s.run != nil {
		return s.run.percentile(q)
	}
	var store [shortRun]time.Duration
	rtts := store[:0]
	for _, x := range s.first[:s.early] {
		if x.rtt != none {
			rtts = append(rtts, x.rtt)
		}
	}
	if len(rtts) == 0 {
		return 0
	}
	slices.Sort(rtts)
	return rtts[nearestRank(q, len(rtts))-1]
}

// RTTs returns a new list of all RTTs in sending order; nil if there is none, or
// if only a histogram is left.
func (s *Series) RTTs() []time.Duration {
	if s.run != nil {
		return s.run.rtts()
	}
	var rtts []time.Duration
	ordered := s.ordered()
	for _, x := range ordered[:s.early] {
		if x.rtt != none {
			rtts = append(rtts, x.rtt)
		}
	}
	return rtts
}

// Merge adds the RTTs of another row. They come behind those of s: the last RTT is
// the other's. The interarrival jitter becomes the mean of both, weighed by how
// many RTTs each has.
func (s *Series) Merge(o *Series) {
	s.grow()
	other := o.Clone()
	other.grow()
	s.run.merge(other.run)
}

// Summary is a Series in the form that is stored.
type Summary struct {
	Mean, StdDev, Last, Jitter, Interarrival time.Duration
	Min, Max                                 time.Duration
	RTTs                                     []time.Duration // in sending order; nil: see Buckets
	Buckets                                  []Bucket        // of the histogram
}

// Summary returns what [Restore] makes a Series of again.
func (s *Series) Summary() Summary {
	p, q := s.spread(), s.sequence()
	f := Summary{Mean: p.average(), StdDev: p.deviation(), Last: q.last, Jitter: q.jitter(),
		Interarrival: rounded(q.interarrival), Min: p.min, Max: p.max, RTTs: s.RTTs()}
	if s.run != nil && s.run.histogram != nil {
		f.Buckets = s.run.histogram.buckets()
	}
	return f
}

// errSummary is what Restore says of figures that no Series has.
var errSummary = errors.New("RTTs or their extremes contradict each other")

// Restore makes a Series of a Summary. The next probe is the one with the ordinal
// next.
func Restore(f Summary, next int) (Series, error) {
	r := &run{limit: max(DefaultKeep, len(f.RTTs)), list: f.RTTs}
	r.order.skipTo(next)
	var p spread
	for _, rtt := range f.RTTs {
		p.add(rtt)
	}
	if len(f.Buckets) > 0 {
		if len(f.RTTs) > 0 {
			return Series{}, errSummary
		}
		r.list, r.histogram = nil, new(histogram)
		for _, b := range f.Buckets {
			if b.RTT < 0 || b.Count > uint64(math.MaxInt-p.n) { // their sum stays a number
				return Series{}, errSummary
			}
			r.histogram.addMany(bucketOf(b.RTT), b.Count)
			p.n += int(b.Count)
		}
		p.min, p.max = f.Min, f.Max
	}
	if p.n == 0 {
		return Series{run: r}, nil
	}
	if p.min < 0 || f.Min != p.min || f.Max != p.max || f.Min > f.Mean || f.Mean > f.Max || f.Last < f.Min || f.Last > f.Max {
		return Series{}, errSummary
	}
	p.mean, p.squares = float64(f.Mean), float64(f.StdDev)*float64(f.StdDev)*float64(p.n-1)
	r.spread = p
	r.sequence = sequence{n: p.n, last: f.Last, pairs: p.n - 1,
		differences: float64(f.Jitter) * float64(p.n-1), interarrival: float64(f.Interarrival)}
	return Series{run: r}, nil
}

// spread returns the figures that no order matters to.
func (s *Series) spread() spread {
	if s.run != nil {
		return s.run.spread
	}
	var p spread
	for _, x := range s.first[:s.early] {
		if x.rtt != none {
			p.add(x.rtt)
		}
	}
	return p
}

// sequence returns the figures in sending order. What came ahead of its turn
// is taken for the end of the row, which to this moment it is.
func (s *Series) sequence() sequence {
	if s.run != nil {
		return s.run.complete()
	}
	var q sequence
	ordered := s.ordered()
	for _, x := range ordered[:s.early] {
		if x.rtt != none {
			q.add(x.rtt)
		}
	}
	return q
}

// ordered returns the samples of a short row in sending order: what order does
// for a longer one, without its memory.
func (s *Series) ordered() (all [shortRun]sample) {
	gone, next := 0, 0 // how many have had their turn, and whose it is
	for i, x := range s.first[:s.early] {
		at := i
		for ; at > gone && all[at-1].seq > x.seq; at-- {
			all[at] = all[at-1]
		}
		all[at] = x
		for ; gone <= i && all[gone].seq <= next; gone++ {
			next = max(next, all[gone].seq+1)
		}
	}
	return all
}
