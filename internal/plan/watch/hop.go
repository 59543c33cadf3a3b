// Package watch is the strategy by which a Monitor tells a change of the route from
// what only looks like one. It is pure: answers in, changes out.
package watch

import (
	"net/netip"
	"slices"
	"time"
)

// Answer is an answer that came in time.
type Answer struct {
	Responder netip.Addr
	Target    bool      // it is the target's, not that of a router on the path
	At        time.Time // when it came
	Round     int       // of its probe, from 1
	Ordinal   int       // of its probe among those to the hop, from 0
}

// Hop watches who answers at a hop, to tell a change of the route from
// everything that only looks like one: a router that answers from several
// addresses, several routers that share a load, a single stray answer.
//
// Those who answer are the members of a set. The route has changed when a member
// has gone and somebody is there instead who was not before. Loss is no sign of
// either: only answers count. How many answers of others it takes until a member
// counts as gone depends on how regular it was, see tally.IsGone.
//
// The rules:
//
//  1. The first responder is settled. A newcomer is settled as soon as it and settled
//     members have each answered 3 times since it came: they share the load.
//  2. A settled member has gone when its absence is no chance: [Ratio.IsGone].
//  3. While one member alone is settled, nothing says that load is shared: a newcomer
//     that answers 6 times in a row replaces it, if it had answered 6 times in a row.
//  4. The route changes when a settled member has gone and there is a newcomer that
//     still answers.
//  5. A member that is absent 20 times as long as it was there only strayed, and is
//     forgotten. So is the one that is absent longest where there are 8 already.
//  6. The member that stands for the hop remains the same while it answers.
//  7. The path ends at the hop if the target gave the last answer, and no router
//     answers there or the last 3 answers are the target's.
type Hop struct {
	members []Member   // in the order of their first answers
	main    netip.Addr // the member that stands for the hop
	Changed bool       // somebody has replaced somebody
	run     int        // answers of the target one after the other, to the last
}

// Member is one of those who answer at a hop.
type Member struct {
	Address netip.Addr
	First   time.Time // when its first answer came
	Round   int       // of that answer
	Since   int       // the ordinal of the first probe that it answered

	target bool // it answers as the target does, not as a router on the path
	last   int  // the ordinal of the last probe that it answered
	row    int  // answers in a row, without one of anybody else, up to the last

	Ratio // of answers: its own out of all

	settled bool
	returns int     // answers of settled members since its first, up to the present
	sharing float64 // its own up to the last of these
}

const (
	maxMembers = 8  // of a set; more are forgotten
	turnsTaken = 3  // answers of each of two members that make turns
	strayShare = 20 // times as many answers of others make a member one that only strayed
	EndRun     = 3  // answers of the target in a row that make a hop the end

	// steadyRounds is how many answers in a row of the old one, and then of the new
	// one, make a change of a hop that has not been seen to share its load. Of two
	// that share it evenly, at random, one hop in a thousand begins like that.
	steadyRounds = 6
)

// Change is a change of who answers.
type Change struct {
	From, To netip.Addr
	First    time.Time // when the first answer of the new responder came
	Round    int       // of that answer
}

// answer takes an answer that came in time, and reports whether it confirms a
// change.
func (w *Hop) Answer(a Answer) (Change, bool) {
	if w.run++; !a.Target {
		w.run = 0
	}
	m := w.member(a)
	m.answered(a.Ordinal)
	if m.settled {
		w.returned(m)
	}
	for i := range w.members {
		if other := &w.members[i]; other != m && a.Ordinal > other.last {
			other.Absent++
		}
	}
	change, changed := w.change()
	w.forget()
	return change, changed
}

// member returns who answered, which may be a new member.
func (w *Hop) member(a Answer) *Member {
	for i := range w.members {
		if m := &w.members[i]; m.Address == a.Responder && m.target == a.Target {
			return m
		}
	}
	if len(w.members) == maxMembers {
		longest := 0
		for i := range w.members {
			if w.members[i].Absent > w.members[longest].Absent {
				longest = i
			}
		}
		w.members = slices.Delete(w.members, longest, longest+1)
	}
	w.members = append(w.members, Member{
		Address: a.Responder, target: a.Target, settled: len(w.members) == 0,
		First: a.At, Round: a.Round, Since: a.Ordinal, last: a.Ordinal,
	})
	return &w.members[len(w.members)-1]
}

