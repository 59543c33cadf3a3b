package clock

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
	read := Reading{Mono: start, Wall: wall}

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
		{"a stamp in the future that no step explains", -time.Hour, time.Second, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			empty := Reading{Mono: start.Add(-tt.empty), Wall: wall - int64(tt.empty) - int64(tt.step)}
			if got, _ := QueueDelay(read, wall-int64(tt.stamp), empty); got != tt.want {
				t.Errorf("QueueDelay = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAPacketWithoutAStampIsTakenToHaveComeWhenItWasRead(t *testing.T) {
	now := Now()
	if got, stamped := QueueDelay(now, 0, Reading{Mono: now.Mono.Add(-time.Second), Wall: now.Wall - 1e9}); got != 0 || stamped {
		t.Errorf("QueueDelay = %v, %v", got, stamped)
	}
}
