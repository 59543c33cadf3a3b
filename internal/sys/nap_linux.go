package sys

import (
	"time"

	"golang.org/x/sys/unix"
)

// Nap keeps the calling thread for about d. A timer would not do for less than
// a millisecond: the runtime would wait for it in its poller, which every packet
// that arrives wakes.
func Nap(d time.Duration) {
	t := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&t, nil) // cut short by a signal, it is only a shorter nap
}
