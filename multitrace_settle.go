package icmplib

import (
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// collect takes what became known, if anything did.
func (s *traceSweep) collect() {
	select {
	case <-s.op.Ready():
		s.take()
	default:
	}
}

// take takes what became known.
func (s *traceSweep) take() {
	s.inbox = s.op.Take(s.inbox)
	now := time.Now()
	for i := range s.inbox {
		s.outcome(&s.inbox[i], now)
	}
}

func (s *traceSweep) outcome(o *engine.Outcome, now time.Time) {
	settles := o.Fate.Settles()
	if settles {
		s.flying--
	}
	ref, index, seq := splitTraceTag(o.Tag)
	t := s.traces.find(ref)
	if t == nil {
		return // its trace is complete without it
	}
	if o.Fate == engine.Unclear {
		t.plan.unclear()
		s.steer(ref.place, t, now)
		return
	}
	r := outcomeResult(o, t.route.Address, s.opts.Packet.Protocol)
	r.Seq = seq
	t.plan.result(index, &r, settles)
	if settles && r.Responder.IsValid() {
		s.progress.PacketsReceived++
		s.ready.hop(index).gate.heard(r.Responder)
	}
	s.steer(ref.place, t, now)
}

// finish completes a trace and frees its place.
func (s *traceSweep) finish(place uint32, t *sweptTrace) {
	route := t.route
	route.Hops = make([]Hop, t.plan.final)
	for i := range route.Hops {
		route.Hops[i] = t.plan.hops[i].hop
	}
	route.End, route.Err = t.plan.verdict()
	route.Reached = route.End == EndReached
	s.leave(place, t)
}

// fail completes a trace that cannot go on.
func (s *traceSweep) fail(place uint32, t *sweptTrace, err error) {
	t.cut()
	t.route.Err = err
	s.leave(place, t)
}

// cut fills the route with what is known of it.
func (t *sweptTrace) cut() {
	for i := range t.plan.final {
		t.route.Hops = append(t.route.Hops, t.plan.hops[i].hop)
	}
	t.plan.rest(func(h *Hop) bool {
		t.route.Hops = append(t.route.Hops, *h)
		return true
	})
}

// leave frees the place of a trace and hands its route out.
func (s *traceSweep) leave(place uint32, t *sweptTrace) {
	s.giveTurn(t)
	index, route := t.index, t.route
	s.traces.remove(place)
	s.targets.release(route.Address)
	s.complete(index, route)
}

// abandon hands out the routes in flight as they stand, and returns err.
func (s *traceSweep) abandon(err error) error {
	s.collect()
	for place := range s.traces.places {
		t := &s.traces.places[place]
		if t.route == nil || s.closed {
			continue
		}
		t.cut()
		if t.plan.taken == 0 {
			t.route.Err = err
		}
		s.complete(t.index, t.route)
	}
	return err
}
