package cadence

import (
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

// run asks at each of the moments and returns who was due when.
func run(s *Schedule, from, to, step time.Duration) map[int][]time.Duration {
	due := map[int][]time.Duration{}
	for now := from; now < to; now += step {
		for {
			place, ok, _ := s.Next(now)
			if !ok {
				break
			}
			due[place] = append(due[place], now)
		}
	}
	return due
}

func TestRule1EachIsDueOnceInItsInterval(t *testing.T) {
	s := &Schedule{}
	for _, interval := range []time.Duration{time.Second, 300 * ms, 7 * time.Second} {
		place := s.Add(0, interval)
		if place < 0 {
			t.Fatal(place)
		}
	}
	for place, at := range run(s, 0, 70*time.Second, ms) {
		interval := s.members[place].interval
		for i := range at[1:] {
			if at[i+1]-at[i] != interval {
				t.Fatalf("member %d is due at %v and %v, want %v between", place, at[i], at[i+1], interval)
			}
		}
		if n := int(70 * time.Second / interval); len(at) < n-1 || len(at) > n+1 {
			t.Errorf("member %d is due %d times, want %d", place, len(at), n)
		}
	}
}

func TestRule2PhasesAreEvenForAnyNumber(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 100, 777, 5000} {
		s := &Schedule{}
		for range n {
			s.Add(0, time.Second)
		}
		perPart := make([]int, 10)
		for _, at := range run(s, 0, time.Second, ms) {
			perPart[at[0]/(100*ms)]++
		}
		if low, high := slices.Min(perPart), slices.Max(perPart); high-low > 2+n/500 {
			t.Errorf("%d members: %v in a tenth of the interval", n, perPart)
		}
	}
}

func TestRule3APlaceIsUsedAgain(t *testing.T) {
	s := &Schedule{}
	for range 10 {
		s.Add(0, time.Second)
	}
	old := s.members[4].phase
	s.Remove(4)
	if place := s.Add(0, time.Second); place != 4 || s.members[4].phase != old {
		t.Errorf("place %d at %v, want 4 at %v", place, s.members[place].phase, old)
	}
	if s.Remove(9); len(run(s, 0, time.Second, ms)) != 9 {
		t.Error("who left is due")
	}
}

func TestRule4WhoStaysKeepsHisPhase(t *testing.T) {
	s := &Schedule{}
	stays := s.Add(0, time.Second)
	at := run(s, 0, time.Second, ms)[stays]
	for i := range 50 {
		place := s.Add(time.Second, time.Duration(i+1)*100*ms)
		if i%2 == 0 {
			s.Remove(place)
		}
	}
	if again := run(s, time.Second, 2*time.Second, ms)[stays]; len(again) != 1 || again[0] != at[0]+time.Second {
		t.Errorf("due at %v, and then at %v", at, again)
	}
}

func TestRule5WhoIsNewIsDueWithinAnInterval(t *testing.T) {
	for _, now := range []time.Duration{0, 1, 999 * ms, time.Second, 12345 * ms} {
		s := &Schedule{}
		for range 20 {
			s.Add(now, time.Second)
		}
		for place := range 20 {
			if due := s.members[place].due; due < now && due != 0 || due > now+time.Second {
				t.Errorf("at %v, member %d is due at %v", now, place, due)
			}
		}
	}
}

func TestRule6WhatWasMissedIsNotMadeUpFor(t *testing.T) {
	s := &Schedule{}
	place := s.Add(0, time.Second)
	phase := s.members[place].phase
	late := phase + 10*time.Second + 300*ms
	if due := run(s, late, late+1, 1); len(due[place]) != 1 {
		t.Errorf("due %d times after ten intervals", len(due[place]))
	}
	if _, ok, wake := s.Next(late); ok || wake != phase+11*time.Second {
		t.Errorf("due again at %v, want %v", wake, phase+11*time.Second)
	}
}

func TestRule7PhasesLieOnAGrid(t *testing.T) {
	for interval, grid := range map[time.Duration]time.Duration{100 * ms: ms, time.Second: 10 * ms, time.Minute: 10 * ms} {
		for place := range 300 {
			if p := phase(place, interval); p%grid != 0 || p < 0 || p > interval {
				t.Errorf("%v: phase %v of place %d, want multiples of %v", interval, p, place, grid)
			}
		}
	}
}

func TestAnEmptySchedule(t *testing.T) {
	if _, due, wake := (&Schedule{}).Next(time.Hour); due || wake != 0 {
		t.Errorf("%v, %v", due, wake)
	}
}

// fates are probes in the order in which their fates came to be known: a letter for
// each, a number for which.
func TestThePulseOfAHost(t *testing.T) {
	type step struct {
		number int
		fate   Fate
		change Change
		also   Change
	}
	const down, stuck = 3, 5
	for _, tt := range []struct {
		rule  string
		steps []step
	}{
		{"1: the first answer", []step{{0, Answered, Up, None}, {1, Answered, None, None}}},
		{"2: a row that never began with an answer", []step{{0, Silent, None, None}, {1, Silent, None, None}, {2, Silent, Down, None}, {3, Silent, None, None}}},
		{"2: a row of errors", []step{{0, Answered, Up, None}, {1, Failed, None, None}, {2, Failed, None, None}, {3, Failed, Down, None}}},
		{"2: an answer breaks it", []step{{0, Answered, Up, None}, {1, Silent, None, None}, {2, Silent, None, None}, {3, Answered, None, None}, {4, Silent, None, None}, {5, Silent, None, None}}},
		{"3: silence that is known late", []step{{5, Answered, Up, None}, {2, Silent, None, None}, {3, Silent, None, None}, {4, Silent, None, None}, {6, Silent, None, None}, {7, Silent, None, None}, {8, Silent, Down, None}}},
		{"4: again", []step{{0, Silent, None, None}, {1, Silent, None, None}, {2, Silent, Down, None}, {3, Answered, Up, None}}},
		{"5: down once", []step{{0, Failed, None, None}, {1, Failed, None, None}, {2, Failed, Down, None}, {3, Failed, None, None}, {4, Failed, None, None}, {5, Failed, None, None}}},
		{"6: stuck, and again when the row is twice as long", []step{
			{0, Silent, None, None}, {1, Silent, None, None}, {2, Silent, Down, None}, {3, Silent, None, None}, {4, Silent, None, Stuck},
			{5, Silent, None, None}, {6, Silent, None, None}, {7, Silent, None, None}, {8, Silent, None, None}, {9, Silent, None, Stuck},
		}},
		{"6: an error is no silence", []step{{0, Silent, None, None}, {1, Silent, None, None}, {2, Silent, Down, None}, {3, Silent, None, None}, {4, Failed, None, None}, {5, Silent, None, None}}},
	} {
		var p Pulse
		for i, s := range tt.steps {
			if change, also := p.Observe(s.number, s.fate, down, stuck); change != s.change || also != s.also {
				t.Errorf("%s: step %d gives %v and %v, want %v and %v", tt.rule, i, change, also, s.change, s.also)
			}
		}
	}
	var p Pulse
	for i := range 100 {
		if _, also := p.Observe(i, Silent, 3, 0); also != None {
			t.Error("stuck where that was turned off")
		}
	}
}
