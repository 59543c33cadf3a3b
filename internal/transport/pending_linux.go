package transport

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/sys"
)

// connection is what has to be known of a probe that is a socket.
type connection struct {
	to               netip.Addr
	toPort, fromPort uint16
	identity         uint32
	sent             time.Time
}

// slot is a place for a connection.
type slot struct {
	connection
	stream     sys.Stream
	expires    time.Time
	index      int32
	generation uint32 // tells it from those that had the place before
	open       bool
	prev, next int32 // in the order of expiry; the list's ends are none
}

const none = -1

func (s *slot) key() uint64 { return uint64(s.generation)<<32 | uint64(uint32(s.index)) }

// pending holds the connections that are being made, in the order of their
// expiry, which is that in which they were made.
type pending struct {
	slots          []slot
	free           []int32
	oldest, newest int32
}

func (p *pending) init(n int) {
	p.slots, p.free = make([]slot, n), make([]int32, 0, n)
	p.oldest, p.newest = none, none
	for i := range p.slots {
		p.slots[i].index = int32(i)
		p.free = append(p.free, int32(n-1-i))
	}
}

func (p *pending) empty() bool { return p.oldest == none }

// take returns a slot at the end of the list; nil if there is none left.
func (p *pending) take() *slot {
	if len(p.free) == 0 {
		return nil
	}
	s := &p.slots[p.free[len(p.free)-1]]
	p.free = p.free[:len(p.free)-1]
	s.open, s.prev, s.next = true, p.newest, none
	s.generation++
	if p.newest == none {
		p.oldest = s.index
	} else {
		p.slots[p.newest].next = s.index
	}
	p.newest = s.index
	return s
}

// giveBack takes a slot out of the list.
func (p *pending) giveBack(s *slot) {
	if s.prev == none {
		p.oldest = s.next
	} else {
		p.slots[s.prev].next = s.next
	}
	if s.next == none {
		p.newest = s.prev
	} else {
		p.slots[s.next].prev = s.prev
	}
	s.open = false
	p.free = append(p.free, s.index)
}

// end closes a slot's connection.
func (p *pending) end(s *slot) {
	_ = s.stream.Close()
	p.giveBack(s)
}

// get returns the connection with a key; nil if it has ended.
func (p *pending) get(key uint64) *slot {
	s := &p.slots[uint32(key)]
	if !s.open || s.key() != key {
		return nil
	}
	return s
}

// expire ends the connections whose time is up.
func (p *pending) expire(now time.Time) {
	for p.oldest != none && !p.slots[p.oldest].expires.After(now) {
		p.end(&p.slots[p.oldest])
	}
}

// next returns in how long the next one expires; 0 if there is none.
func (p *pending) next(now time.Time) time.Duration {
	if p.empty() {
		return 0
	}
	return max(1, p.slots[p.oldest].expires.Sub(now))
}

func (p *pending) endAll() {
	for p.oldest != none {
		p.end(&p.slots[p.oldest])
	}
}
