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
	d.sent(7, 3, epoch.Add(1))
	d.sent(7, 5, epoch.Add(2))
	d.sent(7, 6, epoch.Add(3))
	if rec := d.record(7); rec.aimed != 5 || !rec.began.Equal(epoch.Add(2)) || rec.inFlight != 3 || !rec.looked {
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
