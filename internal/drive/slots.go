package drive

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// ref names a task in flight. What outlives the task finds another generation in its
// place.
type ref struct {
	place      uint16
	generation uint16
}

// MaxParallel is how many tasks a Driver can have in flight.
const MaxParallel = 1 << 16

// makeTag returns the engine's name of a probe: the task, and its key within the task.
func makeTag(r ref, k plan.Key) uint64 {
	return uint64(r.generation)<<48 | uint64(r.place)<<32 | uint64(k)
}

func splitTag(tag uint64) (ref, plan.Key) {
	return ref{place: uint16(tag >> 32), generation: uint16(tag >> 48)}, plan.Key(tag)
}

// slot is the place of a task in flight. Moments are measured from the Driver's epoch.
type slot struct {
	task       Task
	addr       netip.Addr // that is in use until the task ends; the zero Addr: none
	generation uint16
	begun      bool // a probe was sent, or refused
	oneByOne   bool // its probes leave one by one, for each is a connection with the same port
	inFlight   int
	queued     int           // probes that wait
	timer      time.Duration // when the task is looked at again; 0: nothing is set
	took       time.Duration // when the system last took a probe
	holdoff    time.Duration // until then an answer may be to an earlier probe
	retry      time.Duration // when a connection may be tried again
	postponed  []plan.Probe  // probes that wait for that
	claim      *claim        // to be the only one that probes the target; nil: none
}

// slots is the places of the tasks in flight.
type slots struct {
	all  []slot
	free []uint16
}

func (s *slots) len() int { return len(s.all) - len(s.free) }

func (s *slots) add(t slot) ref {
	n := len(s.free)
	if n == 0 {
		s.all = append(s.all, t)
		return ref{place: uint16(len(s.all) - 1)}
	}
	place := s.free[n-1]
	s.free = s.free[:n-1]
	t.generation = s.all[place].generation
	s.all[place] = t
	return ref{place, t.generation}
}

func (s *slots) remove(r ref) {
	s.all[r.place] = slot{generation: r.generation + 1}
	s.free = append(s.free, r.place)
}

// find returns the slot of a task, nil if the task has ended.
func (s *slots) find(r ref) *slot {
	if int(r.place) >= len(s.all) {
		return nil
	}
	if t := &s.all[r.place]; t.task != nil && t.generation == r.generation {
		return t
	}
	return nil
}

// timers is when tasks are to be looked at, the next first. Most of them come in their
// order, and wait in a ring; the others are a heap.
type timers struct {
	ring ring[timer]
	heap []timer
}

type timer struct {
	at time.Duration
	ref
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

// pop takes out the first if it is due.
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
