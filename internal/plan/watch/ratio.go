package watch

import "math"

// ratio is how often something was so, out of the times that it could have been, up
// to the last time that it was; and how many times since then it was not.
//
// Its rules:
//
//  1. An absence of fewer than 3 times ends nothing.
//  2. What was so each time has ended when the absence is as unlikely as 1e-6; what
//     was so at times only, about which is asked over and over, as 1e-12. The
//     likelihood of all that was seen at one constant share, the one that makes it
//     greatest, is held against that of a share that has become nothing.
//  3. What was long ago does not count for ever: the numbers are halved when there
//     are more than 1024 times.
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

// add counts a time at which it was so, 1, or was not, 0.
func (t *ratio) add(n float64) {
	t.count += n
	t.span++
	if t.span > maxSpan {
		t.count, t.span = t.count/2, t.span/2
	}
}

// isGone reports whether it has ended.
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

// drop returns how much less likely the absence makes what was seen, as a logarithm.
func (t *ratio) drop() float64 {
	return likelihood(t.count, t.span+t.absent) - likelihood(t.count, t.span)
}

// likelihood is the logarithm of that of k times out of n, in their order, at the
// share k/n.
func likelihood(k, n float64) float64 {
	if k <= 0 || k >= n {
		return 0
	}
	return k*math.Log(k/n) + (n-k)*math.Log((n-k)/n)
}
