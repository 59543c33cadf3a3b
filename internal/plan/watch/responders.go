package watch

import (
	"net/netip"
	"slices"
	"time"
)

// answer is an answer that came in time.
type answer struct {
	from    netip.Addr
	target  bool      // it is the target's, not a router's
	at      time.Time // when it came
	round   int       // of its probe, from 1
	ordinal int       // of its probe among those to the hop, from 0
}

// responders follows the addresses that answer at a hop, to distinguish a change of the
// route from everything that only looks like one: a router that answers from several
// addresses, several routers that share a load, a single stray answer.
//
// The responders form a set. The route has changed when one has gone and another has come
// in its place. Loss shows neither: only answers count. How many answers of others it takes
// until a responder counts as gone depends on how regular it was: see [ratio].
//
// The rules:
//
//  1. The first responder is established. A newcomer is established as soon as it
//     and established ones have each answered 3 times since it came: they share the
//     load.
//  2. An established responder has gone when its absence is too long to be chance.
//  3. While only one responder is established, there is no sign that load is shared: a
//     newcomer that answers 6 times in a row replaces it, if the old one had also answered
//     6 times in a row.
//  4. The route changes when an established responder has gone and a newcomer still
//     answers; of several newcomers, the one that answered most replaces it. All remaining
//     responders are then established.
//  5. A responder that is absent 20 times as long as it was present only strayed, and is
//     forgotten. So is the one that is absent longest if there are 8 already, and one that
//     has gone while an established one still answers.
//  6. The responder that stands for the hop remains the same while it is present. After
//     that, it is the established one that answered most.
//  7. The path ends at the hop if the target gave the last answer, and no router
//     answers there or the last 3 answers are the target's.
//  8. An answer to an earlier probe is not an absence of responders that answered later
//     ones.
//  9. An address that answers both as a router and as the target is two responders. If one
//     of them replaces the other, the address has not changed, and no change is reported.
type responders struct {
	all     []responder // in the order of their first answers
	main    netip.Addr  // the one that stands for the hop
	changed bool        // a responder has replaced another
	run     int         // consecutive answers of the target, up to the last answer
}

// responder is one of the responders at a hop.
type responder struct {
	address netip.Addr
	target  bool      // it answers as the target does, not as a router on the path
	first   time.Time // when its first answer came
	round   int       // of that answer
	since   int       // the ordinal of the first probe that it answered
	last    int       // that of the last
	row     int       // consecutive answers, without one of another responder, up to its last

	ratio // of answers: its own out of all

	established bool
	others      int     // answers of established ones since its first
	shared      float64 // its own up to the last of these
}

const (
	maxResponders = 8
	sharesAfter   = 3
	strayShare    = 20
	endRun        = 3

	// steadyRow is the 6 of rule 3. Of two routers that share their load evenly and at
	// random, one hop in a thousand begins like that.
	steadyRow = 6
)

// change is a change of the responder.
type change struct {
	from, to netip.Addr
	first    time.Time // when the first answer of the new responder came
	round    int       // of that answer
}

// take takes an answer that came in time, and reports whether it confirms a change.
func (s *responders) take(a answer) (change, bool) {
	if s.run++; !a.target {
		s.run = 0
	}
	r := s.find(a)
	r.answered(a.ordinal)
	if r.established {
		s.noteShares(r)
	}
	for i := range s.all {
		if o := &s.all[i]; o != r && a.ordinal > o.last {
			o.absent++
		}
	}
	c, changed := s.replace()
	s.forget()
	return c, changed
}

// find returns the responder of an answer, which may be a new one.
func (s *responders) find(a answer) *responder {
	for i := range s.all {
		if r := &s.all[i]; r.address == a.from && r.target == a.target {
			return r
		}
	}
	if len(s.all) == maxResponders {
		longest := 0
		for i := range s.all {
			if s.all[i].absent > s.all[longest].absent {
				longest = i
			}
		}
		s.all = slices.Delete(s.all, longest, longest+1)
	}
	s.all = append(s.all, responder{
		address: a.from, target: a.target, established: len(s.all) == 0,
		first: a.at, round: a.round, since: a.ordinal, last: a.ordinal,
	})
	return &s.all[len(s.all)-1]
}

