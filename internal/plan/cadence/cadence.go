// Package cadence decides when to probe each of many hosts that are watched without end,
// when to look their names up again, and what the results of the probes mean for a host. It
// is pure: every time is an argument.
package cadence

import (
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// Phases spreads members over their intervals. Its rules:
//
//  1. Phases are spread evenly whatever the number of members: the n-th member has the n-th
//     term of the golden ratio's sequence, whose first terms, however many, leave gaps of
//     nearly the same size.
//  2. A member that leaves gives its place to the next one that comes, so that members stay
//     evenly spread.
//  3. Phases lie on a grid of a 100th of the interval, from 1 ms to 10 ms: members that are
//     due together cost one wake-up.
type Phases struct {
	Epoch time.Time // from which phases are measured
	taken int
	free  []int // places that were given up
}

// Take returns a place that is free, and the beat of the member that takes it.
func (p *Phases) Take(interval time.Duration) (place int, b Beat) {
	if n := len(p.free); n > 0 {
		place = p.free[n-1]
		p.free = p.free[:n-1]
	} else {
		place = p.taken
		p.taken++
	}
	return place, Beat{Epoch: p.Epoch, Interval: interval, Phase: phase(place, interval)}
}

// GiveBack gives a place up.
func (p *Phases) GiveBack(place int) { p.free = append(p.free, place) }

// golden is 2^64 divided by the golden ratio.
const golden = 0x9e3779b97f4a7c15

// phase returns the phase of a place.
func phase(place int, interval time.Duration) time.Duration {
	const bits = 32
	part := float64(uint64(place+1)*golden>>bits) / (1 << bits)
	grid := min(max(interval/100, time.Millisecond), 10*time.Millisecond)
	return min(time.Duration(part*float64(interval)).Truncate(grid), interval)
}

// Beat is the regular times of a member: one in each interval.
type Beat struct {
	Epoch           time.Time
	Interval, Phase time.Duration
}

// after returns the first regular time after a moment.
func (b *Beat) after(now time.Time) time.Time {
	first := b.Epoch.Add(b.Phase)
	if now.Before(first) {
		return first
	}
	return first.Add((now.Sub(first)/b.Interval + 1) * b.Interval)
}

// Plan is the probing of one host without end. Its rules:
//
//  1. A host is probed at the regular times of its beat, first within an interval.
//  2. Probes that were missed, because the caller came late, are not made up for: a host is
//     probed once, and then at its next regular time. While a probe waits to leave, there
//     is no other.
//  3. Probes are numbered from 0, including those that the system refuses.
type Plan struct {
	plan.Prompt
	beat  Beat
	due   time.Time
	asked int
	waits bool
}

// New returns the plan of a host that is probed from now on.
func New(b Beat, now time.Time) Plan { return Plan{beat: b, due: b.after(now)} }

// Asked returns how many probes Next returned.
func (p *Plan) Asked() int { return p.asked }

// Next returns the probe that may leave now: see [plan.Plan].
func (p *Plan) Next(now time.Time) (probe plan.Probe, ok bool, wake time.Time) {
	if p.waits {
		return probe, false, wake
	}
	if now.Before(p.due) {
		return probe, false, p.due
	}
	if p.due = p.due.Add(p.beat.Interval); !now.Before(p.due) {
		p.due = p.beat.after(now)
	}
	p.waits = true
	p.asked++
	return plan.Probe{Key: plan.MakeKey(0, p.asked-1)}, true, wake
}

// Sent notes that a probe has left.
func (p *Plan) Sent(plan.Key, time.Time) { p.waits = false }

// Refused notes that the system refused a probe.
func (p *Plan) Refused(plan.Key, error, time.Time) { p.waits = false }

// Observe changes nothing: see [Pulse].
func (p *Plan) Observe(time.Time, *plan.Observation) {}

// Done reports false.
func (p *Plan) Done() bool { return false }

// Renewal decides when a name is looked up. Its rules:
//
//  1. A name is looked up at its regular times; a name without an address is looked up at
//     once.
//  2. There is one look-up at a time: those that fall due meanwhile are skipped.
//  3. A failed look-up is repeated after Retry, if that is earlier.
//  4. Without an interval there are no regular times.
type Renewal struct {
	beat   Beat
	retry  time.Duration
	due    time.Time // the zero time: never
	asking bool
}

// NewRenewal returns the renewal of a name. Known means that the name has an address. A
// retry of 0 means none.
func NewRenewal(b Beat, retry time.Duration, known bool, now time.Time) Renewal {
	r := Renewal{beat: b, retry: retry, due: now}
	if known {
		r.due = r.regular(now)
	}
	return r
}

func (r *Renewal) regular(now time.Time) time.Time {
	if r.beat.Interval <= 0 {
		return time.Time{}
	}
	return r.beat.after(now)
}

// Next reports whether the name must be looked up now. If not, wake is when to ask again;
// the zero time means when a look-up has ended, or never.
func (r *Renewal) Next(now time.Time) (ask bool, wake time.Time) {
	switch {
	case r.asking || r.due.IsZero():
		return false, wake
	case now.Before(r.due):
		return false, r.due
	}
	r.asking = true
	return true, wake
}

// Asking reports whether a look-up runs.
func (r *Renewal) Asking() bool { return r.asking }

// Found notes that a look-up has ended.
func (r *Renewal) Found(now time.Time, failed bool) {
	r.asking, r.due = false, r.regular(now)
	if failed && r.retry > 0 {
		r.due = plan.Earlier(r.due, now.Add(r.retry))
	}
}
