package engine

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// state is the state of a probe.
type state uint8

const (
	free     state = iota // the sequence number is unused, or its slot was given up
	inFlight              // sent, and neither answered nor overdue
	answered              // settled by a reply, or a reply came later
	failed                // an error came about it, but no reply
	silent                // settled by its deadline
)

// slot records the probe with one sequence number. It holds no pointers, so that the
// garbage collector need not scan the table. A slot stays after its probe is settled, to
// recognize late and duplicate replies, until its sequence number is reused.
type slot struct {
	sent     time.Duration // since the table's epoch
	deadline time.Duration // after an answer or an error, see answeredBy
	nonce    nonce
	tag      uint64
	dst      [16]byte

	op    opRef
	prev  uint16 // prev and next are its neighbours in the queue of its timeout
	next  uint16
	queue uint16
	ttl   uint8
	state state
}

func (s *slot) addr() netip.Addr { return netip.AddrFrom16(s.dst).Unmap() }

// pageSize is the number of slots that are allocated together.
const pageSize = 256

type page struct {
	slots    [pageSize]slot
	inFlight int
	lastSent time.Duration // of the newest probe in it
}

// linger is how long the table keeps the slots of settled probes at least, unless their
// sequence numbers are reused.
const linger = 30 * time.Second

// sequences is the number of sequence numbers of one id. Sequence number 0 is not used,
// because a UDP checksum of 0 means that there is none.
const sequences = 1 << 16

// table holds the probes of one id. Times are measured from an epoch that its owner
// chooses.
type table struct {
	pages    [sequences / pageSize]*page
	spare    *page // the last page given up, to be reused
	next     uint16
	inFlight int
	queues   []queue

	// barren is a host for which there is no number for a bare probe until a time.
	barren struct {
		dst   [16]byte
		until time.Duration
	}
}

// begin sets the first sequence number at random, so that a host that does not see the
// probes cannot guess which numbers are in flight.
func (t *table) begin() { t.next = uint16(rand.Uint32()) }

func (t *table) slot(seq uint16) *slot { return &t.pages[seq/pageSize].slots[seq%pageSize] }

// lookup returns the slot of seq if a probe was sent with it.
func (t *table) lookup(seq uint16) *slot {
	p := t.pages[seq/pageSize]
	if p == nil || p.slots[seq%pageSize].state == free {
		return nil
	}
	return &p.slots[seq%pageSize]
}

// add puts s into flight under the next sequence number, which it returns. It skips
// numbers in flight and, for a bare probe, which has no nonce, numbers of probes whose
// answers could be mistaken for its own. It reports false if there is no other.
func (t *table) add(s slot, timeout time.Duration, bare bool) (uint16, bool) {
	if t.inFlight == sequences-1 || bare && t.barren.dst == s.dst && s.sent < t.barren.until {
		return 0, false
	}
	until := s.sent
	for passed := 0; t.next == 0 || t.taken(&s, bare, &until); passed++ {
		if passed == sequences {
			t.barren.dst, t.barren.until = s.dst, until
			return 0, false
		}
		t.next++
	}
	seq := t.next
	t.next++
	p := t.page(seq)
	s.state, s.deadline = inFlight, s.sent+timeout
	p.slots[seq%pageSize] = s
	p.inFlight++
	p.lastSent = s.sent
	t.inFlight++
	t.enqueue(seq, timeout)
	return seq, true
}

// taken reports whether s cannot have the next sequence number: it is in flight or, if s
// is bare, it belonged to a silent probe to the same host, sent no longer than linger ago,
// whose answer may still come. taken then lowers until to the end of that time.
func (t *table) taken(s *slot, bare bool, until *time.Duration) bool {
	old := t.lookup(t.next)
	switch {
	case old == nil:
		return false
	case old.state == inFlight:
		return true
	case !bare || old.state != silent || old.dst != s.dst || s.sent-old.sent > linger:
		return false
	}
	if over := old.sent + linger; *until <= s.sent || over < *until {
		*until = over
	}
	return true
}

// page returns the page of seq, and allocates it if necessary.
func (t *table) page(seq uint16) *page {
	i := seq / pageSize
	if t.pages[i] == nil {
		t.pages[i] = t.spare
		if t.spare = nil; t.pages[i] == nil {
			t.pages[i] = new(page)
		}
	}
	return t.pages[i]
}

// settle ends the flight of a probe; its slot stays.
func (t *table) settle(seq uint16, s *slot, end state) {
	t.dequeue(seq)
	s.state = end
	t.pages[seq/pageSize].inFlight--
	t.inFlight--
}

// remove forgets a probe that was not sent, whether or not it was settled meanwhile.
func (t *table) remove(seq uint16) {
	s := t.slot(seq)
	if s.state == inFlight {
		t.settle(seq, s, free)
	}
	*s = slot{}
}

// shrink gives up the pages whose probes are all settled, and older than linger.
func (t *table) shrink(now time.Duration) {
	for i, p := range t.pages {
		if p == nil || p.inFlight > 0 || now-p.lastSent <= linger {
			continue
		}
		*p = page{}
		t.spare, t.pages[i] = p, nil
	}
}

// queue is the queue of the probes with one timeout. They expire in the order in which
// they were sent, so add and remove take constant time, and the next probe to expire is
// the head of one of the queues. The links are sequence numbers in the slots.
type queue struct {
	timeout    time.Duration
	head, tail uint16
	len        int
}

// enqueue adds the slot of seq to the queue of its timeout.
func (t *table) enqueue(seq uint16, timeout time.Duration) {
	i := t.queueFor(timeout)
	q, s := &t.queues[i], t.slot(seq)
	s.queue = uint16(i)
	if q.len == 0 {
		q.head = seq
	} else {
		t.slot(q.tail).next = seq
		s.prev = q.tail
	}
	q.tail = seq
	q.len++
}

// dequeue removes the slot of seq from its queue.
func (t *table) dequeue(seq uint16) {
	s := t.slot(seq)
	q := &t.queues[s.queue]
	if seq == q.head {
		q.head = s.next
	} else {
		t.slot(s.prev).next = s.next
	}
	if seq == q.tail {
		q.tail = s.prev
	} else {
		t.slot(s.next).prev = s.prev
	}
	q.len--
}

// queueFor returns the index of the queue for a timeout. If there is none, it takes an
// empty queue.
func (t *table) queueFor(timeout time.Duration) int {
	empty := -1
	for i := range t.queues {
		switch q := &t.queues[i]; {
		case q.len == 0:
			empty = i
		case q.timeout == timeout:
			return i
		}
	}
	if empty < 0 {
		empty = len(t.queues)
		t.queues = append(t.queues, queue{})
	}
	t.queues[empty] = queue{timeout: timeout}
	return empty
}

// nextDeadline returns the earliest deadline of the probes in flight.
func (t *table) nextDeadline() (time.Duration, bool) {
	var next time.Duration
	found := false
	for i := range t.queues {
		q := &t.queues[i]
		if q.len == 0 {
			continue
		}
		if d := t.slot(q.head).deadline; !found || d < next {
			next, found = d, true
		}
	}
	return next, found
}

// overdue calls settle, which must dequeue the probe, for each probe that was due by the
// horizon. Probes that are departing are the last of their queues.
func (t *table) overdue(horizon time.Duration, departing func(seq uint16) bool, settle func(seq uint16, s *slot)) {
	for i := range t.queues {
		for q := &t.queues[i]; q.len > 0; {
			seq := q.head
			s := t.slot(seq)
			if s.deadline > horizon || departing(seq) {
				break
			}
			settle(seq, s)
		}
	}
}
