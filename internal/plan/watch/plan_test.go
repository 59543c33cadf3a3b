package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

func TestRule1EachHopIsProbedOnceARound(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(4, "a b c t")
	for round := 2; round <= 4; round++ {
		w.want("hops", w.ttls(round), "1 2 3 4")
		w.want("times", w.times(round), "0s 250ms 500ms 750ms")
	}
	for _, d := range w.log {
		if d.round > 1 && d.ttl == 1 && d.at != time.Duration(d.round-1)*time.Second {
			t.Errorf("round %d begins after %v", d.round, d.at)
		}
	}
}

func TestRule1TheFirstHopMayBeFarther(t *testing.T) {
	w := newWorld(t, Config{FirstHop: 5, MaxHops: 9})
	w.rounds(2, "a b t")
	w.want("hops", w.ttls(2), "5 6 7")
	if hops, _ := w.p.Show(); hops != 3 || w.p.Distance(2) != 7 {
		t.Errorf("%d hops, the last at %d", hops, w.p.Distance(2))
	}
}

func TestRule2WhatWasMissedIsNotMadeUpFor(t *testing.T) {
	for _, tt := range []struct{ late, want time.Duration }{
		{400 * time.Millisecond, 0}, {500 * time.Millisecond, 0}, {501 * time.Millisecond, 501 * time.Millisecond}, {10 * time.Second, 10 * time.Second},
	} {
		w := newWorld(t, Config{})
		w.path = "a t"
		w.round()
		end := epoch.Add(time.Second)
		w.p.Begin(end.Add(tt.late))
		if got := w.p.start.Sub(end); got != tt.want {
			t.Errorf("%v late: the round begins at %v, want %v", tt.late, got, tt.want)
		}
	}
}

func TestRule2AProbeThatIsLateMovesTheNext(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(1, "a b c t")
	w.now = w.now.Add(300 * time.Millisecond) // the second probe is due, too
	leave := func(ttl int, at time.Duration) {
		t.Helper()
		probe, ok, wake := w.p.Next(w.now)
		if !ok || probe.TTL != ttl {
			t.Fatalf("hop %d is probed at %v, want hop %d", probe.TTL, wake.Sub(w.now), ttl)
		}
		w.p.Sent(probe.Key, w.now.Add(at))
	}
	leave(1, 0)
	leave(2, time.Second)
	if _, ok, wake := w.p.Next(w.now); ok || wake.Sub(w.now) != time.Second {
		t.Errorf("after a probe that left a second late the next is due after %v", wake.Sub(w.now))
	}
}

func TestRule2OneProbeWaitsAtATime(t *testing.T) {
	w := newWorld(t, Config{})
	probe, ok, _ := w.p.Next(w.now)
	if _, again, wake := w.p.Next(w.now.Add(time.Minute)); !ok || again || !wake.IsZero() || w.p.Done() {
		t.Error("another probe leaves while one waits, or the round ends")
	}
	for name, leave := range map[string]func(){
		"sent":     func() { w.p.Sent(probe.Key, w.now) },
		"refused":  func() { w.p.Refused(probe.Key, errOther, w.now) },
		"recalled": func() { w.p.Recall(probe.Key) },
	} {
		leave()
		w.now = w.now.Add(time.Second)
		if probe, ok, _ = w.p.Next(w.now); !ok {
			t.Errorf("no probe leaves after one was %s", name)
		}
	}
}

func TestRule3AllHopsAreProbedInTheFirstRound(t *testing.T) {
	w := newWorld(t, Config{Interval: 10 * time.Second, MaxHops: 12})
	w.rounds(1, "a b c -")
	w.want("hops", w.ttls(1), upTo(12))
	w.want("times", w.times(1), "0s 50ms 100ms 150ms 200ms 250ms 300ms 350ms 400ms 450ms 500ms 550ms")
	w = newWorld(t, Config{Interval: 120 * time.Millisecond, MaxHops: 12})
	w.rounds(1, "a b c -")
	w.want("times", w.times(1), "0s 10ms 20ms 30ms 40ms 50ms 60ms 70ms 80ms 90ms 100ms 110ms")
}

