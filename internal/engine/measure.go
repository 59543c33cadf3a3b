package engine

import (
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// Measure says between which two moments a round-trip time was taken.
type Measure uint8

const (
	Unmeasured Measure = iota // there is none
	ByRead                    // from the send by our clock to the read by our clock
	ByCounter                 // from the send to the completion of the call, by a finer counter
	ByClock                   // to the kernel's stamp of the arrival
	ByKernel                  // from the kernel's stamp of the departure to that
)

// roundTrip returns the time that passed from a probe to a message about it,
// given that by the monotonic clock. The kernel's own is taken where it is
// possible: it begins later, and ends at the same moment.
func roundTrip(r *icmp.Reply, mono time.Duration) (time.Duration, Measure) {
	mono = max(0, mono)
	switch {
	case r.CounterRTT > 0:
		return r.CounterRTT, ByCounter // our clock may be too coarse to agree
	case r.KernelRTT > 0 && r.KernelRTT <= mono:
		return r.KernelRTT, ByKernel
	case r.Stamped:
		return mono, ByClock
	}
	return mono, ByRead
}
