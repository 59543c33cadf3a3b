package icmplib

import (
	"math"
	"slices"
	"time"
)

// MinRTT returns the smallest RTT, 0 if there is none.
func (s *Stats) MinRTT() time.Duration { return s.spread().min }

// AvgRTT returns the mean of the RTTs, 0 if there is none.
func (s *Stats) AvgRTT() time.Duration { return s.spread().average() }

// MaxRTT returns the greatest RTT, 0 if there is none.
func (s *Stats) MaxRTT() time.Duration { return s.spread().max }

// StdDev returns the sample standard deviation of the RTTs, the root of the sum
// of squared differences from the mean over n-1: 7.07 ms for 10 ms and 20 ms.
// It is 0 if there are fewer than two.
func (s *Stats) StdDev() time.Duration { return s.spread().deviation() }

// LastRTT returns the RTT of the last probe sent that has one, 0 if none has.
func (s *Stats) LastRTT() time.Duration { return s.sequence().last }

// Jitter returns the mean of the absolute differences of consecutive RTTs in
// sending order. Probes without an RTT are passed over. It is 0 if there are
// fewer than two RTTs.
func (s *Stats) Jitter() time.Duration { return s.sequence().jitter() }

// InterarrivalJitter returns the jitter of RFC 3550 section 6.4.1: starting at
// 0, each difference D of consecutive RTTs in sending order moves it by a
// sixteenth of its distance from |D|. It favours what was sent last.
func (s *Stats) InterarrivalJitter() time.Duration {
	return roundDuration(s.sequence().interarrival)
}

// MaxLateRTT returns the greatest RTT of a late answer, 0 if there was none:
// with a timeout that long it would have been in time.
func (s *Stats) MaxLateRTT() time.Duration { return s.maxLate }

// Percentile returns the RTT that the part q of all RTTs, from 0 to 1, does not
// exceed, by the nearest-rank method: the smallest RTT of which that is true,
// with no interpolation. 0.5 gives the median, 0.95 what 19 of 20 replies keep
// to. q below 0 or not a number counts as 0 and gives the smallest RTT, above 1
// it counts as 1 and gives the greatest. It is 0 if there is no RTT.
//
// As long as [Stats.RTTs] returns the RTTs it is exact. After that it errs by 1
// % at most, the smallest and the greatest RTT excepted, which stay exact.
func (s *Stats) Percentile(q float64) time.Duration {
	if s.run != nil {
		return s.run.percentile(q)
	}
	var store [shortRun]time.Duration
	rtts := store[:0]
	for _, x := range s.first[:s.early] {
		if x.rtt != noRTT {
			rtts = append(rtts, x.rtt)
		}
	}
	if len(rtts) == 0 {
		return 0
	}
	slices.Sort(rtts)
	return rtts[nearestRank(q, len(rtts))-1]
}

// RTTs returns the RTT of each probe that has one, in sending order. The slice
// is the caller's own. It is nil if there is none, and when there are more than
// s keeps (see [Stats]): only their histogram is left then.
func (s *Stats) RTTs() []time.Duration {
	if s.run != nil {
		return s.run.rtts()
	}
	var rtts []time.Duration
	ordered := s.ordered()
	for _, x := range ordered[:s.early] {
		if x.rtt != noRTT {
			rtts = append(rtts, x.rtt)
		}
	}
	return rtts
}

// spread returns the figures that no order matters to.
func (s *Stats) spread() spread {
	if s.run != nil {
		return s.run.spread
	}
	var p spread
	for _, x := range s.first[:s.early] {
		if x.rtt != noRTT {
			p.add(x.rtt)
		}
	}
	return p
}

// sequence returns the figures in sending order. What came ahead of its turn
// is taken for the end of the run, which to this moment it is.
func (s *Stats) sequence() sequence {
	if s.run != nil {
		return s.run.complete()
	}
	var q sequence
	ordered := s.ordered()
	for _, x := range ordered[:s.early] {
		if x.rtt != noRTT {
			q.add(x.rtt)
		}
	}
	return q
}

// ordered returns the samples of a short run in sending order: what turns does
// for a longer one, without its memory.
func (s *Stats) ordered() (all [shortRun]sample) {
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

// roundDuration returns the Duration nearest to a number of nanoseconds.
func roundDuration(ns float64) time.Duration { return time.Duration(math.Round(ns)) }
