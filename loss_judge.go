package icmplib

import "math"

// Quantiles of the normal distribution: for the intervals that are told, and for
// those on which a verdict rests, of which there is one for each hop.
const (
	z95  = 1.959964 // 95 %
	z999 = 3.290527 // 99.9 %
)

const (
	// lossRateRatio is how much faster the fast rate has to be at the least.
	lossRateRatio = 4

	// minLosses is how many probes have to be lost for a verdict of loss.
	minLosses = 5
)

// wilson returns the bounds of a part k/n (Wilson 1927).
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

func newLossReport(slow *lossPhase) *LossReport {
	r := &LossReport{Address: slow.route.Address, Name: slow.route.Name, Reached: slow.route.Reached}
	for i := range slow.route.Hops {
		h := &slow.route.Hops[i]
		r.Hops = append(r.Hops, HopLoss{Distance: h.Distance, Address: h.Address, Slow: slow.share(h)})
	}
	return r
}

// share returns how many probes to a hop were answered.
func (f *lossPhase) share(h *Hop) LossShare {
	s := LossShare{
		PacketsSent:     h.PacketsSent - h.Unsettled - h.Suspect,
		PacketsAnswered: h.PacketsReceived + h.Late,
		Interval:        f.interval,
	}
	s.Low, s.High = wilson(s.PacketsSent-s.PacketsAnswered, s.PacketsSent, z95)
	return s
}

// compare adds what was found at the fast rate, and judges each hop for itself.
func (r *LossReport) compare(slow, fast *lossPhase) {
	if fast == nil {
		return
	}
	for i := range r.Hops {
		h := &r.Hops[i]
		if i >= len(fast.route.Hops) {
			return // it is not there any more
		}
		again := &fast.route.Hops[i]
		h.Fast = fast.share(again)
		if again.Address == h.Address && !slow.changed[h.Distance] && !fast.changed[h.Distance] {
			h.Verdict = judgeLoss(&h.Slow, &h.Fast)
		}
	}
}

// judgeLoss judges a hop's own answers. A token bucket that does not run dry at
// the slow rate loses nothing there. One that does, serves as many probes a second
// at the fast rate, and so a part of them that is smaller as the rate is greater.
// For a verdict of loss it has to be certain that the part is not nearly as small.
func judgeLoss(slow, fast *LossShare) LossVerdict {
	lostSlowly, lostFast := slow.PacketsSent-slow.PacketsAnswered, fast.PacketsSent-fast.PacketsAnswered
	slowLow, _ := wilson(slow.PacketsAnswered, slow.PacketsSent, z999)
	_, fastHigh := wilson(fast.PacketsAnswered, fast.PacketsSent, z999)
	fastLow, _ := wilson(fast.PacketsAnswered, fast.PacketsSent, z95)
	_, slowMost := wilson(slow.PacketsAnswered, slow.PacketsSent, z95)
	enough := slow.PacketsSent >= minLossCount && fast.PacketsSent >= minLossCount
	switch {
	case !enough || slow.PacketsAnswered == 0:
		return LossUnclear
	case lostSlowly+lostFast == 0:
		return LossNone
	case fast.Interval*lossRateRatio > slow.Interval+slow.Interval/8: // they were not so different after all
		return LossUnclear
	case fastHigh < slowLow:
		return LossLimited
	case lostSlowly == 0 || lostSlowly+lostFast < minLosses:
		return LossUnclear
	case fastLow < 2*slowMost*float64(fast.Interval)/float64(slow.Interval):
		return LossUnclear
	}
	return LossFound
}

// judge judges the way, as far as each hop and as a whole. Where a hop behind
// loses nothing, nothing is lost on the way to it.
func (r *LossReport) judge() {
	behind := LossUnclear // of what is behind, at the slow rate
	for i := len(r.Hops) - 1; i >= 0; i-- {
		h := &r.Hops[i]
		own := h.Slow.path(h.Verdict)
		switch {
		case own == LossNone || behind == LossNone:
			h.Path, behind = LossNone, LossNone
		case own == LossFound && !r.betterBehind(i):
			h.Path = LossFound
		}
		if h.Verdict == LossFound && h.Path != LossFound {
			h.Verdict = LossUnclear // it is its own answers that are lost, in whatever way
		}
	}
	r.summarize()
}

// path is what a hop's own figures say of the way to it: nothing where its
// answers are limited, unless the slow rate has all of them.
func (s *LossShare) path(verdict LossVerdict) LossVerdict {
	switch {
	case s.PacketsSent >= minLossCount && s.PacketsAnswered == s.PacketsSent:
		return LossNone
	case verdict == LossLimited:
		return LossUnclear
	}
	return verdict
}

// betterBehind tells whether a hop behind answers more than this one, for certain.
func (r *LossReport) betterBehind(index int) bool {
	h := &r.Hops[index]
	_, high := wilson(h.Slow.PacketsAnswered+h.Fast.PacketsAnswered, h.Slow.PacketsSent+h.Fast.PacketsSent, z999)
	for i := index + 1; i < len(r.Hops); i++ {
		b := &r.Hops[i]
		for _, s := range []*LossShare{&b.Slow, &b.Fast} {
			if low, _ := wilson(s.PacketsAnswered, s.PacketsSent, z999); low > high {
				return true
			}
		}
	}
	return false
}

// summarize judges the whole way by its last hop, the target.
func (r *LossReport) summarize() {
	if !r.Reached || len(r.Hops) == 0 {
		return
	}
	r.Verdict = r.Hops[len(r.Hops)-1].Path
	if r.Verdict != LossFound {
		return
	}
	for i := len(r.Hops) - 1; i >= 0; i-- {
		switch r.Hops[i].Path {
		case LossFound:
			r.From = r.Hops[i].Distance
		case LossNone:
			return
		}
	}
}
