package drive

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// Ref identifies a task. After the task has ended, its place has another generation.
type Ref struct {
	place      uint32
	generation uint16
}

const (
	// MaxParallel is the maximum number of tasks for targets that a Driver can have in
	// flight.
	MaxParallel = 1 << 16

	// A tag holds the generation of a task in its upper 12 bits, its place in the next 20,
	// and the key of the probe in the rest.
	placeBits      = 20
	generationBits = 12
	maxSlots       = 1 << placeBits

	// freshPlaces is how many places are used before one is used again, so that the
	// generations of a place do not wrap while an answer to an earlier task may still
	// arrive.
	freshPlaces = 1024
)

// makeTag returns the engine's tag of a probe: its task, and its key within the task.
func makeTag(r Ref, k plan.Key) uint64 {
	return uint64(r.generation)<<(32+placeBits) | uint64(r.place)<<32 | uint64(k)
}

func splitTag(tag uint64) (Ref, plan.Key) {
	return Ref{place: uint32(tag>>32) % maxSlots, generation: uint16(tag >> (32 + placeBits))}, plan.Key(tag)
}

// slot is the place of a task in flight. Its times are measured from the Driver's epoch.
type slot struct {
	task       Task
	rules      *Rules
	attentive  Attentive  // the task, if it is Attentive
	addr       netip.Addr // of its target, if it has one: in use until the task ends
	generation uint16
	attention  Attention // that the task wants
	begun      bool      // a probe was sent, or refused
	oneByOne   bool      // its probes leave one by one, because each is a connection from the same port
	inFlight   int
	queued     int           // probes that wait
	timer      time.Duration // when the task is looked at again; 0: nothing is set
	took       time.Duration // when the system last accepted a probe
	holdoff    time.Duration // until then, an answer may belong to an earlier probe
	retry      time.Duration // when a connection may be tried again
	postponed  []plan.Probe  // probes that wait for retry
	next       uint32        // see slots.chains
	claim      *claim        // the claim to be the only task that probes the target; nil: none
}

// slots holds the places of the tasks in flight. The place that was given up longest ago is
// used again first.
type slots struct {
	all  []slot
	free ring[uint32]

	// chains finds the slots of an address by its hash. An entry is a place plus one, or 0;
	// the slot has the next. It is nil unless index was called. A map costs a sweep three
	// times as much.
	chains []uint32
	seed   uint64 // odd and secret, so that nobody can choose addresses that share a chain
}

// index makes slots findable by their addresses.
func (s *slots) index() {
	s.chains, s.seed = make([]uint32, 1<<16), rand.Uint64()|1
}

// chain returns where the chain of an address begins. Consecutive addresses have
// neighboring chains.
func (s *slots) chain(addr netip.Addr) *uint32 {
	b := addr.As16()
	high, low := binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
	return &s.chains[uint16(low)+uint16((low>>16*s.seed+high*(s.seed>>1|1))>>48)]
}

// has reports whether a task has an address.
func (s *slots) has(addr netip.Addr) bool {
	for at := *s.chain(addr); at != 0; at = s.all[at-1].next {
		if s.all[at-1].addr == addr {
			return true
		}
	}
	return false
}

func (s *slots) len() int { return len(s.all) - s.free.len() }

func (s *slots) add(t slot) Ref {
	place := uint32(len(s.all))
	if s.free.len() == 0 || place < freshPlaces {
		s.all = append(s.all, t)
	} else {
		place = s.free.pop()
		t.generation = s.all[place].generation
		s.all[place] = t
	}
	if s.chains != nil && t.addr.IsValid() {
		first := s.chain(t.addr)
		s.all[place].next, *first = *first, place+1
	}
	return Ref{place, t.generation}
}

func (s *slots) remove(r Ref) {
	t := &s.all[r.place]
	if s.chains != nil && t.addr.IsValid() {
		at := s.chain(t.addr)
		for *at != r.place+1 {
			at = &s.all[*at-1].next
		}
		*at = t.next
	}
	*t = slot{generation: (r.generation + 1) % (1 << generationBits)}
	s.free.push(r.place)
}

// find returns the slot of a task, nil if the task has ended.
func (s *slots) find(r Ref) *slot {
	if int(r.place) >= len(s.all) {
		return nil
	}
	if t := &s.all[r.place]; t.task != nil && t.generation == r.generation {
		return t
	}
	return nil
}

// timers holds the times at which tasks are to be looked at, the next first. Most of them
// are added in order, and wait in a ring; the others wait in a heap.
type timers struct {
	ring ring[timer]
	heap []timer
}

type timer struct {
	at time.Duration
	Ref
}

func (h *timers) first() (at time.Duration, ok bool) {
	switch {
	case h.ring.len() > 0 && (len(h.heap) == 0 || h.ring.first().at <= h.heap[0].at):
		return h.ring.first().at, true
	case len(h.heap) > 0:
		return h.heap[0].at, true
	}
	return 0, false
}

func (h *timers) push(t timer) {
	if h.ring.len() == 0 || h.ring.last().at <= t.at {
		h.ring.push(t)
		return
	}
	h.heap = append(h.heap, t)
	all := h.heap
	for i := len(all) - 1; i > 0; {
		parent := (i - 1) / 2
		if all[i].at >= all[parent].at {
			return
		}
		all[i], all[parent] = all[parent], all[i]
		i = parent
	}
}

// pop removes the first timer if it is due.
func (h *timers) pop(now time.Duration) (t timer, ok bool) {
	at, ok := h.first()
	switch {
	case !ok || at > now:
		return t, false
	case h.ring.len() > 0 && h.ring.first().at == at:
		return h.ring.pop(), true
	}
	all := h.heap
	t = all[0]
	last := len(all) - 1
	all[0] = all[last]
	all = all[:last]
	h.heap = all
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return t, true
		}
		if child+1 < last && all[child+1].at < all[child].at {
			child++
		}
		if all[child].at >= all[i].at {
			return t, true
		}
		all[i], all[child] = all[child], all[i]
		i = child
	}
}

// ring is a queue.
type ring[T any] struct {
	items []T
	head  int
}

func (r *ring[T]) len() int { return len(r.items) - r.head }

func (r *ring[T]) first() *T { return &r.items[r.head] }

func (r *ring[T]) last() *T { return &r.items[len(r.items)-1] }

func (r *ring[T]) push(t T) { r.items = append(r.items, t) }

func (r *ring[T]) pop() T {
	t := r.items[r.head]
	r.head++
	switch {
	case r.head == len(r.items):
		r.items, r.head = r.items[:0], 0
	case r.head >= 1024 && 2*r.head >= len(r.items):
		r.items = r.items[:copy(r.items, r.items[r.head:])]
		r.head = 0
	}
	return t
}
