package socket

import (
	"github.com/goicmp/icmplib/internal/netio"
	"sync"
	"time"
)

// settling is for how long at most the stamp of a request is waited for before
// the kernel's count is begun anew.
const settling = time.Second

// sequences is how many requests are told apart, and how many ordinals.
const sequences = 1 << 16

// departure is what is known of the last request with some sequence number. It
// holds no pointers, so that the garbage collector need not look at the table.
type departure struct {
	key   uint64        // see departures.key; 0: none that will be stamped
	mono  time.Duration // before the kernel was given it, since departures.base
	wall  int64         // the same moment
	stamp int64         // when the driver got it, wall-clock nanoseconds; 0: not known
}

// departures finds the request that a stamp belongs to. The kernel numbers the
// sends of a socket from 0 (SOF_TIMESTAMPING_OPT_ID of its timestamping.rst),
// and so do we. Whether a send that it refused has a number depends on its
// version and on how far the packet came, so after a refusal the count is begun
// anew on both sides. Until no stamp of the old count can come any more,
// requests go without.
//
// Every moment is an argument.
type departures struct {
	base time.Time

	mu     sync.Mutex
	count  uint32 // of the counts begun, from 1
	next   uint32 // ordinal of the next send
	unseen int    // sends of which no stamp has come
	paused bool
	last   time.Time // of the last send

	sent  [sequences]departure // by sequence number
	byOrd [sequences]uint16    // sequence numbers, by the lower bits of the ordinal
}

func newDepartures(base time.Time) *departures { return &departures{base: base, count: 1} }

// key returns a name for a send that no other has.
func (d *departures) key(ordinal uint32) uint64 { return uint64(d.count)<<32 | uint64(ordinal) }

// send notes that a request is about to be given to the kernel.
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

// refuse notes that the kernel refused a send at least once, and whether it took
// it in the end. No stamp that comes from now on is to be trusted.
func (d *departures) refuse(taken bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.paused {
		return
	}
	d.paused = true
	d.count++ // so that the keys in the table are those of no send any more
	d.next = 0
	if !taken {
		d.unseen--
	}
}

// resume reports whether the kernel's count is to be begun anew, and ours is then.
func (d *departures) resume(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.paused || d.unseen > 0 && now.Sub(d.last) <= settling {
		return false
	}
	d.paused, d.unseen = false, 0
	return true
}

// note takes a stamp. Of several for one send, as of a packet that passes
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

// roundTrip returns the time between the stamp of the last request with a
// sequence number and that of what came about it, which was read at a moment. It
// is 0 where that is not known.
func (d *departures) roundTrip(seq uint16, arrived int64, read netio.ClockReading) time.Duration {
	d.mu.Lock()
	s := d.sent[seq]
	d.mu.Unlock()
	return netio.TimeBetween(netio.ClockReading{Mono: d.base.Add(s.mono), Wall: s.wall}, read, s.stamp, arrived)
}
