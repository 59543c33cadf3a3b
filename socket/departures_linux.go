package socket

import (
	"github.com/goicmp/icmplib/internal/netio"
	"sync"
	"time"
)

// settling is the longest wait for the stamp of a request before both sides restart
// their counts.
const settling = time.Second

// sequences is the number of requests, and of ordinals, that departures distinguishes.
const sequences = 1 << 16

// departure records the last request with some sequence number. It holds no
// pointers, so that the garbage collector need not scan the table.
type departure struct {
	key   uint64        // see departures.key; 0: no stamp will come
	mono  time.Duration // just before the kernel got the request, since departures.base
	wall  int64         // the same moment, in wall-clock nanoseconds
	stamp int64         // when the driver got it, in wall-clock nanoseconds; 0: not known
}

// departures finds the request that a stamp belongs to. The kernel numbers the
// sends of a socket from 0 (SOF_TIMESTAMPING_OPT_ID of its timestamping.rst),
// and so does departures. Whether the kernel numbers a send that it refuses
// depends on its version and on how far the packet came. After a refusal, both
// sides therefore restart their counts. Requests have no stamps until none of
// the old count can arrive any more.
//
// Callers pass the time as an argument.
type departures struct {
	base time.Time

	mu     sync.Mutex
	count  uint32 // the number of the current count, from 1
	next   uint32 // the ordinal of the next send
	unseen int    // sends whose stamps have not come
	paused bool
	last   time.Time // the time of the last send

	sent  [sequences]departure // by sequence number
	byOrd [sequences]uint16    // sequence numbers, by the lower bits of the ordinal
}

func newDepartures(base time.Time) *departures { return &departures{base: base, count: 1} }

// key returns a unique key for a send.
func (d *departures) key(ordinal uint32) uint64 { return uint64(d.count)<<32 | uint64(ordinal) }

// send notes that the kernel is about to get a request.
func (d *departures) send(seq uint16, now netio.ClockReading) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := &d.sent[seq]
	*s = departure{}
	if d.paused {
		return
	}
	*s = departure{key: d.key(d.next), mono: now.Mono.Sub(d.base), wall: now.Wall}
	d.byOrd[d.next%sequences] = seq
	d.next++
	d.unseen++
	d.last = now.Mono
}

// refuse notes that the kernel refused a send at least once, and whether it finally
// took it. From then on, departures ignores stamps until resume restarts the count.
func (d *departures) refuse(taken bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.paused {
		return
	}
	d.paused = true
	d.count++ // the keys in the table then match no send
	d.next = 0
	if !taken {
		d.unseen--
	}
}

// resume reports whether the kernel's count must restart, and then restarts its own.
func (d *departures) resume(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.paused || d.unseen > 0 && now.Sub(d.last) <= settling {
		return false
	}
	d.paused, d.unseen = false, 0
	return true
}

// note takes a stamp. If one send has several stamps, as when the packet passes
// through more than one device, the first one counts.
func (d *departures) note(ordinal uint32, stamp int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unseen = max(0, d.unseen-1)
	s := &d.sent[d.byOrd[ordinal%sequences]]
	if !d.paused && s.key == d.key(ordinal) && s.stamp == 0 {
		s.stamp = stamp
	}
}

// roundTrip returns the time from the stamp of the last request with a sequence
// number to the arrival of the message about it, which was read at read. It returns
// 0 if the time is not known.
func (d *departures) roundTrip(seq uint16, arrived int64, read netio.ClockReading) time.Duration {
	d.mu.Lock()
	s := d.sent[seq]
	d.mu.Unlock()
	return netio.TimeBetween(netio.ClockReading{Mono: d.base.Add(s.mono), Wall: s.wall}, read, s.stamp, arrived)
}
