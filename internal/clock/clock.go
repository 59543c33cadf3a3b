// Package clock turns a kernel's receive timestamp into the time that a packet
// waited in a socket's queue.
//
// Round-trip times are differences of monotonic readings, which a stepped wall
// clock cannot change. But the kernel stamps packets with the wall clock, so a
// stamp is used for one thing only: how long before the read the packet
// arrived. That is a short interval, bounded on both sides by what is known
// from the monotonic clock alone.
package clock

import "time"

// A Reading is one look at the clock: the same instant on both time scales.
type Reading struct {
	Mono time.Time // only ever subtracted from other Mono values
	Wall int64     // nanoseconds since the Unix epoch
}

// Now reads the clock once.
func Now() Reading {
	now := time.Now()
	return Reading{Mono: now, Wall: now.UnixNano()}
}

// QueueDelay returns how long a packet that was read at read had been waiting,
// given the wall-clock nanoseconds stamp that the kernel put on it at arrival.
//
// The queue was seen empty at empty (a reading taken before the look), so the
// packet cannot have waited longer than since then; a stamp that says so, or
// that lies in the future, was made before a step of the wall clock and is
// clamped. A stamp of 0 means that there is none: the delay is then 0.
func QueueDelay(read Reading, stamp int64, empty time.Time) time.Duration {
	if stamp == 0 {
		return 0
	}
	queued := time.Duration(read.Wall - stamp)
	return max(0, min(queued, read.Mono.Sub(empty)))
}
