package clock

import (
	"testing"
	"time"
)

func TestBetween(t *testing.T) {
	const (
		wall = int64(1_700_000_000_000_000_000)
		ms   = time.Millisecond
		none = -1
	)
	start := time.Now()
	for _, tt := range []struct {
		name              string
		departed, arrived time.Duration // by the wall clock, since the send
		step              time.Duration // of the wall clock, before the read at 10 ms
		want              time.Duration
	}{
		{"it is what lies between the stamps", ms, 9 * ms, 0, 8 * ms},
		{"both may be at the readings", 0, 10 * ms, 0, 10 * ms},
		{"without a stamp of the departure it is not known", none, 9 * ms, 0, 0},
		{"without a stamp of the arrival it is not known", ms, none, 0, 0},
		{"a clock that is slewed is no step", ms, 9 * ms, 5 * time.Microsecond, 8 * ms},
		{"a clock that was set forward makes it unknown", ms, 9 * ms, ms, 0},
		{"a clock that was set back makes it unknown", ms, 5 * ms, -4 * ms, 0},
		{"a departure before the send is another's", -ms, 9 * ms, 0, 0},
		{"an arrival after the read is another's", ms, 11 * ms, 0, 0},
		{"an arrival before the departure is impossible", 5 * ms, 4 * ms, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stamp := func(d time.Duration) int64 {
				if d == none {
					return 0
				}
				return wall + int64(d)
			}
			sent := Reading{Mono: start, Wall: wall}
			read := Reading{Mono: start.Add(10 * ms), Wall: wall + int64(10*ms+tt.step)}
			if got := Between(sent, read, stamp(tt.departed), stamp(tt.arrived)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
