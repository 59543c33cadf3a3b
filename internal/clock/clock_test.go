package clock

import (
	"testing"
	"time"
)

func TestQueueDelay(t *testing.T) {
	const wall = int64(1_700_000_000_000_000_000)
	start := time.Now()
	read := Reading{Mono: start.Add(time.Second), Wall: wall}
	justEmpty := start.Add(time.Second - 3*time.Millisecond)

	for _, tt := range []struct {
		name  string
		stamp int64
		empty time.Time
		want  time.Duration
	}{
		{"a packet without a stamp is taken to have arrived when it was read", 0, start, 0},
		{"a packet waited from its stamp to the read", wall - int64(2*time.Millisecond), start, 2 * time.Millisecond},
		{"a packet read at once did not wait", wall, start, 0},
		{"it cannot have waited since before the queue was empty", wall - int64(5*time.Millisecond), justEmpty, 3 * time.Millisecond},
		{"the clock was set back by an hour while it waited", wall + int64(time.Hour), justEmpty, 0},
		{"the clock was set forward by an hour while it waited", wall - int64(time.Hour), justEmpty, 3 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := QueueDelay(read, tt.stamp, tt.empty); got != tt.want {
				t.Errorf("QueueDelay = %v, want %v", got, tt.want)
			}
		})
	}
}
