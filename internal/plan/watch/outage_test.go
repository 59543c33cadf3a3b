package watch

import (
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// Rule 11.
func TestTheTargetIsReachedUnlessThereIsAnOutage(t *testing.T) {
	for _, outage := range []int{3, -1} {
		w := newWorld(t, Config{Outage: outage})
		w.rounds(4, "a t")
		w.rounds(2, "a -")
		if !w.p.Reached() {
			t.Error("not reached after two silent probes")
		}
		w.rounds(4, "a -")
		if w.p.Reached() {
			t.Errorf("Outage %d: reached in an outage", outage)
		}
		w.rounds(3, "a t") // the silent ones before have to be settled
		if !w.p.Reached() {
			t.Error("not reached after an outage")
		}
	}
	w := newWorld(t, Config{})
	w.rounds(4, "a t")
	w.rounds(1, "a !t")
	if hops, why := w.p.Show(); hops != 2 || why != plan.EndUnreachable {
		t.Errorf("where the target's hop refuses: %d hops, %v", hops, why)
	}
}

func TestRecordsOfRounds(t *testing.T) {
	d := newOutages(3)
	d.open(7, epoch)
	d.open(8, epoch)
	for round, want := range map[int]bool{6: false, 7: true, 8: true, 9: false} {
		if got := d.record(round) != nil; got != want {
			t.Errorf("round %d is recorded: %v", round, got)
		}
	}
	d.leaves(7, 3, false, false)
	d.leaves(7, 5, true, false)
	d.leaves(7, 6, true, true)
	d.leaves(7, 7, true, false)
	d.sent(7, 3, epoch.Add(1))
	d.sent(7, 5, epoch.Add(2))
	d.sent(7, 6, epoch.Add(3))
	if rec := d.record(7); rec.aimed != 5 || !rec.began.Equal(epoch.Add(2)) || rec.inFlight != 4 || !rec.looked {
		t.Errorf("%+v", rec)
	}
	d.close(9, true) // is not open
	d.leaves(9, 1, true, true)
	d.sent(9, 1, epoch)
	d.skip(9, true)
	d.refused(9, true)
	if rec := d.record(8); rec.closed || rec.looked || rec.inFlight != 0 {
		t.Errorf("%+v", rec)
	}
	for _, threshold := range []int{0, -1} {
		if d := newOutages(threshold); d.told || d.limit != 3 {
			t.Errorf("threshold %d: %+v", threshold, d)
		}
	}
}

// Outage 1 and 4: the earliest of the moments counts.
func TestTheFirstOfSeveralProbesCounts(t *testing.T) {
	d := newOutages(1)
	d.seen = true
	hear := func(round, index int, word string, sent time.Time) {
		o := observations(word, 1)[0]
		o.Sent = sent
		d.leaves(round, index, true, true)
		d.take(round, index, &o)
	}
	d.open(1, epoch)
	hear(1, 1, "-", epoch.Add(5))
	hear(1, 2, "-", epoch.Add(3))
	hear(1, 3, "-", epoch.Add(4))
	d.close(1, false)
	events := d.judge(nil)
	d.open(2, epoch)
	hear(2, 1, "t", epoch.Add(15))
	hear(2, 2, "t", epoch.Add(13))
	hear(2, 3, "t", epoch.Add(14))
	events = d.judge(events)
	if len(events) != 2 || !events[0].Time.Equal(epoch.Add(3)) || !events[1].Time.Equal(epoch.Add(13)) || events[1].Duration != 10 {
		t.Errorf("%+v", events)
	}
	if len(d.rounds) != 0 || d.first != 3 {
		t.Errorf("%+v", d)
	}
}

// Outage 6: the target answers again where it was, or farther away.
func TestWhereTheTargetAnswersAgain(t *testing.T) {
	for index, want := range map[int]int{2: 2, 3: 0} { // outage and recovery, or nothing
		d := newOutages(3)
		d.seen, d.downs = true, 3
		d.open(9, epoch)
		d.leaves(9, 2, true, false)
		d.leaves(9, 3, true, true)
		o := observations("t", 1)[0]
		o.Sent = epoch
		d.take(9, index, &o)
		if events := d.judge(nil); len(events) != want {
			t.Errorf("at hop %d: %+v", index, events)
		}
	}
}

// Outage 2 and 3: what makes a round one that was looked beyond, lost, or unsure, and
// which of it lasts when more becomes known.
func TestWhatARoundSays(t *testing.T) {
	hear := func(word string, index int) func(d *outages) {
		return func(d *outages) {
			o := observations(word, 1)[0]
			o.Sent = epoch.Add(5)
			d.leaves(1, index, index >= 2, false)
			d.take(1, index, &o)
		}
	}
	skip := func(unsure bool) func(d *outages) {
		return func(d *outages) { d.leaves(1, 2, true, false); d.skip(1, unsure) }
	}
	refuse := func(noPath bool) func(d *outages) {
		return func(d *outages) { d.leaves(1, 2, true, false); d.refused(1, noPath) }
	}
	closed := func(lost bool) func(d *outages) { return func(d *outages) { d.close(1, lost) } }
	for _, tt := range []struct {
		name                 string
		steps                []func(*outages)
		lost, looked, unsure bool
	}{
		{"nothing", []func(*outages){closed(false)}, false, false, false},
		{"a router", []func(*outages){hear("a", 1), closed(false)}, false, false, false},
		{"silence in front", []func(*outages){hear("-", 1)}, false, false, false},
		{"silence", []func(*outages){hear("-", 2)}, true, false, false},
		{"the path was lost", []func(*outages){closed(true)}, true, true, false},
		{"a refusal", []func(*outages){hear("!a", 1)}, true, true, false},
		{"no path", []func(*outages){refuse(true)}, true, true, false},
		{"may not send", []func(*outages){refuse(false)}, false, false, true},
		{"our own loss, and then silence", []func(*outages){hear("?", 2), hear("-", 3)}, true, false, true},
		{"nobody may know, and then who may", []func(*outages){skip(true), skip(false)}, false, false, true},
		{"recalled", []func(*outages){skip(false)}, false, false, false},
	} {
		d := newOutages(3)
		d.open(1, epoch)
		for _, step := range tt.steps {
			step(&d)
		}
		if rec := d.record(1); !rec.lost.IsZero() != tt.lost || rec.looked != tt.looked || rec.unsure != tt.unsure || rec.inFlight != 0 {
			t.Errorf("%s: %+v", tt.name, rec)
		}
	}
}

// Outage 2 and 3: a round that says nothing is none in the row, and does not end it.
func TestARoundThatSaysNothing(t *testing.T) {
	d := newOutages(3)
	d.seen, d.downs, d.since, d.sure = true, 2, epoch, true
	d.open(1, epoch)
	d.close(1, false)
	if events := d.judge(nil); len(events) != 0 || d.downs != 2 || len(d.rounds) != 0 {
		t.Errorf("%+v, %+v", events, d)
	}
}

// Outage 6, in rounds each of which is silent: L has looked beyond, N has not.
func TestOneRoundHasToLookBeyond(t *testing.T) {
	for rounds, want := range map[string]int{"NNN": 0, "NNNNN": 0, "NNL": 3, "NLN": 3, "LNN": 3, "NNNL": 4, "LN": 0} {
		d := newOutages(3)
		d.seen = true
		got := 0
		for i, look := range rounds {
			silence := observations("-", 1)[0]
			silence.Sent = epoch.Add(time.Duration(i))
			d.open(i+1, silence.Sent)
			d.leaves(i+1, 1, true, look == 'L')
			d.take(i+1, 1, &silence)
			d.close(i+1, false)
			if events := d.judge(nil); len(events) > 0 && got == 0 {
				got = i + 1
			}
		}
		if got != want {
			t.Errorf("%s: an outage with round %d, want %d", rounds, got, want)
		}
	}
}

// Outage 7: which of what does not settle a probe breaks the row.
func TestALateAnswerBreaksTheRow(t *testing.T) {
	answer := plan.Observation{Kind: plan.Reply, FromTarget: true, Late: true, Responder: addressOf('t')}
	for _, tt := range []struct {
		name   string
		change func(d *outages, o *plan.Observation)
		breaks bool
	}{
		{"of the target", func(*outages, *plan.Observation) {}, true},
		{"in time, but the second", func(_ *outages, o *plan.Observation) { o.Late, o.Duplicate = false, true }, false},
		{"of a router", func(_ *outages, o *plan.Observation) { o.Kind, o.FromTarget = plan.TimeExceeded, false }, false},
		{"advice", func(_ *outages, o *plan.Observation) { o.Kind = plan.Advice }, false},
		{"in an outage", func(d *outages, _ *plan.Observation) { d.out = true }, false},
	} {
		d := newOutages(3)
		d.seen, d.downs = true, 2
		o := answer
		tt.change(&d, &o)
		if d.take(1, 1, &o); (d.downs == 0) != tt.breaks {
			t.Errorf("%s: %d rounds in the row", tt.name, d.downs)
		}
	}
}
