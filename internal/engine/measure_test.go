package engine

import (
	"testing"
	"time"
)

func TestARoundTripTimeSaysHowItWasMeasured(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name    string
		stamped bool
		kernel  time.Duration
		counter time.Duration
		rtt     time.Duration
		by      Measure
	}{
		{"without any stamp it ends with the read", false, 0, 0, 30 * ms, ByRead},
		{"with a stamp of the arrival it ends there", true, 0, 0, 30 * ms, ByClock},
		{"with both it is the kernel's", true, 29 * ms, 0, 29 * ms, ByKernel},
		{"the kernel's is not longer than that by our clock", true, 31 * ms, 0, 30 * ms, ByClock},
		{"a finer counter than the clock is believed, even where they differ", false, 0, 31 * ms, 31 * ms, ByCounter},
		{"nor negative", true, -ms, 0, 30 * ms, ByClock},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, OpConfig{Size: 56})
			r := b.reply(b.launch(target, 0))
			r.Stamped, r.KernelRTT, r.CounterRTT = tt.stamped, tt.kernel, tt.counter
			b.core.receive(r, b.now+30*ms)
			if o := b.op.outcomes[0]; o.RTT != tt.rtt || o.MeasuredBy != tt.by {
				t.Errorf("it is %v, by %v; want %v, by %v", o.RTT, o.MeasuredBy, tt.rtt, tt.by)
			}
		})
	}
}
