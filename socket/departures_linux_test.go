package socket

import (
	"github.com/goicmp/icmplib/internal/netio"
	"testing"
	"time"
)

// stampBench is a table of departures, with a clock that no one steps.
type stampBench struct {
	*departures
	start netio.ClockReading
}

func newStampBench() stampBench {
	start := netio.ReadClock()
	return stampBench{newDepartures(start.Mono), start}
}

func (b *stampBench) at(d time.Duration) netio.ClockReading {
	return netio.ClockReading{Mono: b.start.Mono.Add(d), Wall: b.start.Wall + int64(d)}
}

// sent and stamped happen at a moment, and rtt is that of a reply that arrives
// at one.
func (b *stampBench) sent(seq uint16, d time.Duration)        { b.send(seq, b.at(d)) }
func (b *stampBench) stamped(ordinal uint32, d time.Duration) { b.note(ordinal, b.at(d).Wall) }
func (b *stampBench) rtt(seq uint16, d time.Duration) time.Duration {
	return b.roundTrip(seq, b.at(d).Wall, b.at(d+time.Millisecond))
}

func TestAStampBelongsToTheSendOfItsOrdinal(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name string
		do   func(b *stampBench)
		want time.Duration // of sequence number 7, whose reply arrives at 30 ms
	}{
		{"a request without a stamp has no time", func(b *stampBench) { b.sent(7, 0) }, 0},
		{"the time is that since the stamp", func(b *stampBench) { b.sent(7, 0); b.stamped(0, ms) }, 29 * ms},
		{"ordinals count sends, not sequence numbers", func(b *stampBench) {
			b.sent(9, 0)
			b.sent(7, 0)
			b.stamped(1, 2*ms)
			b.stamped(0, ms)
		}, 28 * ms},
		{"the first of two stamps counts", func(b *stampBench) { b.sent(7, 0); b.stamped(0, ms); b.stamped(0, 2*ms) }, 29 * ms},
		{"the last of two requests counts", func(b *stampBench) {
			b.sent(7, 0)
			b.stamped(0, ms)
			b.sent(7, 10*ms)
			b.stamped(1, 11*ms)
		}, 19 * ms},
		{"a stamp of the request before says nothing", func(b *stampBench) { b.sent(7, 0); b.sent(7, 10*ms); b.stamped(0, 11*ms) }, 0},
		{"an ordinal that was not given yet says nothing", func(b *stampBench) { b.sent(7, 0); b.stamped(1, ms) }, 0},
		{"after a refusal no stamp is trusted", func(b *stampBench) { b.sent(7, 0); b.refuse(true); b.stamped(0, ms) }, 0},
		{"nor is one of the old count under the new", func(b *stampBench) {
			b.sent(7, 0)
			b.refuse(true)
			b.resume(b.at(2 * settling).Mono)
			b.stamped(0, ms)
		}, 0},
		{"the new count begins with 0", func(b *stampBench) {
			b.sent(5, 0)
			b.refuse(false)
			b.resume(b.start.Mono)
			b.sent(7, 0)
			b.stamped(0, ms)
		}, 29 * ms},
		{"while it is waited for, requests go without", func(b *stampBench) {
			b.sent(5, 0)
			b.refuse(true)
			b.resume(b.start.Mono)
			b.sent(7, 0)
			b.stamped(0, ms)
		}, 0},
		{"a stamp from before the send is another's", func(b *stampBench) { b.sent(7, 2*ms); b.stamped(0, ms) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newStampBench()
			tt.do(&b)
			if got := b.rtt(7, 30*ms); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestTheCountIsBegunAnewWhenNoOldStampCanCome(t *testing.T) {
	b := newStampBench()
	b.sent(1, 0)
	b.sent(2, 0)
	if b.resume(b.start.Mono) {
		t.Error("begun anew without a refusal")
	}
	b.refuse(true)
	b.stamped(0, time.Millisecond)
	if b.resume(b.start.Mono) {
		t.Error("begun anew with a stamp to come")
	}
	b.stamped(1, time.Millisecond)
	if !b.resume(b.start.Mono) {
		t.Error("not begun anew though all stamps have come")
	}
	b.sent(3, 0)
	b.refuse(true)
	if b.resume(b.at(settling).Mono) || !b.resume(b.at(settling+1).Mono) {
		t.Errorf("a stamp is not waited for for %v", settling)
	}
}

func TestMoreRequestsThanSequenceNumbers(t *testing.T) {
	b := newStampBench()
	for i := range uint32(3 * sequences) {
		b.sent(uint16(i), 0)
		b.stamped(i, time.Millisecond)
	}
	if got := b.rtt(7, 2*time.Millisecond); got != time.Millisecond {
		t.Errorf("got %v", got)
	}
}
