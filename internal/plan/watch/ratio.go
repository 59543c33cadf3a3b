package watch

import "math"

// Ratio is how often something was so, out of the times that it could have been,
// up to the last of them; and how many times since then it was not. What was long
// ago does not count for ever: the numbers are halved now and then.
type Ratio struct {
	Count  float64
	span   float64
	Absent float64
}

const (
	maxSpan    = 1024 // after which the numbers are halved
	minAbsence = 3    // before anything counts as gone
)

// How unlikely an absence has to be that means the end: of what was so each time,
// and of what was so at times only, about which is asked over and over as long as
// it lasts.
var (
	goneAlways    = math.Log(1e-6)
	goneSometimes = math.Log(1e-12)
)

func (t *Ratio) Add(n float64) {
	t.Count += n
	t.span++
	if t.span > maxSpan {
		t.Count, t.span = t.Count/2, t.span/2
	}
}

// IsGone reports whether it has ended. Against that stands that it is as frequent
// as ever, and its absence chance: the likelihood of all that was seen at one
// constant share, the one that makes it greatest, is held against that of a share
// which has become nothing.
func (t *Ratio) IsGone() bool {
	if t.Absent < minAbsence {
		return false
	}
	threshold := goneSometimes
	if t.span-t.Count < 0.5 {
		threshold = goneAlways
	}
	return likelihood(t.Count, t.span+t.Absent)-likelihood(t.Count, t.span) < threshold
}

// likelihood is the logarithm of that of k times out of n, in their order, at the
// share k/n.
func likelihood(k, n float64) float64 {
	if k <= 0 || k >= n {
		return 0
	}
	return k*math.Log(k/n) + (n-k)*math.Log((n-k)/n)
}
