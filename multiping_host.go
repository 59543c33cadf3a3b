package icmplib

import (
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// The tag of a probe names its host's place, which host it is that has the
// place, and the ordinal of the probe.
const (
	seqBits        = 24
	placeBits      = 20
	generationBits = 64 - seqBits - placeBits
)

// maxSweepHosts bounds the hosts in flight, and with them the memory of a sweep.
const maxSweepHosts = 1 << 16

// sweepHost is a host in flight.
type sweepHost struct {
	host       *Host
	pool       *engine.Pool
	due        time.Time // when its next request may leave
	index      int       // of the target
	sent       int       // requests tried so far
	open       int       // those of them that have no fate yet
	generation uint32    // how many hosts had this place before
}

func makeTag(place int, generation uint32, seq int) uint64 {
	return uint64(generation)<<(placeBits+seqBits) | uint64(place)<<seqBits | uint64(seq)
}

func splitTag(tag uint64) (place int, generation uint32, seq int) {
	return int(tag >> seqBits & (1<<placeBits - 1)), uint32(tag >> (placeBits + seqBits)), int(tag & (1<<seqBits - 1))
}

// sweepHosts is the places of the hosts in flight.
type sweepHosts struct {
	places []sweepHost
	free   []int
}

func (h *sweepHosts) len() int { return len(h.places) - len(h.free) }

// add gives a host a place.
func (h *sweepHosts) add(s sweepHost) int {
	n := len(h.free)
	if n == 0 {
		h.places = append(h.places, s)
		return len(h.places) - 1
	}
	place := h.free[n-1]
	h.free = h.free[:n-1]
	s.generation = h.places[place].generation
	h.places[place] = s
	return place
}

// remove frees a place. What is still heard of the host finds another
// generation there.
func (h *sweepHosts) remove(place int) {
	s := &h.places[place]
	*s = sweepHost{generation: (s.generation + 1) & (1<<generationBits - 1)}
	h.free = append(h.free, place)
}

// find returns the host that a tag names, if it is still in flight.
func (h *sweepHosts) find(tag uint64) (place int, s *sweepHost, seq int) {
	place, generation, seq := splitTag(tag)
	if place >= len(h.places) {
		return 0, nil, 0
	}
	if s = &h.places[place]; s.host == nil || s.generation != generation {
		return 0, nil, 0
	}
	return place, s, seq
}
