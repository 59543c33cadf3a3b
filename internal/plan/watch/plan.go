// Package watch is the strategy of a Monitor: which hop is probed when, who answers
// where, how long the path is, and whether the target can be reached. It is pure:
// observations and moments in, probes and events out.
package watch

import (
	"iter"
	"net/netip"
	"slices"
	"sort"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// Config says how to watch a path. All but Rounds, Outage and NoPath is needed.
type Config struct {
	FirstHop, MaxHops int           // the TTLs that may be tried
	Interval          time.Duration // from round to round
	Timeout           time.Duration // of a probe
	Rounds            int           // 0: there is no last one
	Outage            int           // rounds that make an outage; negative: none are told

	// NoPath reports whether this host did not send a probe because it has no path to
	// the target; nil: it never says so.
	NoPath func(err error) bool
}

// Event is something that happened.
type Event struct {
	Kind     EventKind
	Time     time.Time // when it happened, as far as the probes can tell
	Round    int       // that round
	Hop      int       // of a RouteChange: its distance
	From, To netip.Addr
	Duration time.Duration // of a Recovery: how long the outage lasted
}

// EventKind says what happened.
type EventKind uint8

// The kinds, in the order of icmplib.EventKind.
const (
	RouteChange EventKind = iota + 1 // another router answers at a hop
	Outage                           // the target has ceased to answer
	Recovery                         // it answers again
)

// Plan is a Monitor's strategy at work. It is a [plan.Plan] for each round: Done
// reports that the round is over, and Begin begins the next.
//
// The rules:
//
//  1. In each round every hop up to the end of the path is probed once, evenly spread
//     over the interval.
//  2. A round begins an interval after the one before. Where more than half an interval
//     was missed, it begins now: nothing is made up for, neither is a probe that is
//     late. While a probe waits to leave, there is no other, and the round is not over.
//  3. While the end is not known, all hops may be probed in the first round, at most 50
//     ms apart; later eight beyond the farthest that answered, and the scout: one
//     farther away, another one in each round, and then again from the first.
//  4. While the end is not known, of the hops behind one at which the path stops only
//     the scout is probed.
//  5. Where the target has not answered for longer than twice its longest RTT (at least
//     250 ms, at most the timeout), four hops beyond the end are probed and the scout,
//     in the last hop's share of the interval, but in every second round only: a target
//     that limits its answers might spend all of them on what lies beyond.
//  6. A round is over when its interval is and there is nothing to be probed; the last
//     one when all of its probes have met their fates.
//  7. From the first answer that does not say which probe it is to, one probe is in
//     flight at a time (stop-and-wait), and a round waits for the fates of its probes.
//     No hops are probed in bulk then, as in the first round.
//  8. What was in flight when such an answer came is discarded where nothing else
//     comes: the answer may have been to it.
//  9. A probe that waits is recalled if its hop lies behind the end by now. It may be
//     asked for again.
//  10. A target that was there is lost when its path has no end and all hops as far as
//     can be seen are probed, or the path stops.
//  11. The target is reached while its hop is known and there is no outage, told or not.
type Plan struct {
	cfg     Config
	path    path
	outages outages
	events  []Event

	round   int       // from 1
	start   time.Time // of the round
	over    bool
	next    int       // the hop that is to be probed next
	due     time.Time // when
	scout   int       // the hop far ahead that is probed in this round
	scouted bool      // it was, or there is none
	alone   bool      // rule 7
	waits   bool      // a probe that Next returned was neither sent nor refused nor recalled
	flights flights

	// Rule 5.
	awaited    time.Time // when the first probe to the target was sent since it last answered
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

// Next returns the probe that may leave now, or when to ask again. It finds out that
// the round is over.
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

// Listens reports whether what becomes known now may change what leaves in this round,
// or whether it is over. If not, it can wait until the next probe is due.
func (p *Plan) Listens() bool { return p.alone || p.IsLast() || p.index() < 0 }

// index returns the hop that is to be probed next, -1 if there is none in this round as
// far as is known.
func (p *Plan) index() int {
	if p.next <= p.limit() {
		return p.next
	}
	if p.scouts() && p.scout >= p.next {
		return p.scout
	}
	return -1
}

// scouts reports whether the scout of this round is to be probed.
func (p *Plan) scouts() bool { return !p.scouted && (p.beyond || p.path.end() < 0) }

// limit returns the last hop that is to be probed, by what is known, but for the scout.
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

// isOver reports whether the time of the round is over, or in the last one, the fate of
// its last probe is known.
func (p *Plan) isOver(now time.Time) bool {
	if (p.alone || p.IsLast()) && p.flights.count > 0 {
		return false
	}
	return p.IsLast() || !now.Before(p.start.Add(p.cfg.Interval))
}

// ends returns when the round is over at the earliest; the zero time if only an
// observation can tell.
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

// isLost reports whether the target was there and cannot be found any more: rule 10.
func (p *Plan) isLost() bool {
	return p.path.length > 0 && p.path.end() < 0 && (p.path.stop() >= 0 || p.limit() == p.path.most-1)
}

// leave notes that a probe to a hop is to leave.
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

// aims reports whether a probe to a hop is meant to get to the target.
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

// Wants reports whether a probe that waits is still to leave: rule 9.
func (p *Plan) Wants(k plan.Key) bool {
	index := p.indexOf(k)
	return index <= p.limit() || index == p.scout && (p.beyond || p.path.end() < 0)
}

// Recall takes back a probe that Next returned, which then may return it again.
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

// Sent notes when the system took a probe.
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

// Refused notes that the system did not take a probe, and why.
func (p *Plan) Refused(k plan.Key, err error, _ time.Time) {
	p.waits = false
	if f, ok := p.flights.take(k, p.roundOf(k)); ok {
		p.outages.refused(f.round, p.cfg.NoPath != nil && p.cfg.NoPath(err))
		p.events = p.outages.judge(p.events)
	}
}

// Observe notes what became known of a probe. See [Plan.Entry].
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

// roundOf returns the round of a probe: the last whose low bits the key has.
func (p *Plan) roundOf(k plan.Key) int {
	return p.round - plan.MakeKey(0, p.round-k.Number()).Number()
}

// Entry says how the statistics of a hop take what becomes known of a probe.
type Entry struct {
	Hop       int // its index, from 0
	Round     int
	Ordinal   int       // among the probes to the hop that count, from 0; of a settled probe 0
	Sent      time.Time // when the probe was sent; the zero time if it waits, or was settled
	Counts    bool      // not set: the hop was forgotten since
	Discarded bool      // if nothing came, nobody may know: the probe is left out of account
}

// Entry returns the entry of a probe. It is to be asked for before what became known is
// observed.
func (p *Plan) Entry(k plan.Key) Entry {
	e := Entry{Hop: p.indexOf(k), Round: p.roundOf(k)}
	e.Counts = p.path.find(e.Hop, e.Round) != nil
	if f := p.flights.find(k, e.Round); f != nil {
		e.Ordinal, e.Sent, e.Discarded = f.ordinal, f.sent, f.discarded
	}
	return e
}

// Distance returns the TTL of the probes to a hop, of index from 0.
func (p *Plan) Distance(index int) int { return p.cfg.FirstHop + index }

// Since returns the round from which on the probes to a hop count, which is of index
// from 0: what is known of earlier ones is to be forgotten.
func (p *Plan) Since(index int) int { return p.path.hops[index].since }

// InFlight yields the probes that left and have no fate, in the order of sending.
func (p *Plan) InFlight() iter.Seq2[plan.Key, Entry] {
	return func(yield func(plan.Key, Entry) bool) {
		for k := range p.flights.each {
			if e := p.Entry(k); !e.Sent.IsZero() && !yield(k, e) {
				return
			}
		}
	}
}

// Show returns how many hops the path has, as it is to be shown, and why it ends there.
// Where the end is not known, it is shown as far as anybody answers.
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

// Address returns who stands for a hop, of index from 0: at the end of the path the
// target, else who always did, or where nobody forwards, who answered last.
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

// Events returns what was noticed since it was last asked for, in order of time.
func (p *Plan) Events() []Event {
	events := p.events
	p.events = nil
	slices.SortStableFunc(events, func(a, b Event) int { return a.Time.Compare(b.Time) })
	return events
}

// flights is the probes without a fate, in the order of sending. A probe that was taken
// out leaves a gap, which goes when all before it do.
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
	aims      bool // it is meant to get to the target
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

// find returns a probe of a round, nil if it has met its fate.
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
