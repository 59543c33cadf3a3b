package icmplib

import (
	"context"
	"net/netip"
)

// profile finds where on the way packets end that are larger than the path
// takes. It follows packets of a size from hop to hop; where they end, the link
// in front of them takes less, and from there on it follows such as pass it.
func (r *mtuRun) profile(ctx context.Context, largest, end int) error {
	size, from, last := largest, 1, -1
	for next := 1; next <= end && size > r.result.MTU; {
		route, err := r.trace(ctx, size, next)
		if err != nil {
			return err
		}
		n, err := r.narrowing(ctx, route, size, next, end)
		if err != nil || n.before == 0 {
			return err
		}
		if n.after <= last {
			n.mtu = 0 // what was told before of this link was wrong
		}
		last = n.after
		passes, err := r.measure(ctx, &n, size)
		if err != nil {
			return err
		}
		r.mark(from, n.after, size)
		r.point(&n, passes)
		size, from, next = passes, n.after, n.before
	}
	r.mark(from+1, end+1, size)
	if from == 1 && size == largest {
		r.mark(1, end+1, size)
	}
	return nil
}

// narrowing is a link that takes less than the way to it.
type narrowing struct {
	after, before int        // the hops between which it is; before 0: there is none
	mtu           int        // as it was told
	fails         int        // what was found not to pass, where it was not told
	reporter      netip.Addr // who told it, or that there is one
}

// narrowing finds the first link that packets of a size, which were traced, do
// not pass.
func (r *mtuRun) narrowing(ctx context.Context, route *Route, size, from, end int) (n narrowing, err error) {
	farthest := from - 1
	for i := range route.Hops {
		h := &route.Hops[i]
		if by := tooBigBy(h); by.IsValid() {
			return r.reported(h.Distance, h.MTU, by), nil
		}
		if !h.IsSilent() {
			farthest = h.Distance
		}
	}
	if route.Reached {
		return n, nil
	}
	// Nobody answers behind the farthest. Those who answer small packets are
	// asked one by one, for they may only be slow to answer.
	for _, hop := range r.result.Hops {
		if hop.Distance <= farthest || !hop.Address.IsValid() || hop.Distance > end {
			continue
		}
		v, err := r.try(ctx, size, hop.Distance)
		switch {
		case err != nil:
			return n, err
		case v.fate == mtuRefused:
			return r.reported(hop.Distance, v.mtu, v.reporter), nil
		case v.fate == mtuVanishes:
			return narrowing{after: farthest, before: hop.Distance}, nil
		case v.fate == mtuPasses:
			farthest = hop.Distance
		}
	}
	if r.result.Reached {
		return n, nil
	}
	// The last word may come from a router behind all who answer.
	v, err := r.try(ctx, size, r.opts.MaxHops)
	if v.fate == mtuRefused {
		n = narrowing{after: farthest, before: farthest + 1, mtu: v.mtu, reporter: v.reporter}
	}
	return n, err
}

// tooBigBy returns who at a hop said that a packet is too big.
func tooBigBy(h *Hop) netip.Addr {
	for i := range h.Responders {
		if h.Responders[i].Status == StatusPacketTooBig {
			return h.Responders[i].Address
		}
	}
	return netip.Addr{}
}

// reported returns the narrowing that a router reported of a packet that would
// have gone as far as a distance. The router is the hop before that, unless its
// address is that of another one.
func (r *mtuRun) reported(distance, mtu int, by netip.Addr) narrowing {
	n := narrowing{after: distance - 1, before: distance, mtu: mtu, reporter: by}
	for _, hop := range r.result.Hops {
		if hop.Address == by && hop.Distance <= distance {
			n.after, n.before = hop.Distance, hop.Distance+1
		}
	}
	return n
}

// measure returns the largest packet that passes a narrowing: what was told of
// it if that can be, or what is found.
func (r *mtuRun) measure(ctx context.Context, n *narrowing, size int) (int, error) {
	if n.reporter.IsValid() && n.mtu >= r.result.MTU && n.mtu < size {
		return n.mtu, nil
	}
	n.mtu = 0
	// Mostly it is the narrowest link of the path, of which all is known.
	b := mtuBounds{passes: r.result.MTU, fails: size, shown: true, first: r.result.MTU + 1}
	err := r.search(ctx, r.answererFrom(n.before), &b)
	n.fails = b.fails
	return b.passes, err
}

// answererFrom returns the distance of the next hop that answers, from one on;
// that itself, where none does.
func (r *mtuRun) answererFrom(distance int) int {
	for _, hop := range r.result.Hops {
		if hop.Distance >= distance && hop.Address.IsValid() {
			return hop.Distance
		}
	}
	return distance
}

// mark says that packets of a size go on from the hops of a range, without its
// end.
func (r *mtuRun) mark(from, end, size int) {
	for i := range r.result.Hops {
		if hop := &r.result.Hops[i]; hop.Distance >= from && hop.Distance < end {
			hop.MTU = size
		}
	}
}

// point notes a narrowing.
func (r *mtuRun) point(n *narrowing, mtu int) {
	if !n.reporter.IsValid() {
		r.result.BlackHoles = append(r.result.BlackHoles, BlackHole{After: n.after, Before: n.before, Passes: mtu, Fails: n.fails})
	}
	for i := range r.result.Hops {
		hop := &r.result.Hops[i]
		if hop.Distance != n.after {
			continue
		}
		hop.MTU, hop.Source, hop.ReportedBy = mtu, MTUMeasured, netip.Addr{}
		if n.mtu == mtu {
			hop.Source, hop.ReportedBy = MTUReported, n.reporter
		}
	}
}