func TestRule3UntilTheTargetAnswers(t *testing.T) {
	w := newWorld(t, Config{Interval: 10 * time.Second})
	w.rounds(2, "a b t")
	w.want("hops", w.ttls(1), upTo(3)) // the third answers after 30 ms
	w.want("hops", w.ttls(2), upTo(3))
}

func TestRule3TheScout(t *testing.T) {
	w := newWorld(t, Config{MaxHops: 14})
	w.rounds(8, "a b c -")
	for round, scout := range map[int]int{2: 12, 3: 13, 4: 14, 5: 12, 6: 13, 7: 14} {
		w.want("hops", w.ttls(round), upTo(11)+" "+fmt.Sprint(scout))
	}
	if space := w.log[14].at - w.log[13].at; space < 80*time.Millisecond {
		t.Errorf("%v", space)
	}
	w.want("times", w.times(3), times(12, time.Second/12))
	w = newWorld(t, Config{MaxHops: 11}) // there is nothing to scout
	w.rounds(2, "a b c -")
	w.want("hops", w.ttls(2), upTo(11))
	w.want("times", w.times(2), times(11, time.Second/11))
}

func TestRule4NothingBehindAStop(t *testing.T) {
	for path, last := range map[string]int{
		"a !b -":      2,
		"!a":          1,
		"a b c b c b": 5, // the circle closes at the second time
		"a b b b":     4, // one router has to answer three times
	} {
		w := newWorld(t, Config{})
		w.rounds(2, path)
		w.want(path, w.ttls(2), upTo(last)+" "+fmt.Sprint(last+1))
		w.rounds(1, path)
		w.want(path, w.ttls(3), upTo(last)+" "+fmt.Sprint(last+2))
	}
}

func TestRule5WhatLiesBeyondTheEnd(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(2, "a t")
	w.rounds(4, "a -")
	w.want("the target has time to answer", w.ttls(2), "1 2")
	w.want("its silence is seen in this round", w.ttls(3), "1 2 3 4 5 6 8")
	w.want("not in the next", w.ttls(4), "1 2")
	w.want("but in that after it", w.ttls(5), "1 2 3 4 5 6 10")
	w.want("again", w.ttls(6), "1 2")
	// The share of the last hop is 500 ms, of which a sixth lies between two. What was due
	// while the target had its time is not made up for.
	w.want("times", w.times(3), "0s 500ms 1s 1s 1.083333333s 1.166666666s 1.249999999s")
	w.rounds(1, "a t")
	w.rounds(1, "a t")
	w.want("an answer ends that", w.ttls(8), "1 2")
	w = newWorld(t, Config{})
	w.rounds(3, "t")
	w.rounds(3, "-")
	w.want("of one hop", w.ttls(2), "1")
	w.want("beyond the first", w.ttls(4), "1 2 3 4 5 8")
	w.want("and then not", w.ttls(5), "1")
}

func TestRule5TheTargetHasItsTime(t *testing.T) {
	for _, tt := range []struct {
		path    string
		slowest string
		after   time.Duration
		beyond  bool
	}{
		{"a t", "a t", 250 * time.Millisecond, false},
		{"a t", "a t", 251 * time.Millisecond, true},
		{"a t+", "a t", time.Second, false},
		{"a t+", "a t", 1001 * time.Millisecond, true},
		{"a t~", "a t", 251 * time.Millisecond, true}, // a late answer is no measure
	} {
		w := newWorld(t, Config{Interval: 10 * time.Second})
		w.rounds(1, tt.slowest)
		w.rounds(2, tt.path)
		w.path = "a -"
		for w.p.next < 2 {
			probe, ok, wake := w.p.Next(w.now)
			if ok {
				w.p.Sent(probe.Key, w.now)
				continue
			}
			w.now = wake
		}
		if w.p.Next(w.now.Add(tt.after)); w.p.beyond != tt.beyond {
			t.Errorf("%s: after %v what lies beyond is probed: %v", tt.path, tt.after, w.p.beyond)
		}
	}
	w := newWorld(t, Config{Interval: 10 * time.Second, MaxHops: 3})
	w.rounds(1, "a t")
	w.rounds(1, "a -")
	w.want("not farther than MaxHops", w.ttls(2), "1 2 3")
}

