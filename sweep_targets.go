package icmplib

import "net/netip"

// targetQueue hands out the targets of a feed: those of one address one after
// the other.
type targetQueue struct {
	feed    *feed
	active  map[netip.Addr][]target // the addresses in use, and who waits for them
	waiting int                     // how many do
	turns   []target                // whose address has become free
	drawn   []target
	next    int  // of drawn
	more    bool // the feed has not ended
}

func newTargetQueue(f *feed) targetQueue {
	return targetQueue{feed: f, active: map[netip.Addr][]target{}, more: true}
}

// take returns the next target to begin with. A new one is drawn only while
// wants says that there is use for it.
func (q *targetQueue) take(wants func() bool) (t target, ok bool) {
	for {
		if n := len(q.turns); n > 0 {
			t = q.turns[n-1]
			q.turns = q.turns[:n-1]
			return t, true
		}
		if !wants() {
			return t, false
		}
		if q.next == len(q.drawn) {
			q.drawn, q.more = q.feed.take(q.drawn)
			q.next = 0
			if len(q.drawn) == 0 {
				return t, false
			}
		}
		t = q.drawn[q.next]
		q.next++
		if t.err != nil || q.claim(t) {
			return t, true
		}
	}
}

// news returns what tells of further targets, if wants says that there is use for
// them.
func (q *targetQueue) news(wants func() bool) <-chan struct{} {
	if q.more && wants() {
		return q.feed.ready
	}
	return nil
}

// ended tells whether nothing follows but targets whose address is in use.
func (q *targetQueue) ended() bool {
	return !q.more && len(q.turns) == 0 && q.next == len(q.drawn)
}

// claim tells whether an address is free, and takes it; if it is not, the target
// waits for its turn.
func (q *targetQueue) claim(t target) bool {
	waiting, taken := q.active[t.addr]
	if taken {
		q.active[t.addr] = append(waiting, t)
		q.waiting++
		return false
	}
	q.active[t.addr] = nil
	return true
}

// release gives an address back, to the target that waits for it if there is
// one.
func (q *targetQueue) release(addr netip.Addr) {
	waiting := q.active[addr]
	if len(waiting) == 0 {
		delete(q.active, addr)
		return
	}
	q.active[addr] = waiting[1:]
	q.waiting--
	q.turns = append(q.turns, waiting[0])
}
