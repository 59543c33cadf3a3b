// Package loss distinguishes loss of packets from rate limits, by the answers of each hop
// at a slow and at a fast rate. It is pure: figures in, verdicts out.
package loss

import (
	"math"
	"slices"
	"time"
)

// Verdict is what happens to a hop's answers, or to the packets on a path.
type Verdict uint8

// The verdicts, in the order of icmplib.LossVerdict.
const (
	Unclear Verdict = iota // the figures do not suffice
	None                   // nothing is lost
	Found                  // packets are lost, the same share at both rates
	Limited                // answers are limited: a smaller share at the fast rate
)

const (
	// MinCount is the least number of probes at each rate that allows a verdict.
	MinCount = 10

	// RateRatio is how many times faster the fast rate must be.
	RateRatio = 4

	minLosses = 5 // the least number of lost probes for a verdict of loss
)

// Quantiles of the normal distribution. Intervals are reported with 95 %; verdicts
// rest on 99.9 %, because each hop gets one.
const (
	z95  = 1.959964
	z999 = 3.290527
)

// Share is how many probes of a hop were answered at one rate.
type Share struct {
	Sent     int
	Answered int
	Interval time.Duration // the actual time from one probe to the next
}

// Hop holds the figures of a hop, and the verdicts on it.
type Hop struct {
	Slow, Fast Share
	Changed    bool // the responder was not the same all the time

	Verdict Verdict // on the hop's own answers
	Path    Verdict // on the path to the hop and back
}

// Wilson returns the bounds of a share k/n with a confidence of 95 % (Wilson 1927), or 0
// and 1 if n is 0.
func Wilson(k, n int) (low, high float64) { return wilson(k, n, z95) }

func wilson(k, n int, z float64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	p, m := float64(k)/float64(n), float64(n)
	middle := p + z*z/(2*m)
	reach := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	whole := 1 + z*z/m
	return max(0, (middle-reach)/whole), min(1, (middle+reach)/whole)
}

// Judge sets the verdicts of all hops of a path, in order of distance. It returns the
// verdict on the whole path and, if that is [Found], the index of the hop at which loss
// begins, otherwise -1.
//
// On a hop's own answers the first rule that applies decides:
//
//  1. With fewer than [MinCount] probes at either rate, with no answer at the slow
//     rate, or with a change of the responder, it is unclear.
//  2. If all probes were answered at both rates, nothing is lost.
//  3. If the actual fast rate was clearly less than [RateRatio] times the slow one, it is
//     unclear: the rates cannot be compared.
//  4. If the share that was answered is smaller at the fast rate, with intervals of
//     99.9 % that do not overlap, answers are limited.
//  5. With fewer than 5 losses it is unclear.
//  6. If nothing was lost at the slow rate, it is unclear: the bucket of a limiter
//     may have run dry at the fast rate only.
//  7. A limiter whose bucket is empty answers the same number of probes per second at
//     either rate, so its share shrinks in proportion to the rate. Unless the share at the
//     fast rate is certainly twice as large as that, it is unclear.
//  8. Otherwise packets are lost.
//
// On the path to a hop:
//
//  9. If a hop answered each of at least [MinCount] slow probes, nothing is lost on the
//     path to it and to all hops before it: the probes passed them.
//  10. Loss of a hop's own answers is loss on the path to it. Limited answers leave
//     it unclear.
//  11. Loss on the path to a hop is unclear if a hop behind it answers a share that is
//     certainly greater: then only the first hop's own answers are lost.
//  12. A hop's own loss is unclear if there is none on the path to it.
//
// On the whole path:
//
//  13. It has the verdict of its last hop if the target was reached; otherwise it is
//     unclear.
//  14. If the last hop has loss, loss begins at the nearest hop that has it: by rule 9, all
//     hops behind that one have it, too.
func Judge(hops []Hop, reached bool) (verdict Verdict, from int) {
	lossless := false // a hop behind has no loss
	for i := len(hops) - 1; i >= 0; i-- {
		h := &hops[i]
		h.Verdict, h.Path = h.own(), Unclear
		if path := h.path(); path == None || lossless {
			h.Path, lossless = None, true
		} else if path == Found && !betterBehind(hops, i) {
			h.Path = Found
		}
		if h.Verdict == Found && h.Path != Found {
			h.Verdict = Unclear
		}
	}
	if !reached || len(hops) == 0 {
		return Unclear, -1
	}
	if verdict = hops[len(hops)-1].Path; verdict != Found {
		return verdict, -1
	}
	return Found, slices.IndexFunc(hops, func(h Hop) bool { return h.Path == Found })
}

// own returns the verdict on the hop's own answers: rules 1 to 8.
func (h *Hop) own() Verdict {
	slow, fast := h.Slow, h.Fast
	lostSlowly, lostFast := slow.Sent-slow.Answered, fast.Sent-fast.Answered
	slowLow, _ := wilson(slow.Answered, slow.Sent, z999)
	_, fastHigh := wilson(fast.Answered, fast.Sent, z999)
	if slow.Sent < MinCount || fast.Sent < MinCount || slow.Answered == 0 || h.Changed {
		return Unclear
	}
	if lostSlowly+lostFast == 0 {
		return None
	}
	if fast.Interval*RateRatio > slow.Interval+slow.Interval/8 {
		return Unclear
	}
	if fastHigh < slowLow {
		return Limited
	}
	if lostSlowly+lostFast < minLosses || lostSlowly == 0 || h.maybeDry() {
		return Unclear
	}
	return Found
}

// maybeDry reports whether a bucket that was empty throughout may explain the
// losses: rule 7.
func (h *Hop) maybeDry() bool {
	_, slowMost := wilson(h.Slow.Answered, h.Slow.Sent, z95)
	fastLeast, _ := wilson(h.Fast.Answered, h.Fast.Sent, z95)
	return fastLeast < 2*slowMost*float64(h.Fast.Interval)/float64(h.Slow.Interval)
}

// path returns the verdict of the hop's own figures on the path to it: rule 9.
func (h *Hop) path() Verdict {
	if h.Slow.Sent >= MinCount && h.Slow.Answered == h.Slow.Sent {
		return None
	}
	return h.Verdict
}

// betterBehind reports whether a hop behind certainly answers a greater share, at
// either rate: rule 11.
func betterBehind(hops []Hop, index int) bool {
	h := &hops[index]
	_, high := wilson(h.Slow.Answered+h.Fast.Answered, h.Slow.Sent+h.Fast.Sent, z999)
	for i := index + 1; i < len(hops); i++ {
		for _, s := range []Share{hops[i].Slow, hops[i].Fast} {
			if low, _ := wilson(s.Answered, s.Sent, z999); low > high {
				return true
			}
		}
	}
	return false
}