func TestRule6WhenARoundIsOver(t *testing.T) {
	w := newWorld(t, Config{Rounds: 2})
	w.path = "a -"
	w.round()
	if got := w.now.Sub(epoch); got != time.Second || w.p.IsLast() || w.p.flights.count == 0 {
		t.Errorf("the first round lasts %v", got)
	}
	if _, ok, wake := w.p.Next(w.now); ok || !wake.IsZero() {
		t.Error("a probe leaves in a round that is over")
	}
	w.p.Begin(w.now)
	w.round()
	last := w.log[len(w.log)-1].at
	if got := w.now.Sub(epoch); got != last+2*time.Second || !w.p.IsLast() || w.p.flights.count > 0 {
		t.Errorf("the last round ends after %v, its last probe left after %v", got, last)
	}
}

func TestRule6ListensWhereItMatters(t *testing.T) {
	w := newWorld(t, Config{Rounds: 3, Interval: 10 * time.Second})
	w.rounds(1, "a t")
	if w.p.Listens() {
		t.Error("in the midst of a round")
	}
	for range 2 {
		probe, _, _ := w.p.Next(w.now)
		w.p.Sent(probe.Key, w.now)
		_, _, wake := w.p.Next(w.now)
		w.now = wake
	}
	if !w.p.Listens() {
		t.Error("not after the last probe of a round")
	}
	w.p.Begin(w.now)
	if w.p.Begin(w.now); !w.p.Listens() {
		t.Error("not in the last round")
	}
}

func TestRule7StopAndWait(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(2, "a b t")
	if w.p.Alone() {
		t.Fatal("it begins alone")
	}
	w.rounds(1, "a u t")
	if !w.p.Alone() {
		t.Fatal("it goes on with many")
	}
	w.rounds(2, "a - t")
	at := map[int]time.Duration{}
	for _, d := range w.log {
		if d.round == 5 {
			at[d.ttl] = d.at
		}
	}
	if at[3]-at[2] < 2*time.Second || at[2]-at[1] > time.Second {
		t.Errorf("in round 5 the probes leave at %v", at)
	}
	if !w.p.Listens() {
		t.Error("what becomes known does not matter")
	}
	w.round()
	if w.p.flights.count > 0 {
		t.Error("a round is over with a probe in flight")
	}
}

func TestRule7NoBulkInTheFirstRound(t *testing.T) {
	w := newWorld(t, Config{MaxHops: 20})
	w.rounds(1, "u -")
	if w.ttls(1) == upTo(20) {
		t.Errorf("probed: %s", w.ttls(1))
	}
}

func TestRule8WhatWasInFlightIsDiscarded(t *testing.T) {
	w := newWorld(t, Config{})
	w.path = "a"
	var keys []plan.Key
	for range 3 {
		probe, _, _ := w.p.Next(w.now)
		w.p.Sent(probe.Key, w.now)
		keys = append(keys, probe.Key)
		w.now = w.now.Add(50 * time.Millisecond)
	}
	w.p.Observe(w.now, &plan.Observation{Key: keys[1], Kind: plan.Unclear})
	for i, k := range keys {
		if e := w.p.Entry(k); !e.Discarded || e.Hop != i || e.Ordinal != 0 || e.Round != 1 || !e.Counts {
			t.Errorf("%+v", e)
		}
	}
	reply := plan.Observation{Key: keys[0], Kind: plan.TimeExceeded, Settles: true, Responder: addressOf('a'), Sent: epoch}
	w.p.Observe(w.now, &reply)
	if got := w.p.Address(0); got != addressOf('a') {
		t.Errorf("an answer that comes all the same is %v's", got)
	}
	w.p.Observe(w.now, &plan.Observation{Key: keys[2], Kind: plan.Silent, Settles: true, Sent: epoch})
	w.inFlight(keys[1])
	if rec := w.p.outages.record(1); !rec.unsure || rec.inFlight != 1 {
		t.Errorf("%+v", rec)
	}
	if e := w.p.Entry(keys[2]); e.Discarded || !e.Sent.IsZero() {
		t.Errorf("of a settled probe: %+v", e)
	}
}

