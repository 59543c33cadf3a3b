package cadence

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

const ms = time.Millisecond

var (
	_     plan.Plan = (*Plan)(nil)
	epoch           = time.Unix(1e9, 0)
)

// probes asks at each of the moments and returns when there was a probe.
func probes(p *Plan, from, to, step time.Duration) (at []time.Duration) {
	for now := from; now < to; now += step {
		for {
			probe, ok, _ := p.Next(epoch.Add(now))
			if !ok {
				break
			}
			at = append(at, now)
			p.Sent(probe.Key, epoch.Add(now))
		}
	}
	return at
}

func TestPhasesRule1AreEvenForAnyNumber(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 100, 777, 5000} {
		var s Phases
		perPart := make([]int, 10)
		for range n {
			_, b := s.Take(time.Second)
			perPart[min(b.Phase/(100*ms), 9)]++
		}
		if low, high := slices.Min(perPart), slices.Max(perPart); high-low > 2+n/500 {
			t.Errorf("%d members: %v in a tenth of the interval", n, perPart)
		}
	}
}

// The n-th multiple of the golden ratio's fraction, 0.618, 0.236, 0.854 and 0.472, cut to
// the grid.
func TestPhasesRule1AreTheGoldenRatios(t *testing.T) {
	for interval, want := range map[time.Duration][]time.Duration{
		time.Second:      {610 * ms, 230 * ms, 850 * ms, 470 * ms},
		500 * ms:         {305 * ms, 115 * ms, 425 * ms, 235 * ms},
		100 * ms:         {61 * ms, 23 * ms, 85 * ms, 47 * ms},
		10 * time.Second: {6180 * ms, 2360 * ms, 8540 * ms, 4720 * ms},
	} {
		for place, p := range want {
			if got := phase(place, interval); got != p {
				t.Errorf("%v: phase %v of place %d, want %v", interval, got, place, p)
			}
		}
	}
}

func TestPhasesRule2APlaceIsUsedAgain(t *testing.T) {
	s := Phases{Epoch: epoch}
	beats := make([]Beat, 10)
	for i := range beats {
		_, beats[i] = s.Take(time.Second)
	}
	s.GiveBack(4)
	if place, b := s.Take(time.Second); place != 4 || b != beats[4] || b.Epoch != epoch {
		t.Errorf("place %d with %v, want 4 with %v", place, b, beats[4])
	}
	if place, _ := s.Take(time.Second); place != 10 {
		t.Errorf("the next place is %d", place)
	}
}

func TestPhasesRule3LieOnAGrid(t *testing.T) {
	for interval, grid := range map[time.Duration]time.Duration{100 * ms: ms, time.Second: 10 * ms, time.Minute: 10 * ms} {
		for place := range 300 {
			if p := phase(place, interval); p%grid != 0 || p < 0 || p > interval {
				t.Errorf("%v: phase %v of place %d, want multiples of %v", interval, p, place, grid)
			}
		}
	}
}

func TestPlanRule1RegularTimes(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 300 * ms, 7 * time.Second} {
		for _, begun := range []time.Duration{0, 1, 999 * ms, 12345 * ms} {
			b := Beat{Epoch: epoch, Interval: interval, Phase: 120 * ms}
			p := New(b, epoch.Add(begun))
			at := probes(&p, begun, begun+70*time.Second, ms)
			if len(at) == 0 || at[0] > begun+interval {
				t.Fatalf("%v from %v: probes at %v", interval, begun, at)
			}
			for i := range at {
				if i > 0 && at[i]-at[i-1] != interval || (at[i]-at[i]%ms-b.Phase)%interval != 0 {
					t.Fatalf("%v from %v: probes at %v", interval, begun, at)
				}
			}
			if p.Asked() != len(at) || p.Done() {
				t.Errorf("%d of %d probes", p.Asked(), len(at))
			}
		}
	}
}

