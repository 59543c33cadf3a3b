package pmtu

import (
	"net/netip"
)

// find finds the MTU of the path, and where it falls.
func (p *Plan) find(largest int) {
	b := &bounds{passes: p.cfg.Least, proven: p.witness > 0, fails: largest + 1, shown: p.LocalMTU > 0, last: verdict{fate: local}}
	ttl := p.witness
	if p.Reached || ttl == 0 {
		ttl = p.cfg.MaxHops
	}
	p.findBetween(b, largest, ttl, func() {
		p.tellReplies(largest, ttl, func() { p.done = true })
	})
}

// findBetween finds the MTU of the path between bounds, and where it falls.
func (p *Plan) findBetween(b *bounds, largest, ttl int, then func()) {
	p.search(ttl, b, func() {
		if p.LocalMTU > 0 {
			largest = min(largest, p.LocalMTU) // the system may have reported it meanwhile
		}
		if p.conclude(b); p.MTU == 0 {
			p.failed, p.done = p.refusal, true
			return
		}
		s := &profile{p: p, size: largest, from: 1, last: -1, largest: largest, end: ttl, then: then}
		s.follow(1)
	})
}

// conclude notes the MTU of the path, or 0 if it is unknown.
func (p *Plan) conclude(b *bounds) {
	p.MTU, p.Confirmed = b.passes, b.proven
	p.Exact = b.shown && b.fails == b.passes+1
	if b.open > 0 && b.passes == p.cfg.Least {
		p.MTU, p.Confirmed = b.open, false // no evidence contradicts it
		if p.left < b.open && p.LocalMTU != b.open {
			p.MTU = 0 // no evidence supports it, either
		}
	}
}

// tellReplies finds out whether large probes vanish before the target, or its large replies
// do. The target's answer to an echo request is as large as the request; its answer to a
// datagram is small, and so are the answers of routers.
func (p *Plan) tellReplies(largest, ttl int, then func()) {
	if len(p.Holes) == 0 || !p.Reached || p.cfg.Datagrams == nil {
		then()
		return
	}
	hole := &p.Holes[len(p.Holes)-1]
	switch {
	case hole.Before < p.witness: // a router behind it would have answered
		then()
		return
	case !p.cfg.Datagrams():
		p.doubt(hole)
		then()
		return
	}
	p.flow = 1
	p.tryBesideSmall(hole.Fails, ttl, func(v verdict) {
		switch v.fate {
		case vanishes:
			then()
		case passes:
			p.findByDatagrams(*hole, largest, ttl, then)
		default:
			p.doubt(hole)
			then()
		}
	})
}

// findByDatagrams finds the MTU anew, now that it is known that replies vanish.
func (p *Plan) findByDatagrams(hole Hole, largest, ttl int, then func()) {
	replies := Hole{After: p.witness, Passes: hole.Passes, Fails: hole.Fails, Replies: true}
	b := &bounds{passes: hole.Fails, proven: true, fails: largest + 1, shown: p.LocalMTU > 0, last: verdict{fate: local}}
	p.Holes = nil
	for i := range p.Hops {
		h := &p.Hops[i]
		*h = Hop{Distance: h.Distance, Address: h.Address}
	}
	p.findBetween(b, largest, ttl, func() {
		p.Holes = append(p.Holes, replies)
		then()
	})
}

// doubt notes that the replies may vanish as well.
func (p *Plan) doubt(hole *Hole) { hole.Unsure, p.Exact = true, false }

// profile finds where packets end that are larger than the MTU of the path. It follows
// packets of one size from hop to hop. Where they end, the next link has a smaller MTU, and
// from there on the profile follows packets that pass it.
type profile struct {
	p       *Plan
	size    int // that is followed
	from    int // the hop behind which it is followed
	last    int // the hop in front of the last bottleneck
	largest int
	end     int
	then    func()
}

// bottleneck is a link whose MTU is less than that of the path to it.
type bottleneck struct {
	after, before int        // the hops between which it lies; before 0: there is none
	mtu           int        // as reported
	fails         int        // the size that was found not to pass, if none was reported
	reporter      netip.Addr // the address that reported the MTU, or the bottleneck
}

// follow follows packets from a hop on.
func (s *profile) follow(next int) {
	p := s.p
	if next > s.end || s.size <= p.MTU {
		s.conclude()
		return
	}
	p.follow(s.size, next, func(r *route) { s.findBottleneck(r, next) })
}

// conclude notes that the rest of the path passes the size that is followed.
func (s *profile) conclude() {
	s.p.mark(s.from+1, s.end+1, s.size)
	if s.from == 1 && s.size == s.largest {
		s.p.mark(1, s.end+1, s.size)
	}
	s.then()
}

