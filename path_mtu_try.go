package icmplib

import (
	"context"
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

// chance is how likely it may be at the most that packets which get there pass for
// such as do not. A volley has so many of the size, and as many small ones: one volley
// is enough where nothing is lost. maxVolleys bounds how long it is tried.
const (
	chance     = 1e-3
	perVolley  = 7
	maxVolleys = 12
)

// try finds out whether packets of a size get to the hop at a distance.
func (r *mtuRun) try(ctx context.Context, size, ttl int) (v mtuVerdict, err error) {
	if r.vanishing && r.answers(ttl) && !r.goesBeyond(ttl) {
		return r.tryBesideSmall(ctx, size, ttl) // it comes to that, most probably
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
	return r.tryBesideSmall(ctx, size, ttl)
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
	case !result.Responder.IsValid() || result.informs():
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

// tryBesideSmall sends small packets among those of the size, until one of the size is
// answered or so many small ones are that it cannot be chance. The order is random, so
// that whoever limits how often it answers, in whatever way, prefers no size: if both
// get there, each selection of answered packets is as likely as any other. Only small
// ones that were answered in the same volley count.
func (r *mtuRun) tryBesideSmall(ctx context.Context, size, ttl int) (v mtuVerdict, err error) {
	usual, likelihood := r.usual(ttl), 1.0
	for range maxVolleys {
		var probes []mtuProbe
		for range perVolley {
			probes = append(probes, mtuProbe{r.least, ttl}, mtuProbe{size, ttl})
		}
		r.order.Shuffle(len(probes), func(i, j int) { probes[i], probes[j] = probes[j], probes[i] })
		answered := 0
		err = r.volley(ctx, probes, func(p mtuProbe, result *Result) bool {
			if p.size == size {
				return v.take(result, usual)
			}
			var answer mtuVerdict
			if answer.take(result, usual); answer.fate == mtuPasses {
				answered++
			}
			return false
		})
		if err != nil || v.fate != mtuUnknown {
			return v, err
		}
		likelihood *= onlySmall(answered, perVolley)
		if likelihood < chance {
			r.vanishing = true
			return mtuVerdict{fate: mtuVanishes}, nil
		}
	}
	return v, nil
}

// onlySmall is how likely it is that all of so many answered packets are of one kind,
// where there are n of each kind and it makes no difference.
func onlySmall(answered, n int) float64 {
	p := 1.0
	for i := range answered {
		p *= float64(n-i) / float64(2*n-i)
	}
	return p
}
