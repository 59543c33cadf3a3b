package netio

import (
	"testing"
	"time"
)

func TestQueueDelay(t *testing.T) {
	const (
		wall = int64(1_700_000_000_000_000_000)
		ms   = time.Millisecond
	)
	start := time.Now()
	read := ClockReading{Mono: start, Wall: wall}

	for _, tt := range []struct {
		name  string
		stamp time.Duration // before the read, by the wall clock
		empty time.Duration // before the read
		step  time.Duration // of the wall clock, since the queue was empty
		want  time.Duration
	}{
		{"a packet waited from its stamp to the read", 2 * ms, time.Second, 0, 2 * ms},
		{"a packet read at once did not wait", 0, time.Second, 0, 0},
		{"it cannot have waited since before the queue was empty", 5 * ms, 3 * ms, 0, 0},
		{"the clock was set back by an hour while it waited", 2*ms - time.Hour, 3 * ms, -time.Hour, 2 * ms},
		{"the clock was set back by an hour before it came", 2 * ms, 3 * ms, -time.Hour, 2 * ms},
		{"the clock was set forward by an hour while it waited", 2*ms + time.Hour, 3 * ms, time.Hour, 2 * ms},
		{"the clock was set forward by an hour before it came", 2 * ms, 3 * ms, time.Hour, 2 * ms},
		{"a step that is less than the wait may be before or after: the wait is not overstated", 9 * ms, 10 * ms, 5 * ms, 4 * ms},
		{"a clock that is slewed is no step to speak of", 2 * ms, time.Second, 500 * time.Microsecond, 2 * ms},
		{"as much as a clock may be slewed is no step", 2 * ms, time.Second, ms, 2 * ms},
		{"it may have come when the queue was seen empty", 3 * ms, 3 * ms, 0, 3 * ms},
		{"a stamp in the future that no step explains", -time.Hour, time.Second, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			empty := ClockReading{Mono: start.Add(-tt.empty), Wall: wall - int64(tt.empty) - int64(tt.step)}
			if got, _ := QueueDelay(read, wall-int64(tt.stamp), empty); got != tt.want {
				t.Errorf("QueueDelay = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAPacketWithoutAStampIsTakenToHaveComeWhenItWasRead(t *testing.T) {
	now := ReadClock()
	if got, stamped := QueueDelay(now, 0, ClockReading{Mono: now.Mono.Add(-time.Second), Wall: now.Wall - 1e9}); got != 0 || stamped {
		t.Errorf("QueueDelay = %v, %v", got, stamped)
	}
}

func TestAPacketThatWasReadAtOnceHasAStampOfUse(t *testing.T) {
	now := ReadClock()
	if got, stamped := QueueDelay(now, now.Wall, ClockReading{Mono: now.Mono.Add(-time.Second), Wall: now.Wall - 1e9}); got != 0 || !stamped {
		t.Errorf("QueueDelay = %v, %v", got, stamped)
	}
}

func TestTimeBetween(t *testing.T) {
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
		{"as much as it may be slewed", ms, 9 * ms, 11 * time.Microsecond, 8 * ms},
		{"more than it may be slewed", ms, 9 * ms, 11*time.Microsecond + 1, 0},
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
			sent := ClockReading{Mono: start, Wall: wall}
			read := ClockReading{Mono: start.Add(10 * ms), Wall: wall + int64(10*ms+tt.step)}
			if got := TimeBetween(sent, read, stamp(tt.departed), stamp(tt.arrived)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
