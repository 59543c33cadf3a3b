package main

import (
	"math"
	"testing"
	"time"
)

func TestATimeIsASecondsNumberOrHasAUnit(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    string
		want time.Duration
	}{
		{"whole seconds", "2", 2 * time.Second},
		{"parts of a second", "0.2", 200 * time.Millisecond},
		{"none", "0", 0},
		{"milliseconds", "200ms", 200 * time.Millisecond},
		{"several units", "1m30s", 90 * time.Second},
		{"as other programs write them", "1e-3", time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d time.Duration
			if err := (durationFlag{d: &d}).Set(tt.s); err != nil || d != tt.want {
				t.Errorf("%q is %v, %v; want %v", tt.s, d, err, tt.want)
			}
		})
	}
}

func TestATimeThatCannotBeIsRefused(t *testing.T) {
	for _, tt := range []struct{ name, s string }{
		{"nothing", ""},
		{"a negative number", "-1"},
		{"a negative time", "-200ms"},
		{"no number", "soon"},
		{"not a number", "NaN"},
		{"for ever", "Inf"},
		{"longer than a time can be", "1e10"},
		{"an unknown unit", "2 fortnights"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := time.Minute
			if err := (durationFlag{d: &d}).Set(tt.s); err == nil || d != time.Minute {
				t.Errorf("%q is %v, %v; want an error, and the time unchanged", tt.s, d, err)
			}
		})
	}
}

// -w of traceroute takes max,here,near, of which the last two are not here.
func TestOfSeveralTimesTheOneToUseIsNamed(t *testing.T) {
	got := runLine(t.Context(), "traceroute", "-w", "5,3,10", "127.0.0.1")
	got.checkRefusal(t, []string{"one time is allowed, such as 5: every probe waits that long"})
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"1", "0.2", "200ms", "-1", "NaN", "1e10", "0x1p-2", "1h1m1s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := time.Duration(math.MinInt64)
		err := durationFlag{d: &d}.Set(s)
		if err == nil && d < 0 {
			t.Errorf("%q is %v", s, d)
		}
		if err != nil && d != math.MinInt64 {
			t.Errorf("%q was refused, and set all the same: %v", s, d)
		}
	})
}
