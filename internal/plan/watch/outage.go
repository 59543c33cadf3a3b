package watch

import (
	"math"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// outages is the outage detector: it records whether the target answers, round by round in
// the order of sending.
//
// The rules:
//
//  1. A round is up as soon as the target has answered one of its probes. It is up from the
//     time at which the first answered one was sent.
//  2. Otherwise, a round is judged when its last probe is settled. It is down if a probe
//     that should reach the target, or that was sent farther, is silent; if a node refuses
//     to forward; if this host has no path to the target; or if the target is lost (rule 10
//     of [Plan]). Otherwise, it says nothing.
//  3. A round says nothing if this host itself may have lost an answer or did not send a
//     probe, or if the answer may be one that cannot be credited.
//  4. A given number of rounds down in a row makes an outage. It began when the first lost
//     probe of the first of these rounds was sent.
//  5. A target that never answered has no outage.
//  6. Silence at the target's hop does not mean that the target is unreachable, because it
//     may have moved: there is an outage only when one of the rounds has also looked
//     beyond, or a node refused to forward, or the target answers again at its old hop.
//  7. A late answer of the target breaks the row. A reported outage ends with an answer in
//     time.
//  8. If outages are not reported, 3 rounds make one, for the sake of the path that is
//     shown.
type outages struct {
	limit  int  // rounds that make an outage
	told   bool // outages are reported
	first  int  // the round of rounds[0]
	rounds []roundRecord

	downs int       // rounds in a row that were down
	since time.Time // when the first lost probe of the first of them was sent
	round int       // its number
	out   bool
	seen  bool // the target has ever answered
	sure  bool // one of these rounds has looked beyond, or a node refused
}

// roundRecord is the state of a round.
type roundRecord struct {
	inFlight int
	aimed    int // the first hop whose probe should reach the target, or none
	closed   bool
	began    time.Time // when that probe was sent or, without one, when the round began
	lost     time.Time // when the first probe that did not reach the target was sent
	reached  time.Time // when the first probe that reached it was sent
	beyond   bool      // the target answered farther away than where it was
	looked   bool      // a probe went beyond the end, or no hop lies beyond
	unsure   bool      // rule 3
}

// none is an index beyond all hops.
const none = math.MaxInt

// untoldOutage is the 3 of rule 8.
const untoldOutage = 3

// newOutages returns a detector. If threshold is not positive, outages are not reported.
func newOutages(threshold int) outages {
	if threshold > 0 {
		return outages{limit: threshold, told: true}
	}
	return outages{limit: untoldOutage}
}

// open begins a round.
func (d *outages) open(round int, now time.Time) {
	if len(d.rounds) == 0 {
		d.first = round
	}
	d.rounds = append(d.rounds, roundRecord{aimed: none, began: now})
}

// close ends the present round: none of its probes will leave any more. Lost means that
// none of them can reach the target.
func (d *outages) close(round int, lost bool) {
	if rec := d.record(round); rec != nil {
		rec.closed = true
		if lost {
			rec.looked = true
			rec.lose(rec.began)
		}
	}
}

// record returns the record of a round, or nil if the round is already judged.
func (d *outages) record(round int) *roundRecord {
	if i := round - d.first; i >= 0 && i < len(d.rounds) {
		return &d.rounds[i]
	}
	return nil
}

// leaves notes that a probe to a hop will leave, whether it should reach the target, and
// whether it looks beyond the end of the path.
func (d *outages) leaves(round, index int, aims, looks bool) {
	rec := d.record(round)
	if rec == nil {
		return
	}
	rec.inFlight++
	rec.looked = rec.looked || looks
	if aims {
		rec.aimed = min(rec.aimed, index)
	}
}

// sent notes when the probe to a hop left.
func (d *outages) sent(round, index int, at time.Time) {
	if rec := d.record(round); rec != nil && rec.aimed == index {
		rec.began = at
	}
}

// skip ignores a probe. Unsure means that it may have been answered.
func (d *outages) skip(round int, unsure bool) {
	if rec := d.record(round); rec != nil {
		rec.inFlight--
		rec.unsure = rec.unsure || unsure
	}
}

// refused notes that this host did not send a probe, and whether that is because it has
// no path to the target.
func (d *outages) refused(round int, noPath bool) {
	rec := d.record(round)
	if rec == nil {
		return
	}
	rec.inFlight--
	if !noPath {
		rec.unsure = true
		return
	}
	rec.looked = true
	rec.lose(rec.began)
}

// take takes an observation of a probe to a hop.
func (d *outages) take(round, index int, o *plan.Observation) {
	means := o.Answer()
	if !o.Settles {
		if o.Late && o.IsAnswer() && means == plan.Arrives && !d.out {
			d.downs = 0
		}
		return
	}
	rec := d.record(round)
	if rec == nil {
		return
	}
	rec.inFlight--
	if means == plan.Arrives {
		if rec.reached.IsZero() || o.Sent.Before(rec.reached) {
			rec.reached = o.Sent
		}
		rec.beyond = index > rec.aimed
	} else if o.Kind == plan.Silent {
		if index >= rec.aimed {
			rec.unsure = rec.unsure || o.Suspect
			rec.lose(o.Sent)
		}
	} else if means != plan.Passes {
		rec.looked = true
		rec.lose(o.Sent)
	}
}

func (rec *roundRecord) lose(sent time.Time) {
	if rec.lost.IsZero() || sent.Before(rec.lost) {
		rec.lost = sent
	}
}

// judge adds the events that follow from rounds with a known outcome.
func (d *outages) judge(events []Event) []Event {
	for len(d.rounds) > 0 {
		rec := &d.rounds[0]
		if !rec.reached.IsZero() {
			events = d.up(rec, events)
		} else if !rec.closed || rec.inFlight > 0 {
			return events
		} else if !rec.lost.IsZero() && !rec.unsure {
			events = d.down(rec, events)
		}
		d.rounds = d.rounds[:copy(d.rounds, d.rounds[1:])]
		d.first++
	}
	return events
}

// up notes a round in which the target answered. If it answered at its old hop, it had not
// moved: there was an outage if the silence was long enough.
func (d *outages) up(rec *roundRecord, events []Event) []Event {
	if !d.out && !rec.beyond {
		events = d.declare(events)
	}
	if d.out && d.told {
		events = append(events, Event{Kind: Recovery, Time: rec.reached, Round: d.first, Duration: rec.reached.Sub(d.since)})
	}
	d.seen, d.out, d.sure, d.downs = true, false, false, 0
	return events
}

// down notes a round in which the target did not answer.
func (d *outages) down(rec *roundRecord, events []Event) []Event {
	if !d.seen {
		return events
	}
	if d.downs == 0 {
		d.since, d.round = rec.lost, d.first
	}
	d.downs++
	d.sure = d.sure || rec.looked
	if d.out || !d.sure {
		return events
	}
	return d.declare(events)
}

// declare reports an outage if the target has been silent for long enough.
func (d *outages) declare(events []Event) []Event {
	if d.downs < d.limit {
		return events
	}
	d.out = true
	if d.told {
		events = append(events, Event{Kind: Outage, Time: d.since, Round: d.round})
	}
	return events
}