// answered counts an answer of the member.
func (m *Member) answered(ordinal int) {
	if m.Absent > 0 {
		m.row = 0 // somebody else answered meanwhile
	}
	if ordinal > m.last {
		m.span += m.Absent
		m.Absent, m.last = 0, ordinal
	}
	m.row++
	m.Add(1)
}

// returned notes for the new members that an older one has answered: those that
// have taken turns with it are settled.
func (w *Hop) returned(older *Member) {
	for i := range w.members {
		m := &w.members[i]
		if m.settled || m == older {
			continue
		}
		m.returns, m.sharing = m.returns+1, m.Count
		m.settled = m.returns >= turnsTaken && m.sharing >= turnsTaken
	}
}

// change looks for a settled member that has gone and a new one that came. The
// set is then that of those who answer now.
func (w *Hop) change() (c Change, changed bool) {
	gone, come := -1, -1
	replaced := w.isReplaced()
	for i := range w.members {
		m := &w.members[i]
		switch {
		case !m.settled && m.Absent < minAbsence && (come < 0 || m.Count > w.members[come].Count):
			come = i
		case m.settled && m.hasGone(replaced) && (gone < 0 || m.last > w.members[gone].last):
			gone = i
		}
	}
	if gone < 0 || come < 0 {
		return c, false
	}
	old, m := &w.members[gone], &w.members[come]
	c = Change{From: old.Address, To: m.Address, First: m.First, Round: m.Round}
	w.main, w.Changed = m.Address, true
	w.members = slices.DeleteFunc(w.members, func(m Member) bool { return m.settled && m.hasGone(replaced) })
	for i := range w.members {
		w.members[i].settled = true
	}
	return c, c.From != c.To
}

// hasGone reports whether a settled member does not answer any more: by its own
// regularity, or because it was steady, and is replaced.
func (m *Member) hasGone(replaced bool) bool {
	return m.IsGone() || replaced && m.row >= steadyRounds
}

// isReplaced reports whether there is one settled member only, and a new one has
// given the last answers, as many as make it steady.
func (w *Hop) isReplaced() bool {
	settled, steady := 0, false
	for i := range w.members {
		switch m := &w.members[i]; {
		case m.settled:
			settled++
		default:
			steady = steady || m.Absent == 0 && m.row >= steadyRounds
		}
	}
	return settled == 1 && steady
}

// forget drops those who have gone without a successor, or only strayed.
func (w *Hop) forget() {
	w.members = slices.DeleteFunc(w.members, func(m Member) bool {
		return m.Absent >= strayShare*m.span || m.Absent > 0 && m.IsGone() && (!m.settled || w.othersSettled(&m))
	})
	if !slices.ContainsFunc(w.members, func(m Member) bool { return m.settled }) {
		for i := range w.members {
			w.members[i].settled = true
		}
	}
	w.choose()
}

// othersSettled reports whether a settled member answers besides m.
func (w *Hop) othersSettled(m *Member) bool {
	return slices.ContainsFunc(w.members, func(o Member) bool {
		return o.settled && o.Absent < minAbsence && (o.Address != m.Address || o.target != m.target)
	})
}

// choose chooses the member that stands for the hop. It remains the same as long
// as it is there.
func (w *Hop) choose() {
	best := -1
	for i := range w.members {
		m := &w.members[i]
		if m.Address == w.main {
			return
		}
		if m.settled && (best < 0 || m.Count > w.members[best].Count) {
			best = i
		}
	}
	if best >= 0 {
		w.main = w.members[best].Address
	}
}

func (w *Hop) IsKnown() bool { return len(w.members) > 0 }

// IsEnd reports whether the way ends at the hop: only the target answers there, now
// at least.
func (w *Hop) IsEnd() bool { return w.run > 0 && (w.run >= EndRun || !w.HasRouter()) }

// Vacate takes the target out of those who answer there.
func (w *Hop) Vacate() {
	w.run = 0
	w.members = slices.DeleteFunc(w.members, func(m Member) bool { return m.target })
	w.choose()
}

func (w *Hop) HasRouter() bool {
	return slices.ContainsFunc(w.members, func(m Member) bool { return !m.target })
}

// Target returns the target where it answers at the hop, or nil.
func (w *Hop) Target() *Member {
	if i := slices.IndexFunc(w.members, func(m Member) bool { return m.target }); i >= 0 {
		return &w.members[i]
	}
	return nil
}

// Main returns who stands for the hop, nil if nobody answers.
func (w *Hop) Main() *Member {
	if i := slices.IndexFunc(w.members, func(m Member) bool { return m.Address == w.main }); i >= 0 {
		return &w.members[i]
	}
	return nil
}