// answered counts an answer of the responder.
func (r *responder) answered(ordinal int) {
	if r.absent > 0 {
		r.row = 0 // another responder answered meanwhile
	}
	if ordinal > r.last {
		r.span += r.absent
		r.absent, r.last = 0, ordinal
	}
	r.row++
	r.add(1)
}

// noteShares notes for newcomers that an established responder has answered: rule 1.
func (s *responders) noteShares(by *responder) {
	for i := range s.all {
		r := &s.all[i]
		if r == by || r.established {
			continue
		}
		r.others, r.shared = r.others+1, r.count
		r.established = r.others >= sharesAfter && r.shared >= sharesAfter
	}
}

// replace looks for an established responder that has gone and a newcomer: rule 4.
func (s *responders) replace() (c change, changed bool) {
	gone, come := -1, -1
	steady := s.isReplaced()
	for i := range s.all {
		r := &s.all[i]
		if r.established {
			if r.hasGone(steady) && (gone < 0 || r.last > s.all[gone].last) {
				gone = i
			}
		} else if r.absent < minAbsence && (come < 0 || r.count > s.all[come].count) {
			come = i
		}
	}
	if gone < 0 || come < 0 {
		return c, false
	}
	r := &s.all[come]
	c = change{from: s.all[gone].address, to: r.address, first: r.first, round: r.round}
	s.main, s.changed = r.address, true
	s.all = slices.DeleteFunc(s.all, func(r responder) bool { return r.established && r.hasGone(steady) })
	for i := range s.all {
		s.all[i].established = true
	}
	return c, c.from != c.to
}

// hasGone reports whether an established responder does not answer any more: by its
// own regularity, or because it was steady and is replaced.
func (r *responder) hasGone(replaced bool) bool {
	return r.isGone() || replaced && r.row >= steadyRow
}

// isReplaced reports whether one responder alone is established, and a newcomer has
// given the last answers, as many as rule 3 demands.
func (s *responders) isReplaced() bool {
	established, steady := 0, false
	for i := range s.all {
		if r := &s.all[i]; r.established {
			established++
		} else if r.absent == 0 && r.row >= steadyRow {
			steady = true
		}
	}
	return established == 1 && steady
}

// forget drops responders that have gone without a successor, or only strayed: rule 5.
func (s *responders) forget() {
	present := false // an established responder still answers
	for i := range s.all {
		if r := &s.all[i]; r.established && r.absent < minAbsence {
			present = true
		}
	}
	drops := func(r *responder) bool {
		return r.absent >= strayShare*r.span || r.isGone() && (present || !r.established)
	}
	established := false
	for i := 0; i < len(s.all); {
		r := &s.all[i]
		if drops(r) {
			s.all = slices.Delete(s.all, i, i+1)
			continue
		}
		established = established || r.established
		i++
	}
	for i := range s.all {
		s.all[i].established = s.all[i].established || !established
	}
	s.choose()
}

// choose chooses the responder that stands for the hop: rule 6.
func (s *responders) choose() {
	var best *responder
	for i := range s.all {
		r := &s.all[i]
		if r.address == s.main {
			return
		}
		if r.established && (best == nil || r.count > best.count) {
			best = r
		}
	}
	if best != nil {
		s.main = best.address
	}
}

// isKnown reports whether the hop has a responder.
func (s *responders) isKnown() bool { return len(s.all) > 0 }

// isEnd reports whether the path ends at the hop: rule 7.
func (s *responders) isEnd() bool { return s.run > 0 && (s.run >= endRun || !s.hasRouter()) }

// hasRouter reports whether a router answers at the hop.
func (s *responders) hasRouter() bool {
	return slices.ContainsFunc(s.all, func(r responder) bool { return !r.target })
}

// vacate removes the target from the responders of the hop.
func (s *responders) vacate() {
	s.run = 0
	s.all = slices.DeleteFunc(s.all, func(r responder) bool { return r.target })
	s.choose()
}

// target returns the responder that is the target, or nil if the target does not answer at
// the hop.
func (s *responders) target() *responder {
	for i := range s.all {
		if s.all[i].target {
			return &s.all[i]
		}
	}
	return nil
}

// first returns the responder that stands for the hop, or nil if the hop has none.
func (s *responders) first() *responder {
	for i := range s.all {
		if s.all[i].address == s.main {
			return &s.all[i]
		}
	}
	return nil
}
