package icmplib

import "time"

// monitorLedger keeps account of whether the target answers, round by round in
// the order of sending.
type monitorLedger struct {
	threshold int // rounds that make an outage; negative: none are told
	first     int // the round of rounds[0]
	rounds    []roundRecord

	downs int       // rounds in a row without an answer
	since time.Time // when the first of these probes was sent
	round int       // of it
	out   bool
	seen  bool // the target has ever answered
	sure  bool // one of these rounds has looked beyond the end, or somebody refused
}

// roundRecord is what is known of a round.
type roundRecord struct {
	inFlight int
	aimed    int // the first hop whose probe is to get to the target, -1: none
	closed   bool
	lost     time.Time // when the probe was sent that did not get to the target
	reached  time.Time // and when one that did
	beyond   bool      // it answered beyond the end of the way, not there
	looked   bool      // there was a probe beyond the end, or none can be
	unsure   bool      // it may be our fault
	began    time.Time // when that probe was sent, or the round began
}

// open begins a round.
func (l *monitorLedger) open(round int, now time.Time) {
	if len(l.rounds) == 0 {
		l.first = round
	}
	l.rounds = append(l.rounds, roundRecord{aimed: -1, began: now})
}

// close ends the present round: no more probes of it will leave.
// stuck says that none of them can get to the target.
func (l *monitorLedger) close(stuck bool) {
	if n := len(l.rounds); n > 0 {
		rec := &l.rounds[n-1]
		rec.closed = true
		if stuck {
			rec.looked = true
			rec.lose(rec.began)
		}
	}
}

func (l *monitorLedger) record(round int) *roundRecord {
	if i := round - l.first; i >= 0 && i < len(l.rounds) {
		return &l.rounds[i]
	}
	return nil
}

// sent notes that a probe leaves, whether it is meant to get to the target, and
// whether it looks beyond the end of the way.
func (l *monitorLedger) sent(round, index int, aims, looks bool, now time.Time) {
	rec := l.record(round)
	if rec == nil {
		return // it has been judged: the target answered
	}
	rec.inFlight++
	rec.looked = rec.looked || looks
	if aims && rec.aimed < 0 {
		rec.aimed, rec.began = index, now
	}
}

// result takes what was heard of a probe. An answer of the target that is late
// is an answer all the same: the probes in a row before it were not silence.
func (l *monitorLedger) result(tag monitorTag, r *Result, settles bool) {
	rec := l.record(tag.round)
	if !settles {
		if r.Late && endOf(r) == EndReached && !l.out {
			l.downs = 0
		}
		return
	}
	if rec == nil {
		return
	}
	rec.inFlight--
	switch {
	case r.Sent.IsZero():
		rec.refused(r)
	case r.Status == StatusNoReply && (rec.aimed < 0 || tag.index < rec.aimed):
	case r.Status == StatusNoReply:
		rec.unsure = rec.unsure || r.Suspect
		rec.lose(r.Sent)
	case endOf(r) == EndReached:
		if rec.reached.IsZero() || r.Sent.Before(rec.reached) {
			rec.reached = r.Sent
		}
		rec.beyond = rec.aimed >= 0 && tag.index > rec.aimed
	case endOf(r).isRefusal():
		rec.looked = true
		rec.lose(r.Sent)
	}
}

// skip takes a probe out of account, of which nobody may know what became.
func (l *monitorLedger) skip(round int, unsure bool) {
	if rec := l.record(round); rec != nil {
		rec.inFlight--
		rec.unsure = rec.unsure || unsure
	}
}

// refused notes that this system did not send a probe: no way to the target is
// an outage as any, other reasons say nothing of it.
func (rec *roundRecord) refused(r *Result) {
	switch r.Status {
	case StatusNetworkUnreachable, StatusUnreachable, StatusNetworkDown, StatusHostDown:
		rec.looked = true
		rec.lose(rec.began)
	default:
		rec.unsure = true
	}
}

func (rec *roundRecord) lose(sent time.Time) {
	if rec.lost.IsZero() || sent.Before(rec.lost) {
		rec.lost = sent
	}
}

// judge appends to events what the rounds mean whose outcome is known.
func (l *monitorLedger) judge(events []Event) []Event {
	for len(l.rounds) > 0 {
		rec := &l.rounds[0]
		switch {
		case !rec.reached.IsZero():
			events = l.up(events, rec)
		case !rec.closed || rec.inFlight > 0:
			return events
		case !rec.lost.IsZero() && !rec.unsure:
			events = l.down(events, rec)
		}
		l.rounds = l.rounds[1:]
		l.first++
	}
	return events
}

// up notes a round in which the target answered. If it did so at the hop where it
// was before, it was nowhere else meanwhile: there was an outage if the silence
// was long enough.
func (l *monitorLedger) up(events []Event, rec *roundRecord) []Event {
	if !l.out && !rec.beyond {
		events = l.declare(events)
	}
	if l.out && l.threshold > 0 {
		events = append(events, Event{Kind: EventRecovery, Time: rec.reached, Round: l.first, Duration: rec.reached.Sub(l.since)})
	}
	l.seen, l.out, l.sure, l.downs = true, false, false, 0
	return events
}

// down notes a round in which it did not. A target that never answered has not
// ceased to.
func (l *monitorLedger) down(events []Event, rec *roundRecord) []Event {
	if !l.seen {
		return events
	}
	if l.downs == 0 {
		l.since, l.round = rec.lost, l.first
	}
	l.downs++
	l.sure = l.sure || rec.looked
	if l.out || !l.sure {
		return events
	}
	return l.declare(events)
}

// declare tells of an outage if the target has been silent for long enough.
func (l *monitorLedger) declare(events []Event) []Event {
	if l.downs < l.limit() {
		return events
	}
	l.out = true
	if l.threshold > 0 {
		events = append(events, Event{Kind: EventOutage, Time: l.since, Round: l.round})
	}
	return events
}

// limit is the number of rounds that make an outage, told or not.
func (l *monitorLedger) limit() int {
	if l.threshold < 0 {
		return defaultOutage
	}
	return l.threshold
}
