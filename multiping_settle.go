package icmplib

import (
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// collect takes what became known, if anything did.
func (s *sweep) collect() {
	select {
	case <-s.op.Ready():
		s.take()
	default:
	}
}

// take takes what became known.
func (s *sweep) take() {
	s.inbox = s.op.Take(s.inbox)
	for i := range s.inbox {
		s.outcome(&s.inbox[i])
	}
}

func (s *sweep) outcome(o *engine.Outcome) {
	place, h, seq := s.hosts.find(o.Tag)
	if h == nil {
		return // completed before: it is only counted
	}
	r := outcomeResult(o, h.host.Address, s.opts.Packet.Protocol)
	r.Seq = seq
	h.host.Add(r)
	if r.Cause != nil && h.host.PacketsReceived == 0 {
		h.host.Err = r.Cause // nothing can be received
	}
	if r.Status == StatusReply && (r.Settles() || r.Corrects && !r.Late) {
		s.progress.PacketsReceived++
	}
	if !o.Fate.Settles() {
		return
	}
	s.settled(place, h)
}

// settled notes that one more request of a host has its fate.
func (s *sweep) settled(place int, h *sweepHost) {
	h.open--
	switch {
	case h.sent < s.opts.Count:
		if s.opts.Interval == 0 && h.open == 0 {
			h.due = time.Time{}
			s.again.push(place)
		}
	case h.open == 0:
		s.finish(place, h)
	}
}

// finish completes a host and frees its place.
func (s *sweep) finish(place int, h *sweepHost) {
	index, host := h.index, h.host
	s.hosts.remove(place)
	s.targets.release(host.Address)
	s.complete(index, host)
}

// abandon hands out the hosts in flight as they stand, and returns err.
func (s *sweep) abandon(err error) error {
	s.collect()
	for place := range s.hosts.places {
		h := &s.hosts.places[place]
		if h.host == nil || s.closed {
			continue
		}
		h.host.abandon(h.open)
		if h.sent == 0 {
			h.host.Err = err
		}
		s.complete(h.index, h.host)
	}
	return err
}
