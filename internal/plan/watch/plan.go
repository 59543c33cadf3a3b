// Package watch is the strategy of a Monitor: which hop is probed when, which addresses
// answer at which hop, how long the path is, and whether the target can be reached. It is
// pure: observations and times in, probes and events out.
package watch

import (
	"iter"
	"net/netip"
	"slices"
	"sort"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// Config is the configuration of a Plan. All fields except Rounds, Outage and NoPath are
// required.
type Config struct {
	FirstHop, MaxHops int           // the TTLs that may be tried
	Interval          time.Duration // from round to round
	Timeout           time.Duration // of a probe
	Rounds            int           // 0: no limit
	Outage            int           // rounds that make an outage; negative: outages are not reported

	// NoPath reports whether this host refused a probe because it has no path to the
	// target; nil: it never does.
	NoPath func(err error) bool
}

// Event is a change that the Plan noticed.
type Event struct {
	Kind     EventKind
	Time     time.Time // when it happened, as far as the probes can tell
	Round    int       // the round in which it happened
	Hop      int       // of a RouteChange: its distance
	From, To netip.Addr
	Duration time.Duration // of a Recovery: how long the outage lasted
}

// EventKind is the kind of an Event.
type EventKind uint8

// The kinds, in the order of icmplib.EventKind.
const (
	RouteChange EventKind = iota + 1 // another router answers at a hop
	Outage                           // the target no longer answers
	Recovery                         // it answers again
)

// Plan is a Monitor's strategy at work. It is a [plan.Plan] for one round at a time: Done
// reports that the round is over, and Begin begins the next.
//
// The rules:
//
//  1. In each round every hop up to the end of the path is probed once, evenly spread
//     over the interval.
//  2. A round begins an interval after the one before. If more than half an interval was
//     missed, it begins now: neither missed rounds nor late probes are made up for. While a
//     probe waits to leave, there is no other, and the round is not over.
//  3. While the end is unknown, the first round may probe all hops, at most 50 ms apart.
//     Later rounds probe eight hops beyond the farthest that answered, and the scout: one
//     hop farther away, the next one in each round, and after the last again the first.
//  4. While the end is unknown, only the scout is probed beyond a hop at which the path
//     stops.
//  5. If the target has not answered for longer than twice its longest RTT (at least 250
//     ms, at most the timeout), four hops beyond the end are probed, and the scout, in the
//     last hop's share of the interval, but only in every second round, because a target
//     that limits its answers might spend all of them on the probes that go beyond.
//  6. A round is over when its interval is and nothing is left to probe; the last round is
//     over when all of its probes are settled.
//  7. From the first answer that does not identify its probe, one probe is in flight at a
//     time (stop-and-wait), and a round waits until its probes are settled. From then on,
//     no round probes all hops as the first one does.
//  8. Probes that were in flight when such an answer came are discarded if they get no
//     other answer, because that answer may have been theirs.
//  9. A waiting probe is recalled if its hop now lies beyond the end. Next may return it
//     again.
//  10. A target that answered before is lost when its path has no end and all hops in reach
//     are probed, or when the path stops.
//  11. The target is reached while its hop is known and there is no outage, reported or
//     not.
type Plan struct {
	cfg     Config
	path    path
	outages outages
	events  []Event

	round   int       // from 1
	start   time.Time // of the round
	over    bool
	next    int       // the hop to probe next
	due     time.Time // when
	scout   int       // the hop far ahead that is probed in this round
	scouted bool      // the scout was probed, or there is none
	alone   bool      // rule 7
	waits   bool      // a probe that Next returned was neither sent nor refused nor recalled
	flights flights

	// Rule 5.
	awaited    time.Time // when the first probe to the target since its last answer was sent
	beyond     bool      // hops beyond the end are probed
	lastBeyond int       // the round in which some were
}

const (
	firstSpacing  = 50 * time.Millisecond  // rule 3
	leastPatience = 250 * time.Millisecond // rule 5
	beyondHops    = 4
)

// New returns a Plan whose first round begins now.
func New(cfg Config, now time.Time) Plan {
	p := Plan{cfg: cfg}
	p.path.first, p.path.most = cfg.FirstHop, cfg.MaxHops-cfg.FirstHop+1
	p.outages = newOutages(cfg.Outage)
	p.Begin(now)
	return p
}

// Begin begins the next round: rule 2.
func (p *Plan) Begin(now time.Time) {
	p.round++
	p.over = false
	p.start = p.start.Add(p.cfg.Interval)
	if p.round == 1 || p.start.Add(p.cfg.Interval/2).Before(now) {
		p.start = now
	}
	p.next, p.due = 0, p.start
	first := p.limit() + 1
	if end := p.path.end(); end >= 0 {
		first = end + beyondHops + 1
	}
	if p.scouted = first >= p.path.most; !p.scouted {
		if p.scout++; p.scout < first || p.scout >= p.path.most {
			p.scout = first
		}
	}
	p.outages.open(p.round, p.start)
}

// Round returns the number of the round, from 1.
func (p *Plan) Round() int { return p.round }

// IsLast reports whether the round is the last.
func (p *Plan) IsLast() bool { return p.cfg.Rounds > 0 && p.round >= p.cfg.Rounds }

// Done reports whether the round is over.
func (p *Plan) Done() bool { return p.over }

// Alone reports whether only one probe may be in flight: rule 7.
func (p *Plan) Alone() bool { return p.alone }

// Next returns the probe that may leave now, or when to ask again. It also detects that the
// round is over.
func (p *Plan) Next(now time.Time) (probe plan.Probe, ok bool, wake time.Time) {
	if p.over || p.waits {
		return probe, false, wake
	}
	p.lookBeyond(now)
	index := p.index()
	if index < 0 && p.isOver(now) {
		p.finish()
		return probe, false, wake
	}
	if p.alone && p.flights.count > 0 {
		return probe, false, wake
	}
	if index < 0 {
		return probe, false, p.ends()
	}
	if p.due.After(now) {
		return probe, false, p.due
	}
	return p.leave(index, now), true, wake
}

// Listens reports whether an observation may now change which probes leave in this round,
// or whether the round is over. If not, observations can wait until the next probe is due.
func (p *Plan) Listens() bool { return p.alone || p.IsLast() || p.index() < 0 }

// index returns the hop to probe next, or -1 if this round has none as far as is known.
func (p *Plan) index() int {
	if p.next <= p.limit() {
		return p.next
	}
	if p.scouts() && p.scout >= p.next {
		return p.scout
	}
	return -1
}

// scouts reports whether the scout of this round must be probed.
func (p *Plan) scouts() bool { return !p.scouted && (p.beyond || p.path.end() < 0) }

// limit returns the last hop that needs to be probed as far as is known, apart from the
// scout.
func (p *Plan) limit() int {
	last := p.path.most - 1
	if end := p.path.end(); end >= 0 {
		if p.beyond {
			end += beyondHops
		}
		return min(end, last)
	}
	if stop := p.path.stop(); stop >= 0 {
		return stop
	}
	if p.round == 1 && !p.alone {
		return last
	}
	return min(p.path.far()+plan.Ahead, last)
}

// lookBeyond decides whether hops beyond the end are probed: rule 5.
func (p *Plan) lookBeyond(now time.Time) {
	p.beyond = false
	end := p.path.end()
	if end < 0 || p.next <= end || p.awaited.IsZero() {
		return
	}
	patience := min(p.cfg.Timeout, max(leastPatience, 2*p.path.hops[end].slowest))
	p.beyond = now.Sub(p.awaited) > patience && (p.lastBeyond == p.round || p.lastBeyond+2 <= p.round)
}

// isOver reports whether the time of the round is over or, in the last round, whether its
// last probe is settled.
func (p *Plan) isOver(now time.Time) bool {
	if (p.alone || p.IsLast()) && p.flights.count > 0 {
		return false
	}
	return p.IsLast() || !now.Before(p.start.Add(p.cfg.Interval))
}

// ends returns the earliest time at which the round is over, or the zero time if that
// depends on an observation.
func (p *Plan) ends() time.Time {
	if p.IsLast() {
		return time.Time{}
	}
	return p.start.Add(p.cfg.Interval)
}

// finish ends the round.
func (p *Plan) finish() {
	p.over = true
	p.events = p.path.measure(p.events)
	p.path.prune()
	p.outages.close(p.round, p.isLost())
	p.events = p.outages.judge(p.events)
}

// isLost reports whether the target answered before and cannot be found any more: rule 10.
func (p *Plan) isLost() bool {
	return p.path.length > 0 && p.path.end() < 0 && (p.path.stop() >= 0 || p.limit() == p.path.most-1)
}

// leave notes that a probe to a hop will leave.
func (p *Plan) leave(index int, now time.Time) plan.Probe {
	h := p.path.at(index, p.round)
	ttl := p.cfg.FirstHop + index
	f := flight{key: plan.MakeKey(ttl, p.round), round: p.round, ordinal: h.sent, aims: p.aims(index)}
	h.sent++
	p.waits = true
	if index > p.limit() {
		p.scouted = true
	}
	p.next = index + 1
	if p.due = p.due.Add(p.spacing()); p.due.Before(now) {
		p.due = now
	}
	end := p.path.end()
	if end >= 0 && index > end {
		p.lastBeyond = p.round
	}
	p.flights.add(f)
	p.outages.leaves(p.round, index, f.aims, end < 0 || index > end || end == p.path.most-1)
	return plan.Probe{Key: f.key, TTL: ttl}
}

// aims reports whether a probe to a hop should reach the target.
func (p *Plan) aims(index int) bool {
	if end := p.path.end(); end >= 0 {
		return index >= end
	}
	return p.path.length > 0 && index >= p.path.length-1
}

// spacing returns the time from the probe that leaves to the next one.
func (p *Plan) spacing() time.Duration {
	end := p.path.end()
	n := end + 1
	if end < 0 {
		if n = p.limit() + 1; !p.scouted {
			n++
		}
	}
	space := p.cfg.Interval / time.Duration(n)
	switch {
	case end >= 0 && p.next > end:
		space /= beyondHops + 2
	case end < 0 && p.round == 1:
		space = min(space, firstSpacing)
	}
	return space
}

// Wants reports whether a waiting probe should still leave: rule 9.
func (p *Plan) Wants(k plan.Key) bool {
	index := p.indexOf(k)
	return index <= p.limit() || index == p.scout && (p.beyond || p.path.end() < 0)
}

// Recall takes back a probe that Next returned. Next may return it again.
func (p *Plan) Recall(k plan.Key) {
	p.waits = false
	f, ok := p.flights.take(k, p.roundOf(k))
	if !ok {
		return
	}
	index := p.indexOf(k)
	if h := p.path.find(index, f.round); h != nil {
		h.sent--
	}
	p.outages.skip(f.round, false)
	p.next = min(p.next, index)
	p.scouted = p.scouted && index != p.scout
}

// Sent notes when the system accepted a probe.
func (p *Plan) Sent(k plan.Key, at time.Time) {
	p.waits = false
	f := p.flights.find(k, p.roundOf(k))
	if f == nil {
		return
	}
	f.sent = at
	if p.due.Before(at) {
		p.due = at
	}
	if f.aims && p.awaited.IsZero() {
		p.awaited = at
	}
	p.outages.sent(f.round, p.indexOf(k), at)
}

// Refused notes that the system refused a probe, and why.
func (p *Plan) Refused(k plan.Key, err error, _ time.Time) {
	p.waits = false
	if f, ok := p.flights.take(k, p.roundOf(k)); ok {
		p.outages.refused(f.round, p.cfg.NoPath != nil && p.cfg.NoPath(err))
		p.events = p.outages.judge(p.events)
	}
}

// Observe notes an observation of a probe. See [Plan.Entry].
func (p *Plan) Observe(_ time.Time, o *plan.Observation) {
	if o.Kind == plan.Unclear {
		p.alone = true
		p.flights.discard()
		return
	}
	index, round := p.indexOf(o.Key), p.roundOf(o.Key)
	if o.IsAnswer() && o.Answer() == plan.Arrives && !o.Duplicate {
		p.awaited = time.Time{}
	}
	if o.Settles {
		f, ok := p.flights.take(o.Key, round)
		switch {
		case !ok:
			return
		case f.discarded && o.Kind == plan.Silent:
			p.outages.skip(round, true)
			p.events = p.outages.judge(p.events)
			return
		}
		p.path.compare(index, o)
		p.events = p.path.take(index, round, f.ordinal, o, p.events)
	}
	p.outages.take(round, index, o)
	p.events = p.outages.judge(p.events)
}

func (p *Plan) indexOf(k plan.Key) int { return k.Hop() - p.cfg.FirstHop }

// roundOf returns the round of a probe: the last round whose low bits are in the key.
func (p *Plan) roundOf(k plan.Key) int {
	return p.round - plan.MakeKey(0, p.round-k.Number()).Number()
}

// Entry defines how an observation of a probe enters the statistics of a hop.
type Entry struct {
	Hop       int // its index, from 0
	Round     int
	Ordinal   int       // among the probes to the hop that count, from 0; of a settled probe 0
	Sent      time.Time // when the probe was sent; the zero time if it waits, or was settled
	Counts    bool      // not set: the hop was forgotten since
	Discarded bool      // if the probe stays silent, its answer may not have been credited: the probe is ignored
}

// Entry returns the entry of a probe. Call it before the observation is passed to Observe.
func (p *Plan) Entry(k plan.Key) Entry {
	e := Entry{Hop: p.indexOf(k), Round: p.roundOf(k)}
	e.Counts = p.path.find(e.Hop, e.Round) != nil
	if f := p.flights.find(k, e.Round); f != nil {
		e.Ordinal, e.Sent, e.Discarded = f.ordinal, f.sent, f.discarded
	}
	return e
}

// Distance returns the TTL of the probes to the hop with an index, from 0.
func (p *Plan) Distance(index int) int { return p.cfg.FirstHop + index }

// Since returns the round from which on the probes to the hop with an index, from 0, count.
// The caller must forget earlier results.
func (p *Plan) Since(index int) int { return p.path.hops[index].since }

// InFlight yields the probes that left and are not settled, in the order of sending.
func (p *Plan) InFlight() iter.Seq2[plan.Key, Entry] {
	return func(yield func(plan.Key, Entry) bool) {
		for k := range p.flights.each {
			if e := p.Entry(k); !e.Sent.IsZero() && !yield(k, e) {
				return
			}
		}
	}
}

// Show returns how many hops of the path to show, and why it ends there. If the end is
// unknown, the path is shown up to the farthest hop that answers.
func (p *Plan) Show() (hops int, why plan.End) {
	hops, why = p.path.far()+1, plan.EndMaxHops
	last := p.path.end()
	switch {
	case last >= 0:
		hops, why = last+1, plan.EndReached
	case p.path.stop() >= 0:
		last = p.path.stop()
		hops, why = last+1, plan.EndLoop
	}
	if last >= 0 && p.path.hops[last].refusal != plan.EndUnknown {
		why = p.path.hops[last].refusal
	}
	p.path.show(hops)
	return hops, why
}

// Reached reports whether the target answers: rule 11.
func (p *Plan) Reached() bool { return p.path.end() >= 0 && !p.outages.out }

// Address returns the address that stands for the hop with an index, from 0: at the end of
// the path the target, elsewhere the responder that stands for the hop and, without one (as
// where no node forwards), the address of the last answer.
func (p *Plan) Address(index int) netip.Addr {
	h := &p.path.hops[index]
	r := h.responders.first()
	if index == p.path.end() {
		r = h.target()
	}
	if r == nil {
		return h.last
	}
	return r.address
}

// Events returns the events since its last call, in order of time.
func (p *Plan) Events() []Event {
	events := p.events
	p.events = nil
	slices.SortStableFunc(events, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return events
}

// flights holds the probes that are not settled, in the order of sending. A probe that is
// taken out leaves a gap, which disappears when all probes before it are gone.
type flights struct {
	all   []flight
	head  int
	count int
}

type flight struct {
	key       plan.Key
	round     int
	ordinal   int
	sent      time.Time
	aims      bool // it should reach the target
	discarded bool
	gone      bool
}

func (f *flights) add(x flight) {
	if len(f.all) == cap(f.all) && f.head > len(f.all)/2 {
		f.all = f.all[:copy(f.all, f.all[f.head:])]
		f.head = 0
	}
	f.all = append(f.all, x)
	f.count++
}

// find returns a probe of a round, or nil if it is settled.
func (f *flights) find(k plan.Key, round int) *flight {
	all := f.all[f.head:]
	for i := sort.Search(len(all), func(i int) bool { return all[i].round >= round }); i < len(all) && all[i].round == round; i++ {
		if x := &all[i]; x.key == k && !x.gone {
			return x
		}
	}
	return nil
}

// take takes a probe out.
func (f *flights) take(k plan.Key, round int) (x flight, ok bool) {
	found := f.find(k, round)
	if found == nil {
		return x, false
	}
	x = *found
	found.gone = true
	f.count--
	for f.head < len(f.all) && f.all[f.head].gone {
		f.head++
	}
	if f.count == 0 {
		f.all, f.head = f.all[:0], 0
	}
	return x, true
}

// discard marks all probes: rule 8 of Plan.
func (f *flights) discard() {
	for i := range f.all {
		f.all[i].discarded = true
	}
}

func (f *flights) each(yield func(plan.Key) bool) {
	for _, x := range f.all[f.head:] {
		if !x.gone && !yield(x.key) {
			return
		}
	}
}
