package netio

import "time"

// A kernel's receive timestamp becomes the time that a packet waited in a socket's
// queue.
//
// Round-trip times are differences of monotonic readings, which a stepped wall
// clock cannot change. But the kernel stamps packets with the wall clock, so a
// stamp is never taken for a moment. [QueueDelay] finds out from it how long
// before the read the packet arrived: a short interval, bounded on both sides by
// what is known from the monotonic clock alone. [TimeBetween] gives the time from one
// stamp to another, where both clocks agree that neither was stepped meanwhile.

// A ClockReading is one look at the clock: the same instant on both time scales.
type ClockReading struct {
	Mono time.Time // only ever subtracted from other Mono values
	Wall int64     // nanoseconds since the Unix epoch
}

// ReadClock reads the clock once.
func ReadClock() ClockReading {
	now := time.Now()
	return ClockReading{Mono: now, Wall: now.UnixNano()}
}

// slewed tells a clock that is slewed, by at most 500 ppm on Linux
// (adjtimex(2)), from one that is stepped.
const slewed = 1000

// QueueDelay returns how long a packet that was read at read had been waiting,
// given the wall-clock nanoseconds stamp that the kernel put on it at arrival; 0
// stands for none, and the delay is then 0. It also tells whether the stamp was
// of use.
//
// The queue was seen empty at empty, a reading taken before the look, so the
// packet cannot have waited longer than since then. By how much the wall clock
// was stepped meanwhile, the two readings tell; whether the stamp was made
// before the step or after it, they do not. Of what is possible the shorter
// delay is taken, which errs to the longer round-trip time, and by no more than
// the step. If nothing is possible, as when the clock was stepped to and fro,
// the delay is 0.
func QueueDelay(read ClockReading, stamp int64, empty ClockReading) (delay time.Duration, stamped bool) {
	if stamp == 0 {
		return 0, false
	}
	longest := read.Mono.Sub(empty.Mono)
	step := time.Duration(read.Wall-empty.Wall) - longest
	if step.Abs() <= longest/slewed {
		step = 0
	}
	after := time.Duration(read.Wall - stamp) // if the stamp was made after the step
	before := after - step
	switch possible := func(d time.Duration) bool { return d >= 0 && d <= longest }; {
	case possible(after) && possible(before):
		return min(after, before), true
	case possible(after):
		return after, true
	case possible(before):
		return before, true
	}
	return 0, false
}

// apart is by how much the two time scales of a ClockReading, which are read one
// after the other, may seem to disagree without a step of the wall clock.
const apart = time.Microsecond

// TimeBetween returns the time between two of the kernel's stamps, of a packet that
// was sent after the reading sent and of its answer, which was read before the
// reading read. It is 0 where one of the stamps is missing (0), where the wall
// clock was stepped between the readings, and where the stamps do not lie
// between them, in this order.
func TimeBetween(sent, read ClockReading, departed, arrived int64) time.Duration {
	if departed == 0 || arrived == 0 {
		return 0
	}
	elapsed := read.Mono.Sub(sent.Mono)
	step := time.Duration(read.Wall-sent.Wall) - elapsed
	if step.Abs() > elapsed/slewed+apart {
		return 0
	}
	if departed < sent.Wall || arrived < departed || read.Wall < arrived {
		return 0
	}
	return time.Duration(arrived - departed)
}
