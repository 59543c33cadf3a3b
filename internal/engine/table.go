package engine

import (
	"math/rand/v2"
	"time"
)

// linger is for how long at least the slots of settled probes are kept while
// their sequence numbers do not come round again.
const linger = 30 * time.Second

// sequences is the size of the space that one id has. Sequence number 0 is not
// used: a UDP checksum of 0 means that there is none.
const sequences = 1 << 16

// table holds what is known of the probes of one id. Time is measured from an
// epoch of its owner's choice.
type table struct {
	pages    [sequences / pageSize]*page
	spare    *page // the last page given up, for the next one needed
	next     uint16
	inFlight int
	queues   []queue
}

// begin sets the first sequence number, at random: who does not see the probes
// cannot know which of them are in flight.
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

// add puts s into flight under the next sequence number, which it returns. It
// passes over those in flight, and fails if all are.
func (t *table) add(s slot, timeout time.Duration) (uint16, bool) {
	if t.inFlight == sequences-1 {
		return 0, false
	}
	for t.next == 0 || t.pages[t.next/pageSize] != nil && t.slot(t.next).state == inFlight {
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

// page returns the page of seq, and allocates it if need be.
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

// remove forgets a probe that was not sent after all, settled meanwhile or not.
func (t *table) remove(seq uint16) {
	s := t.slot(seq)
	if s.state == inFlight {
		t.settle(seq, s, free)
	}
	*s = slot{}
}

// shrink gives up the pages whose probes were all settled long before now.
func (t *table) shrink(now time.Duration) {
	for i, p := range t.pages {
		if p == nil || p.inFlight > 0 || now-p.lastSent <= linger {
			continue
		}
		*p = page{}
		t.spare, t.pages[i] = p, nil
	}
}
