package icmplib

import (
	"context"
	"math"
	"net/netip"
)

// mtuVerdict is what became of packets of one size.
type mtuVerdict struct {
	fate     mtuFate
	mtu      int        // of a refusal; 0: it does not say
	reporter netip.Addr // of a refusal
}

type mtuFate uint8

const (
	mtuUnknown  mtuFate = iota // too few answers of any kind to tell
	mtuPasses                  // it was answered
	mtuRefused                 // a router said that it is too big
	mtuVanishes                // it is not answered, and smaller ones are
	mtuLocal                   // this system does not send it
)

// chance is how likely it may be at the most that packets which get there pass
// for such as do not. maxVolleys bounds how long it is tried to get there, and
// pairs are so many that one volley is enough where nothing is lost.
const (
	chance     = 1e-3
	maxVolleys = 12
	pairs      = 4
)

// score is how well small packets to a distance are answered.
type score struct{ sent, answered int }

// rate estimates how likely an answer is (by Laplace's rule, so that it is
// never certain).
func (s score) rate() float64 { return float64(s.answered+1) / float64(s.sent+2) }

// try finds out whether packets of a size get to the hop at a distance.
func (r *mtuRun) try(ctx context.Context, size, ttl int) (v mtuVerdict, err error) {
	if r.vanishing && r.answers(ttl) && !r.goesBeyond(ttl) {
		return r.tryBesideSmall(ctx, size, ttl, 0) // it comes to that, most probably
	}
	usual := r.usual(ttl)
	var probes []mtuProbe
	for range r.opts.Count {
		probes = append(probes, mtuProbe{size, ttl})
		if r.goesBeyond(ttl) {
			probes = append(probes, mtuProbe{size, r.opts.MaxHops})
		}
	}
	err = r.volley(ctx, probes, func(p mtuProbe, result *Result) bool {
		return v.take(result, usual) && !(v.fate == mtuPasses && r.goesBeyond(ttl))
	})
	if err != nil || v.fate != mtuUnknown || !r.answers(ttl) {
		return v, err
	}
	return r.tryBesideSmall(ctx, size, ttl, r.opts.Count)
}

// answers tells whether somebody answers small packets to a distance.
func (r *mtuRun) answers(ttl int) bool {
	for _, hop := range r.result.Hops {
		if hop.Distance == ttl && hop.Address.IsValid() {
			return true
		}
	}
	return r.result.Reached && ttl >= r.witness
}

// usual returns with which status small packets to a distance are answered.
func (r *mtuRun) usual(ttl int) Status {
	if status, ok := r.statuses[ttl]; ok && !(r.result.Reached && ttl >= r.witness) {
		return status
	}
	return StatusReply
}

// goesBeyond tells whether packets have to go farther than to the last hop that
// answers, for a router behind it may say that they are too big.
func (r *mtuRun) goesBeyond(ttl int) bool {
	return !r.result.Reached && ttl == r.witness && ttl < r.opts.MaxHops
}

// take notes what a result to a packet says that was to get to where small ones
// are answered with a status, and tells whether it is clear. An error of another
// kind means that it did not get there, as where a firewall lets small ones pass.
func (v *mtuVerdict) take(result *Result, usual Status) bool {
	switch {
	case result.Cause != nil && result.Status == StatusPacketTooBig:
		*v = mtuVerdict{fate: mtuLocal}
	case !result.Responder.IsValid() || result.Status.informs():
		return false
	case result.Status == StatusReply || isFromTarget(result) || result.Status == usual:
		if v.fate != mtuRefused {
			v.fate = mtuPasses
		}
	case result.Status == StatusTTLExpired:
		return false // by another way, which is longer
	default:
		*v = mtuVerdict{mtuRefused, result.MTU, result.Responder}
	}
	return true
}

// tryBesideSmall sends packets in pairs, a small one with each of the size,
// until one of the size is answered or so many small ones are that it cannot be
// chance; some of the size may have been sent before. Which is first changes, so
// that a router that limits its answers does not prefer one size. What was answered
// meanwhile counts as well as what was ever: nothing passes in an outage.
func (r *mtuRun) tryBesideSmall(ctx context.Context, size, ttl, sent int) (v mtuVerdict, err error) {
	usual, before := r.usual(ttl), r.scores[ttl]
	small := before
	for range maxVolleys {
		var probes []mtuProbe
		for i := range pairs {
			a, b := mtuProbe{r.least, ttl}, mtuProbe{size, ttl}
			if i%2 == 1 {
				a, b = b, a
			}
			probes = append(probes, a, b)
		}
		err = r.volley(ctx, probes, func(p mtuProbe, result *Result) bool {
			if p.size == size {
				sent++
				return v.take(result, usual)
			}
			small.sent++
			var answer mtuVerdict
			if answer.take(result, usual); answer.fate == mtuPasses {
				small.answered++
			}
			return false
		})
		r.scores[ttl] = small
		if err != nil || v.fate != mtuUnknown {
			return v, err
		}
		now := score{small.sent - before.sent, small.answered - before.answered}
		rate := min(small.rate(), now.rate())
		if now.answered > 0 && math.Pow(1-rate, float64(sent)) < chance {
			r.vanishing = true
			return mtuVerdict{fate: mtuVanishes}, nil
		}
	}
	return v, nil
}
