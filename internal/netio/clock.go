package netio

import "time"

// This file turns a kernel's receive timestamp into the time that a packet waited in a
// socket's queue.
//
// Round-trip times are differences of monotonic readings, which a stepped wall clock
// cannot change. But the kernel stamps packets by the wall clock, so a stamp never
// serves as a point in time. [QueueDelay] derives from it how long before the read the
// packet arrived: a short interval, which the monotonic clock bounds on both sides.
// [TimeBetween] returns the time from one stamp to another, if both clocks agree that
// neither was stepped meanwhile.

// A ClockReading is one reading of the clock: the same instant on both time scales.
type ClockReading struct {
	Mono time.Time // only ever subtracted from other Mono values
	Wall int64     // nanoseconds since the Unix epoch
}

// ReadClock reads the clock once.
func ReadClock() ClockReading {
	now := time.Now()
	return ClockReading{Mono: now, Wall: now.UnixNano()}
}

// slewed distinguishes a clock that is slewed, by at most 500 ppm on Linux
// (adjtimex(2)), from a clock that is stepped: by more than 1 part in slewed.
const slewed = 1000

// QueueDelay returns how long a packet had waited when it was read at read, given the
// kernel's stamp of its arrival in wall-clock nanoseconds. It also reports whether the
// stamp was usable. Without a stamp (0), the delay is 0.
//
// The queue was empty at empty, a reading from before the look, so the packet cannot
// have waited longer than since then. The two readings show by how much the wall clock
// was stepped meanwhile, but not whether the stamp was made before or after the step.
// QueueDelay returns the shorter of the possible delays, which makes the round-trip
// time longer, at most by the step. If no delay is possible, as after a step back and
// forth, the delay is 0.
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

// apart is the largest difference between the two time scales of a ClockReading, which
// are read one after the other, without a step of the wall clock.
const apart = time.Microsecond

// TimeBetween returns the time between two of the kernel's stamps: of a packet that was
// sent after the reading sent, and of its answer, which was read before the reading
// read. It returns 0 if a stamp is missing (0), if the wall clock was stepped between
// the readings, or if the stamps do not lie between them in this order.
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
