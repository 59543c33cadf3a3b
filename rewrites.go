package icmplib

// RewritePoint is a place on the way where header fields are rewritten.
type RewritePoint struct {
	Fields Rewrite `json:"fields"` // that are rewritten there

	// After is the last hop that saw the fields as they were before, 0 being
	// this system, and Before the first one that saw them rewritten. Who
	// rewrites is between them, or one of them: a router that rewrites what it
	// forwards quotes it as it came.
	After  int `json:"after"`
	Before int `json:"before"`

	// Sure is set where a hop behind Before saw the same. Where it is not, the
	// hop Before is the last that quotes anything: the fields may be rewritten,
	// or only its quote is.
	Sure bool `json:"sure"`
}

// SeesRewrites reports whether a hop quoted a probe and the quote was handed out, as it
// takes raw sockets: whether Rewrites tells anything, be it that nothing is rewritten.
func (r *Route) SeesRewrites() bool {
	for i := range r.Hops {
		if seenIn(&r.Hops[i]) != nil {
			return r.Hops[i].sent.isKnown()
		}
	}
	return false
}

// Rewrites returns where header fields of the probes are rewritten, in order of
// distance, as far as what routers quote shows it. A hop whose quote shows what
// no hop behind it does is not in it: it quotes in its own way.
//
// It tells nothing where [Route.SeesRewrites] is false, as without raw sockets, nothing of what a
// translator restores in quotes together with the checksum, and nothing of a route
// of several flows: there, [Hop.Rewritten] does.
func (r *Route) Rewrites() []RewritePoint {
	var known []*Hop
	for i := range r.Hops {
		if seenIn(&r.Hops[i]) != nil {
			known = append(known, &r.Hops[i])
		}
	}
	if len(known) == 0 || !known[0].sent.isKnown() {
		return nil
	}
	var points []RewritePoint
	last := known[0].sent
	after, telling := 0, last.telling()
	for i, h := range known {
		seen := *seenIn(h)
		changed, own := differences(&last, &seen)&telling, Rewrite(0)
		if i+1 < len(known) {
			own = changed & differences(&seen, seenIn(known[i+1]))
			changed &^= own
		}
		if changed != 0 {
			points = append(points, RewritePoint{Fields: changed, After: after, Before: h.Distance, Sure: i+1 < len(known)})
		}
		last = seen.with(own, &last)
		after = h.Distance
	}
	return points
}