func TestPlanRule2WhatWasMissedIsNotMadeUpFor(t *testing.T) {
	b := Beat{Epoch: epoch, Interval: time.Second, Phase: 120 * ms}
	p := New(b, epoch)
	late := 10*time.Second + 420*ms
	if at := probes(&p, late, late+1, 1); len(at) != 1 {
		t.Errorf("%d probes after ten intervals", len(at))
	}
	want := epoch.Add(11*time.Second + 120*ms)
	if _, ok, wake := p.Next(epoch.Add(late)); ok || !wake.Equal(want) {
		t.Errorf("due again at %v, want %v", wake, want)
	}
	if _, ok, _ := p.Next(want); !ok {
		t.Fatal("not due")
	}
	if _, ok, wake := p.Next(want.Add(5 * time.Second)); ok || !wake.IsZero() {
		t.Errorf("due at %v while a probe waits", wake)
	}
}

func TestPlanRule3ProbesAreNumbered(t *testing.T) {
	p := New(Beat{Epoch: epoch, Interval: time.Second}, epoch)
	for i := range 10 {
		now := epoch.Add(time.Duration(i+1) * time.Second)
		probe, ok, _ := p.Next(now)
		if !ok || probe.Key != plan.MakeKey(0, i) {
			t.Fatalf("probe %v, %v, want number %d", probe, ok, i)
		}
		if i%2 == 0 {
			p.Sent(probe.Key, now)
		} else {
			p.Refused(probe.Key, errors.New("no"), now)
		}
		p.Observe(now, &plan.Observation{Key: probe.Key, Settles: true})
	}
}

func TestRenewal(t *testing.T) {
	const retry = 10 * time.Second
	every := Beat{Epoch: epoch, Interval: time.Minute, Phase: 20 * time.Second}
	for _, tt := range []struct {
		rule   string
		beat   Beat
		retry  time.Duration
		known  bool
		failed func(i int) bool
		takes  time.Duration // a look-up
		want   []int         // seconds
	}{
		{"1: at once, and then regularly", every, retry, false, nil, 0, []int{0, 20, 80, 140}},
		{"1: an address is known", every, retry, true, nil, 0, []int{20, 80, 140}},
		{"2: one at a time", every, retry, true, nil, 70 * time.Second, []int{20, 140}},
		{"3: again", every, retry, true, func(i int) bool { return i < 2 }, 0, []int{20, 30, 40, 80, 140}},
		{"3: but for that it is due", every, 2 * time.Minute, true, func(int) bool { return true }, 0, []int{20, 80, 140}},
		{"3: not", every, 0, true, func(int) bool { return true }, 0, []int{20, 80, 140}},
		{"4: once", Beat{}, retry, false, nil, 0, []int{0}},
		{"4: never", Beat{}, retry, true, nil, 0, nil},
		{"4: until it succeeds", Beat{}, retry, false, func(i int) bool { return i < 2 }, 0, []int{0, 10, 20}},
	} {
		r := NewRenewal(tt.beat, tt.retry, tt.known, epoch)
		var at []int
		ends := -1
		for s := range 180 {
			now := epoch.Add(time.Duration(s) * time.Second)
			if s == ends {
				r.Found(now, tt.failed != nil && tt.failed(len(at)-1))
			}
			if ask, _ := r.Next(now); ask {
				at = append(at, s)
				if ends = s + int(tt.takes/time.Second); ends == s {
					r.Found(now, tt.failed != nil && tt.failed(len(at)-1))
				}
			}
		}
		if !slices.Equal(at, tt.want) {
			t.Errorf("%s: looked up at %v, want %v", tt.rule, at, tt.want)
		}
	}
	r := NewRenewal(every, retry, true, epoch)
	if ask, wake := r.Next(epoch); ask || !wake.Equal(epoch.Add(20*time.Second)) || r.Asking() {
		t.Errorf("%v, and again at %v", ask, wake)
	}
	if ask, _ := r.Next(epoch.Add(20 * time.Second)); !ask || !r.Asking() {
		t.Error("it is not looked up, or nobody knows")
	}
	if r.Found(epoch.Add(21*time.Second), false); r.Asking() {
		t.Error("a look-up that has ended runs")
	}
}