func TestRule9AProbeBehindTheEndIsRecalled(t *testing.T) {
	w := newWorld(t, Config{Interval: 10 * time.Second})
	var keys []plan.Key
	for range 3 {
		probe, _, _ := w.p.Next(w.now)
		keys = append(keys, probe.Key)
		if len(keys) < 3 {
			w.p.Sent(probe.Key, w.now)
			w.now = w.now.Add(50 * time.Millisecond)
		}
	}
	if !w.p.Wants(keys[2]) {
		t.Error("the third is not wanted")
	}
	w.inFlight(keys[0], keys[1]) // it did not leave
	w.p.Observe(w.now, &plan.Observation{Key: keys[1], Kind: plan.Reply, FromTarget: true, Settles: true, Responder: addressOf('t'), Sent: epoch})
	if w.p.Wants(keys[2]) {
		t.Error("it is wanted behind the end")
	}
	w.p.Recall(keys[2])
	w.inFlight(keys[0])
	if h := w.p.path.hops[2]; h.sent != 0 {
		t.Errorf("%d probes are counted", h.sent)
	}
	w.p.Recall(keys[2]) // it is gone
}

func TestRule9ARecalledProbeIsAskedForAgain(t *testing.T) {
	w := newWorld(t, Config{MaxHops: 14})
	w.rounds(1, "a b c -")
	for n := 0; n < 13; n++ {
		probe, ok, wake := w.p.Next(w.now)
		if !ok {
			w.now = wake
			n--
			continue
		}
		switch n {
		case 4: // the fifth
			w.p.Recall(probe.Key)
		case 12: // the scout
			if probe.TTL != 12 || !w.p.Wants(probe.Key) {
				t.Errorf("the scout is %d", probe.TTL)
			}
			w.p.Recall(probe.Key)
			if again, ok, _ := w.p.Next(w.now.Add(time.Second)); !ok || again.TTL != 12 {
				t.Errorf("not asked for again, but %d", again.TTL)
			}
		default:
			w.p.Sent(probe.Key, w.now)
			w.log = append(w.log, departure{0, probe.TTL, 2, probe.Key})
		}
	}
	w.want("hops", w.ttls(2), upTo(11))
	if rec := w.p.outages.record(2); rec.inFlight != 12 {
		t.Errorf("%d in flight", rec.inFlight)
	}
}

func TestProbesOfALongRunAreTold(t *testing.T) {
	w := newWorld(t, Config{})
	w.p.round = 1<<24 + 5
	for round, want := range map[int]int{1<<24 + 5: 1<<24 + 5, 1 << 24: 1 << 24, 1<<24 - 1: 1<<24 - 1, 5: 1<<24 + 5, 6: 6} {
		if e := w.p.Entry(plan.MakeKey(1, round)); e.Round != want {
			t.Errorf("round %d is taken for %d, want %d", round, e.Round, want)
		}
	}
}

func TestWhatIsNotKnownIsIgnored(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(3, "a t")
	before := fmt.Sprintf("%+v", *w.p)
	stranger := plan.MakeKey(2, 1)
	w.p.Observe(w.now, &plan.Observation{Key: stranger, Kind: plan.Silent, Settles: true})
	w.p.Refused(stranger, errNoPath, w.now)
	w.p.Recall(stranger)
	w.p.Sent(stranger, w.now)
	if after := fmt.Sprintf("%+v", *w.p); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
}

