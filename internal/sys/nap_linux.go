package sys

import (
	"time"

	"golang.org/x/sys/unix"
)

// Nap blocks the calling thread for about d. A timer does not work for less than a
// millisecond: the runtime would wait for it in its poller, which every arriving packet
// wakes.
func Nap(d time.Duration) {
	t := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&t, nil) // a signal only makes the nap shorter
}