// pass goes on behind a bottleneck.
func (s *profile) pass(n bottleneck) {
	if n.after <= s.last {
		n.mtu = 0 // the earlier report on this link was wrong
	}
	s.last = n.after
	s.p.measure(n, s.size, func(n bottleneck, passes int) {
		s.p.mark(s.from, n.after, s.size)
		s.p.point(&n, passes)
		s.size, s.from = passes, n.after
		s.follow(n.before)
	})
}

// findBottleneck finds the first link, from a hop on, that the traced packets do not pass.
// If there is none, the profile is complete.
func (s *profile) findBottleneck(r *route, from int) {
	farthest := from - 1
	for i := range r.hops {
		h := &r.hops[i]
		if h.refuser.IsValid() && h.refusal != s.p.usual(r.first+i) {
			s.pass(s.p.reported(r.first+i, h.mtu, h.refuser))
			return
		}
		if h.address.IsValid() {
			farthest = r.first + i
		}
	}
	if r.reached() {
		s.then()
		return
	}
	s.askHops(0, farthest)
}

// askHops probes the hops behind the farthest one by one, from the i-th hop on, if they
// answer small packets, because they may only be slow to answer.
func (s *profile) askHops(i, farthest int) {
	p := s.p
	for ; i < len(p.Hops); i++ {
		if hop := &p.Hops[i]; hop.Distance > farthest && hop.Address.IsValid() && hop.Distance <= s.end {
			break
		}
	}
	if i == len(p.Hops) {
		s.askBeyond(farthest)
		return
	}
	distance := p.Hops[i].Distance
	p.try(s.size, distance, func(v verdict) {
		switch v.fate {
		case refused:
			s.pass(p.reported(distance, v.mtu, v.reporter))
		case vanishes:
			s.pass(bottleneck{after: farthest, before: distance})
		case passes:
			s.askHops(i+1, distance)
		default:
			s.askHops(i+1, farthest)
		}
	})
}

// askBeyond probes beyond all hops that answer, because a router there may report the
// bottleneck.
func (s *profile) askBeyond(farthest int) {
	if s.p.Reached {
		s.then()
		return
	}
	s.p.try(s.size, s.p.cfg.MaxHops, func(v verdict) {
		if v.fate != refused {
			s.then()
			return
		}
		s.pass(bottleneck{after: farthest, before: farthest + 1, mtu: v.mtu, reporter: v.reporter})
	})
}

// reported returns the bottleneck that a router reported of a packet that would have gone
// as far as a distance. The router is taken for the hop before that, unless its address is
// that of another hop.
func (p *Plan) reported(distance, mtu int, by netip.Addr) bottleneck {
	n := bottleneck{after: distance - 1, before: distance, mtu: mtu, reporter: by}
	for _, hop := range p.Hops {
		if hop.Address == by && hop.Distance <= distance {
			n.after, n.before = hop.Distance, hop.Distance+1
		}
	}
	return n
}

// measure finds the largest packet that passes a bottleneck: the reported size if that is
// possible, otherwise by a search.
func (p *Plan) measure(n bottleneck, size int, then func(n bottleneck, passes int)) {
	if n.reporter.IsValid() && n.mtu >= p.MTU && n.mtu < size {
		then(n, n.mtu)
		return
	}
	n.mtu = 0
	// Mostly it is the narrowest link of the path, whose MTU is known.
	b := &bounds{passes: p.MTU, fails: size, shown: true, first: p.MTU + 1}
	p.search(p.answererFrom(n.before), b, func() {
		n.fails = b.fails
		then(n, b.passes)
	})
}

// answererFrom returns the distance of the next hop that answers, from distance on, or
// distance itself if none does.
func (p *Plan) answererFrom(distance int) int {
	for _, hop := range p.Hops {
		if hop.Distance >= distance && hop.Address.IsValid() {
			return hop.Distance
		}
	}
	return distance
}

// mark sets the MTU of the hops at the distances from from up to, but not including, end.
func (p *Plan) mark(from, end, size int) {
	for i := range p.Hops {
		if hop := &p.Hops[i]; hop.Distance >= from && hop.Distance < end {
			hop.MTU = size
		}
	}
}

// point notes a bottleneck.
func (p *Plan) point(n *bottleneck, mtu int) {
	if !n.reporter.IsValid() {
		p.Holes = append(p.Holes, Hole{After: n.after, Before: n.before, Passes: mtu, Fails: n.fails})
	}
	for i := range p.Hops {
		hop := &p.Hops[i]
		if hop.Distance != n.after {
			continue
		}
		hop.MTU, hop.Source, hop.ReportedBy = mtu, Measured, netip.Addr{}
		if n.mtu == mtu {
			hop.Source, hop.ReportedBy = Reported, n.reporter
		}
	}
}
