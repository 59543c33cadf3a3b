package watch

import "math"

// ratio counts how often an event occurred, out of its opportunities, up to its last
// occurrence, and the opportunities since then without one.
//
// Its rules:
//
//  1. An absence of fewer than 3 opportunities ends nothing.
//  2. An event that always occurred has ended when the probability of the absence is 1e-6;
//     one that occurred only at times, and is therefore tested over and over, when it is
//     1e-12. The test compares the likelihood of all observations at one constant share,
//     the share of greatest likelihood, with that of a share that has dropped to 0.
//  3. Old observations fade: the counts are halved when there are more than 1024
//     opportunities.
type ratio struct {
	count  float64
	span   float64
	absent float64
}

const (
	maxSpan    = 1024
	minAbsence = 3
)

var (
	goneAlways    = math.Log(1e-6)
	goneSometimes = math.Log(1e-12)
)

// add counts an opportunity with (1) or without (0) an occurrence.
func (t *ratio) add(n float64) {
	t.count += n
	t.span++
	if t.span > maxSpan {
		t.count, t.span = t.count/2, t.span/2
	}
}

// isGone reports whether the event has ended.
func (t *ratio) isGone() bool {
	failed := t.span - t.count
	switch {
	case t.absent < minAbsence:
		return false
	case failed < 0.5:
		return t.drop() < goneAlways
	case t.absent*t.count <= -goneSometimes*failed: // the drop is no greater than the left side over failed
		return false
	}
	return t.drop() < goneSometimes
}

// drop returns the logarithm of how much less likely the absence makes the observations.
func (t *ratio) drop() float64 {
	return likelihood(t.count, t.span+t.absent) - likelihood(t.count, t.span)
}

// likelihood returns the logarithm of the likelihood of k occurrences in n opportunities,
// in their order, at the share k/n.
func likelihood(k, n float64) float64 {
	if k <= 0 || k >= n {
		return 0
	}
	return k*math.Log(k/n) + (n-k)*math.Log((n-k)/n)
}