// Probes in flight are found whatever order they go in.
func TestFlights(t *testing.T) {
	var f flights
	next, in := 0, map[plan.Key]int{}
	for i := range 5000 {
		if i%7 < 4 {
			k := plan.MakeKey(1+next%3, next/3)
			f.add(flight{key: k, round: next / 3, ordinal: next})
			in[k] = next
			next++
			continue
		}
		for k, n := range in { // any
			if x, ok := f.take(k, n/3); !ok || x.ordinal != n {
				t.Fatalf("%v is %+v, %v", k, x, ok)
			}
			if _, ok := f.take(k, n/3); ok || f.find(k, n/3) != nil {
				t.Fatal("it is there twice")
			}
			delete(in, k)
			break
		}
	}
	if f.count != len(in) {
		t.Fatalf("%d of %d", f.count, len(in))
	}
	last := -1
	for k := range f.each {
		if in[k] <= last {
			t.Fatalf("%d after %d", in[k], last)
		}
		last = in[k]
		delete(in, k)
	}
	if len(in) > 0 {
		t.Errorf("not told: %v", in)
	}
	for range f.each {
		break
	}
	for i := range 10000 { // the memory does not grow with the number of probes
		k := plan.MakeKey(1, 1<<20+i)
		f.add(flight{key: k, round: 1<<20 + i})
		f.take(k, 1<<20+i)
	}
	f = flights{}
	for i := range 10000 {
		f.add(flight{key: plan.MakeKey(1, i), round: i})
		if i >= 3 {
			f.take(plan.MakeKey(1, i-3), i-3)
		}
	}
	if cap(f.all) > 64 {
		t.Errorf("room for %d where 4 are in flight", cap(f.all))
	}
}

func TestRule3AHopThatTheScoutHadIsNotProbedAgain(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(1, "a b c -")
	w.rounds(1, "a b c d e f g h -")
	if got := w.ttls(2); got != upTo(16)+" 17" && got != upTo(16) {
		t.Errorf("probed: %s", got)
	}
}

func TestRule5AnAnswerEndsTheLookBeyond(t *testing.T) {
	w := newWorld(t, Config{Interval: 10 * time.Second})
	w.rounds(3, "a t")
	w.path = "a -"
	for w.p.next < 2 {
		if probe, ok, wake := w.p.Next(w.now); ok {
			w.p.Sent(probe.Key, w.now)
		} else {
			w.now = wake
		}
	}
	w.now = w.now.Add(time.Second)
	if w.p.Next(w.now); !w.p.beyond {
		t.Fatal("nothing beyond is probed")
	}
	w.p.Recall(plan.MakeKey(3, 4))
	w.p.Observe(w.now, &plan.Observation{Key: plan.MakeKey(2, 3), Kind: plan.Reply, FromTarget: true, Late: true, Responder: addressOf('t')})
	if probe, ok, _ := w.p.Next(w.now); ok || w.p.beyond {
		t.Errorf("hop %d is probed after an answer", probe.TTL)
	}
}

func TestRule6WhatEndsARound(t *testing.T) {
	w := newWorld(t, Config{Rounds: 1, Interval: 10 * time.Second})
	w.path = "a t"
	if w.round(); w.now.Sub(epoch) > time.Second {
		t.Errorf("the last round ends after %v, its last answer came in the first second", w.now.Sub(epoch))
	}
	w = newWorld(t, Config{})
	if probe, ok, _ := w.p.Next(epoch.Add(time.Hour)); !ok || probe.TTL != 1 {
		t.Error("a round is over before its first hop is probed")
	}
	w = newWorld(t, Config{})
	w.rounds(3, "a t")
	w.path = "a -"
	w.round()
	if probe, ok, wake := w.p.Next(w.now.Add(time.Minute)); ok || !wake.IsZero() {
		t.Errorf("hop %d is probed in a round that is over", probe.TTL)
	}
}

