package icmplib

import (
	"net/netip"
	"slices"
	"time"
)

// hopWatch watches who answers at a hop, to tell a change of the route from
// everything that only looks like one: a router that answers from several
// addresses, several routers that share a load, a single stray answer.
//
// Those who answer are the members of a set. The route has changed when a member
// has gone and somebody is there instead who was not before. Loss is no sign of
// either: only answers count. How many answers of others it takes until a member
// counts as gone depends on how regular it was, see tally.isGone.
//
// Somebody who comes is new until settled: until it is seen that it and the older
// members answer by turns. While one member alone is settled, nothing says that load
// is shared: a newcomer that answers steadyRounds times in a row replaces it, if it
// had answered as many times in a row itself.
type hopWatch struct {
	members []hopMember // in the order of their first answers
	main    netip.Addr  // the member that stands for the hop
	changed bool        // somebody has replaced somebody
	run     int         // answers of the target one after the other, to the last
}

// hopMember is one of those who answer at a hop.
type hopMember struct {
	address netip.Addr
	target  bool      // it answers as the target does, not as a router on the way
	first   time.Time // when its first answer came
	round   int       // of that answer
	since   int       // the ordinal of the first probe that it answered
	last    int       // and of the last
	row     int       // answers in a row, without one of anybody else, up to the last

	tally // of answers: its own out of all

	settled bool
	returns int     // answers of settled members since its first, up to the present
	sharing float64 // its own up to the last of these
}

const (
	maxMembers = 8  // of a set; more are forgotten
	turnsTaken = 3  // answers of each of two members that make turns
	strayShare = 20 // times as many answers of others make a member one that only strayed
	endRun     = 3  // answers of the target in a row that make a hop the end

	// steadyRounds is how many answers in a row of the old one, and then of the new
	// one, make a change of a hop that has not been seen to share its load. Of two
	// that share it evenly, at random, one hop in a thousand begins like that.
	steadyRounds = 6
)

// hopChange is a change of who answers.
type hopChange struct {
	from, to netip.Addr
	first    time.Time // the first answer of the new one
	round    int
}

// answer takes an answer that came in time, and tells whether it confirms a
// change.
func (w *hopWatch) answer(r *Result, tag monitorTag, target bool) (hopChange, bool) {
	if w.run++; !target {
		w.run = 0
	}
	m := w.member(r, tag, target)
	m.answered(tag.ordinal)
	if m.settled {
		w.returned(m)
	}
	for i := range w.members {
		if other := &w.members[i]; other != m && tag.ordinal > other.last {
			other.absent++
		}
	}
	change, changed := w.change()
	w.forget()
	return change, changed
}

// member returns who answered, which may be a new member.
func (w *hopWatch) member(r *Result, tag monitorTag, target bool) *hopMember {
	for i := range w.members {
		if m := &w.members[i]; m.address == r.Responder && m.target == target {
			return m
		}
	}
	if len(w.members) == maxMembers {
		longest := 0
		for i := range w.members {
			if w.members[i].absent > w.members[longest].absent {
				longest = i
			}
		}
		w.members = slices.Delete(w.members, longest, longest+1)
	}
	w.members = append(w.members, hopMember{
		address: r.Responder, target: target, settled: len(w.members) == 0,
		first: r.Sent.Add(r.RTT), round: tag.round, since: tag.ordinal, last: tag.ordinal,
	})
	return &w.members[len(w.members)-1]
}

// answered counts an answer of the member.
func (m *hopMember) answered(ordinal int) {
	if m.absent > 0 {
		m.row = 0 // somebody else answered meanwhile
	}
	if ordinal > m.last {
		m.span += m.absent
		m.absent, m.last = 0, ordinal
	}
	m.row++
	m.tally.add(1)
}

// returned notes for the new members that an older one has answered: those that
// have taken turns with it are settled.
func (w *hopWatch) returned(older *hopMember) {
	for i := range w.members {
		m := &w.members[i]
		if m.settled || m == older {
			continue
		}
		m.returns, m.sharing = m.returns+1, m.count
		m.settled = m.returns >= turnsTaken && m.sharing >= turnsTaken
	}
}

// change looks for a settled member that has gone and a new one that came. The
// set is then that of those who answer now.
func (w *hopWatch) change() (c hopChange, changed bool) {
	gone, come := -1, -1
	replaced := w.isReplaced()
	for i := range w.members {
		m := &w.members[i]
		switch {
		case !m.settled && m.absent < minAbsence && (come < 0 || m.count > w.members[come].count):
			come = i
		case m.settled && m.hasGone(replaced) && (gone < 0 || m.last > w.members[gone].last):
			gone = i
		}
	}
	if gone < 0 || come < 0 {
		return c, false
	}
	old, m := &w.members[gone], &w.members[come]
	c = hopChange{from: old.address, to: m.address, first: m.first, round: m.round}
	w.main, w.changed = m.address, true
	w.members = slices.DeleteFunc(w.members, func(m hopMember) bool { return m.settled && m.hasGone(replaced) })
	for i := range w.members {
		w.members[i].settled = true
	}
	return c, c.from != c.to
}

// hasGone reports whether a settled member does not answer any more: by its own
// regularity, or because it was steady, and is replaced.
func (m *hopMember) hasGone(replaced bool) bool {
	return m.isGone() || replaced && m.row >= steadyRounds
}

// isReplaced reports whether there is one settled member only, and a new one has
// given the last answers, as many as make it steady.
func (w *hopWatch) isReplaced() bool {
	settled, steady := 0, false
	for i := range w.members {
		switch m := &w.members[i]; {
		case m.settled:
			settled++
		default:
			steady = steady || m.absent == 0 && m.row >= steadyRounds
		}
	}
	return settled == 1 && steady
}

// forget drops those who have gone without a successor, or only strayed.
func (w *hopWatch) forget() {
	w.members = slices.DeleteFunc(w.members, func(m hopMember) bool {
		return m.absent >= strayShare*m.span || m.absent > 0 && m.isGone() && (!m.settled || w.othersSettled(&m))
	})
	if !slices.ContainsFunc(w.members, func(m hopMember) bool { return m.settled }) {
		for i := range w.members {
			w.members[i].settled = true
		}
	}
	w.choose()
}

// othersSettled tells whether a settled member answers besides m.
func (w *hopWatch) othersSettled(m *hopMember) bool {
	return slices.ContainsFunc(w.members, func(o hopMember) bool {
		return o.settled && o.absent < minAbsence && (o.address != m.address || o.target != m.target)
	})
}

// choose chooses the member that stands for the hop. It remains the same as long
// as it is there.
func (w *hopWatch) choose() {
	best := -1
	for i := range w.members {
		m := &w.members[i]
		if m.address == w.main {
			return
		}
		if m.settled && (best < 0 || m.count > w.members[best].count) {
			best = i
		}
	}
	if best >= 0 {
		w.main = w.members[best].address
	}
}
