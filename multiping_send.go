package icmplib

import (
	"context"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// send sends the requests that are due, as many as go together, and tells
// whether there were any. What the system says against one is a result; an
// error is the end of the run.
func (s *sweep) send(ctx context.Context) (sent bool, err error) {
	now := time.Now()
	n := s.dueNow(now)
	if n == 0 {
		return false, nil
	}
	if n = s.gate.reserve(now, n); n == 0 {
		return false, nil
	}
	s.gather(now, n)
	for i := range s.batches {
		if err := s.batches[i].flush(ctx, s.op, s); err != nil {
			return true, err
		}
	}
	return true, nil
}

// dueNow returns how many requests are due, up to what goes together.
func (s *sweep) dueNow(now time.Time) int {
	n := min(s.fresh.len(), sweepBatchSize)
	for i := s.again.head; i < len(s.again.items) && n < sweepBatchSize; i++ {
		if s.hosts.places[s.again.items[i]].due.After(now) {
			break
		}
		n++
	}
	return n
}

// gather sorts n requests by the pool that sends them: second and further ones
// first, for they have a time to keep.
func (s *sweep) gather(now time.Time, n int) {
	s.batches.clear()
	for range n {
		var place int
		if s.again.len() > 0 && !s.hosts.places[s.again.first()].due.After(now) {
			place = s.again.pop()
		} else {
			place = s.fresh.pop()
		}
		h := &s.hosts.places[place]
		s.batches.add(h.pool, s.opts.Packet.probe(h.host.Address, makeTag(place, h.generation, h.sent), s.opts.Packet.ttl()))
	}
}

// sent notes that a request of a host has left.
func (s *sweep) sent(p *engine.Probe) {
	place, _, _ := splitTag(p.Tag)
	h := &s.hosts.places[place]
	h.sent++
	h.open++
	h.host.Err = nil
	s.progress.PacketsSent++
	if h.sent < s.opts.Count && s.opts.Interval > 0 {
		h.due = p.Sent.Add(s.opts.Interval)
		s.again.push(place)
	}
}

// refused notes that the system did not take a request.
func (s *sweep) refused(p *engine.Probe, err error) {
	place, _, _ := splitTag(p.Tag)
	h := &s.hosts.places[place]
	h.host.Add(refusedResult(h.host.Address, h.sent, s.opts.Packet.ttl(), err))
	if h.host.PacketsSent == 0 && h.open == 0 {
		h.host.Err = err
	}
	h.sent++
	switch {
	case h.sent < s.opts.Count:
		h.due = time.Now().Add(max(s.opts.Interval, refusedPause))
		s.again.push(place)
	case h.open == 0:
		s.finish(place, h)
	}
}