func TestRule10WhenATargetIsLost(t *testing.T) {
	for _, tt := range []struct {
		name  string
		hops  int
		paths []string // three rounds each
		want  bool
	}{
		{"it answers", 30, []string{"a t"}, false},
		{"it was never there", 4, []string{"a b -"}, false},
		{"it was never there, and the path stops", 30, []string{"a !b"}, false},
		{"all as far as can be seen is probed", 4, []string{"a t", "a b -"}, true},
		{"not all is", 30, []string{"a t", "a b -"}, false},
		{"the path stops", 30, []string{"a t", "a b !c"}, true},
		{"where it was somebody refuses", 30, []string{"a t", "a !t"}, false},
		{"at the first hop, too", 30, []string{"t", "!t"}, false},
		{"the path stops at the first hop", 30, []string{"a t", "a b -", "!a"}, true},
	} {
		w := newWorld(t, Config{MaxHops: tt.hops})
		for _, path := range tt.paths {
			w.rounds(6, path)
		}
		if got := w.p.isLost(); got != tt.want {
			t.Errorf("%s: lost is %v", tt.name, got)
		}
	}
}

// Outage 2 and 6: which probes are to get to the target, and which look beyond its hop.
func TestWhatAProbeIsFor(t *testing.T) {
	for _, tt := range []struct {
		name  string
		hops  int
		paths []string // six rounds each
		aims  [3]bool  // probes to the first three hops
		looks [3]bool
	}{
		{"the target is at the second hop", 30, []string{"a t"}, [3]bool{1: true, 2: true}, [3]bool{2: true}},
		{"at the first", 30, []string{"t"}, [3]bool{true, true, true}, [3]bool{1: true, 2: true}},
		{"at the last that may be probed", 3, []string{"a b t"}, [3]bool{2: true}, [3]bool{true, true, true}},
		{"it was at the second", 30, []string{"a t", "a b -"}, [3]bool{1: true, 2: true}, [3]bool{true, true, true}},
		{"it was never there", 30, []string{"a b -"}, [3]bool{}, [3]bool{true, true, true}},
	} {
		for index := range 3 {
			w := newWorld(t, Config{MaxHops: tt.hops, Outage: -1})
			for _, path := range tt.paths {
				w.rounds(6, path)
			}
			w.p.leave(index, w.now)
			if rec := w.p.outages.record(w.p.round); (rec.aimed == index) != tt.aims[index] || rec.looked != tt.looks[index] {
				t.Errorf("%s: a probe to hop %d: %+v", tt.name, index+1, rec)
			}
		}
	}
}

func TestTheSpacingOfARound(t *testing.T) {
	for _, tt := range []struct {
		path string
		next int
		want time.Duration
	}{
		{"t", 0, time.Second}, {"t", 1, time.Second / 6}, {"a t", 1, time.Second / 2}, {"a t", 2, time.Second / 12},
	} {
		for rounds := range 2 {
			w := newWorld(t, Config{})
			w.rounds(rounds, tt.path)
			w.path = tt.path
			w.round()
			if w.p.next = tt.next; w.p.spacing() != tt.want {
				t.Errorf("%s, round %d, from hop %d on: %v, want %v", tt.path, rounds+1, tt.next+1, w.p.spacing(), tt.want)
			}
		}
	}
}

func TestRule9WhatIsWanted(t *testing.T) {
	for path, last := range map[string]int{"t": 1, "a t": 2} {
		w := newWorld(t, Config{})
		w.rounds(3, path)
		for _, ttl := range []int{1, last, last + 1, w.p.scout + 1} {
			if got := w.p.Wants(plan.MakeKey(ttl, w.p.round)); got != (ttl <= last) {
				t.Errorf("%s: hop %d is wanted: %v", path, ttl, got)
			}
		}
	}
}

// At the end of the path the target stands for the hop, whoever did before.
func TestTheTargetStandsForItsHop(t *testing.T) {
	w := newWorld(t, Config{})
	w.rounds(4, "a b t")
	w.rounds(4, "a t")
	if a, b := nameOf(w.p.Address(0)), nameOf(w.p.Address(1)); a+b != "at" || w.p.path.end() != 1 || w.p.path.hops[1].main != addressOf('b') {
		t.Errorf("%s and %s stand for the hops", a, b)
	}
}
