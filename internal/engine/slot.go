package engine

import (
	"net/netip"
	"time"
)

// state is how far a probe has come.
type state uint8

const (
	free     state = iota // the sequence number was not used, or its slot was given up
	inFlight              // sent, and neither answered nor overdue
	answered              // settled by a reply, or replied to since it was settled
	failed                // an error came about it, and no reply
	silent                // settled by its deadline
)

// slot is what is known of the probe that carries one sequence number. It holds
// no pointers, so that the garbage collector need not look at the table. A slot
// stays after its probe is settled, to recognise late and duplicate replies,
// until its sequence number comes round again.
type slot struct {
	sent     time.Duration // since the table's epoch
	deadline time.Duration // of one that was answered or failed: see answeredBy
	nonce    nonce
	tag      uint64
	dst      [16]byte

	op    opRef
	prev  uint16 // neighbours in the queue of its timeout
	next  uint16
	queue uint16
	ttl   uint8
	state state
}

func (s *slot) addr() netip.Addr { return netip.AddrFrom16(s.dst).Unmap() }

// pageSize slots are allocated at once: the slab of the table.
const pageSize = 256

type page struct {
	slots    [pageSize]slot
	inFlight int
	lastSent time.Duration // of the newest probe in it
}
