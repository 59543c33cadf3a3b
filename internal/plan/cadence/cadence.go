// Package cadence decides when each of many hosts is probed that are watched for
// ever, and what the fates of the probes say of a host. It is pure: every moment is
// an argument, measured from an epoch of the caller's choice.
package cadence

import (
	"container/heap"
	"time"
)

// Schedule says which member is due when. Its rules:
//
//  1. A member is due at its phase, and then once in each of its intervals.
//  2. Phases are spread evenly whatever the number of members: the n-th member has
//     the n-th term of the golden ratio's sequence, of which any first terms leave
//     gaps of nearly one size.
//  3. A member that leaves gives its place up to the next one that comes, so that
//     members stay spread while they are exchanged.
//  4. A member that stays keeps its phase, whoever comes and goes.
//  5. A member that is new is first due within one interval.
//  6. What was missed, because the caller came late, is not made up for: a member is
//     due once, and then at its next regular time.
//  7. Phases lie on a grid of a 100th of the interval, 10 ms at the most and 1 ms at
//     the least: who are due together cost one wake-up.
type Schedule struct {
	queue   dueQueue
	members []member // by place
	free    []int    // places that were given up
}

type member struct {
	due      time.Duration
	interval time.Duration
	phase    time.Duration
	at       int // in the queue; -1: nobody has the place
}

// Add gives a member a place, from now on, and returns that.
func (s *Schedule) Add(now, interval time.Duration) (place int) {
	if n := len(s.free); n > 0 {
		place = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		place = len(s.members)
		s.members = append(s.members, member{})
	}
	m := &s.members[place]
	*m = member{interval: interval, phase: phase(place, interval)}
	m.due = m.after(now)
	heap.Push(&s.queue, entry{m.due, place, s})
	return place
}

// Remove takes a member out, whose place may be another's from now on.
func (s *Schedule) Remove(place int) {
	heap.Remove(&s.queue, s.members[place].at)
	s.members[place].at = -1
	s.free = append(s.free, place)
}

// Next returns a member that is due, as often as there is one, and is then next due in
// an interval. Where there is none, wake is when there will be; 0 if there is no
// member.
func (s *Schedule) Next(now time.Duration) (place int, due bool, wake time.Duration) {
	if len(s.queue) == 0 {
		return 0, false, 0
	}
	first := &s.queue[0]
	if first.due > now {
		return 0, false, first.due
	}
	place = first.place
	m := &s.members[place]
	if m.due += m.interval; m.due <= now {
		m.due = m.after(now)
	}
	first.due = m.due
	heap.Fix(&s.queue, 0)
	return place, true, 0
}

// First returns when a member is due next, and reports whether there is one.
func (s *Schedule) First() (due time.Duration, ok bool) {
	if len(s.queue) == 0 {
		return 0, false
	}
	return s.queue[0].due, true
}

// after returns the first regular time of a member after a moment.
func (m *member) after(now time.Duration) time.Duration {
	if now <= m.phase {
		return m.phase
	}
	return m.phase + ((now-m.phase)/m.interval+1)*m.interval
}

// golden is 2^64 divided by the golden ratio.
const golden = 0x9e3779b97f4a7c15

// phase returns the phase of a place.
func phase(place int, interval time.Duration) time.Duration {
	const bits = 32
	part := float64(uint64(place+1)*golden>>bits) / (1 << bits)
	grid := min(max(interval/100, time.Millisecond), 10*time.Millisecond)
	return min(time.Duration(part*float64(interval)).Truncate(grid), interval)
}

// dueQueue is a heap of members by when they are due.
type dueQueue []entry

type entry struct {
	due   time.Duration
	place int
	s     *Schedule
}

func (q dueQueue) Len() int { return len(q) }
func (q dueQueue) Less(i, j int) bool {
	return q[i].due < q[j].due || q[i].due == q[j].due && q[i].place < q[j].place
}

func (q dueQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].s.members[q[i].place].at, q[j].s.members[q[j].place].at = i, j
}

// Push is for package heap.
func (q *dueQueue) Push(x any) {
	e := x.(entry)
	e.s.members[e.place].at = len(*q)
	*q = append(*q, e)
}

// Pop is for package heap.
func (q *dueQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}

// Change is what an observation changes.
type Change uint8

// The changes.
const (
	None  Change = iota
	Up           // the host answers, for the first time or again
	Down         // it has not answered so many probes in a row
	Stuck        // it is to be probed with another id
)

// Pulse is what is known of a host by the fates of its probes. Its rules:
//
//  1. The first answer makes a host up.
//  2. So many probes in a row without an answer make it down, also one that never
//     answered. A probe that was not sent is one without an answer.
//  3. The row is that of the probes: one whose fate is known late does not break or
//     lengthen it if a later one was answered.
//  4. An answer makes a host that is down up.
//  5. A host that is up or down is not made so again.
//  6. A row of so many silent probes makes it stuck, and each that is twice as long
//     again: a firewall or an address translator may hold a bad session for the id. A
//     probe that was refused, or answered with an error, does not.
type Pulse struct {
	up, known bool
	answered  int // number of the newest probe that was answered, from 1
	row       int // probes since that without an answer
	silent    int // of those at the end of the row: silent ones
	stuck     int // length of a silent row that makes the host stuck next
}

// Fate is what became of a probe.
type Fate uint8

// The fates.
const (
	Answered Fate = iota
	Silent
	Failed // an error came, or it was not sent
)

// Observe takes the fate of the probe with a number, from 0. Down is how long a row
// makes the host down, stuck how long one makes it stuck; 0: none does.
func (p *Pulse) Observe(number int, fate Fate, down, stuck int) (change, also Change) {
	number++
	if fate == Answered {
		p.row, p.silent, p.stuck = 0, 0, 0
		p.answered = max(p.answered, number)
		if p.up {
			return None, None
		}
		p.up, p.known = true, true
		return Up, None
	}
	if number < p.answered {
		return None, None
	}
	p.row++
	if p.silent++; fate == Failed {
		p.silent = 0
	}
	if p.row >= down && (p.up || !p.known) {
		p.up, p.known = false, true
		change = Down
	}
	if stuck > 0 && p.silent >= max(stuck, p.stuck) {
		p.stuck = 2 * p.silent
		also = Stuck
	}
	return change, also
}
