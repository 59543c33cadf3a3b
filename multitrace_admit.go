package icmplib

import (
	"errors"
	"net"
	"os"
	"time"
)

// maxTraceWaiting is how many targets may wait for others of the same address.
const maxTraceWaiting = maxParallel

// wants tells whether another target can be taken.
func (s *traceSweep) wants() bool {
	return s.traces.len() < s.opts.Parallel && s.targets.waiting < maxTraceWaiting
}

// admit takes targets while there are places.
func (s *traceSweep) admit() error {
	for !s.closed {
		t, ok := s.targets.take(s.wants)
		if !ok {
			return nil
		}
		if err := s.begin(t); err != nil {
			return err
		}
	}
	return nil
}

// begin gives a target its place. One that cannot be sent to is complete at
// once; an error is what concerns all of them.
func (s *traceSweep) begin(t target) error {
	route := &Route{Name: t.name, Address: t.addr, Err: t.err}
	if t.err != nil {
		s.complete(t.index, route)
		return nil
	}
	pool, err := s.p.poolFor(&s.opts.Packet, t.addr)
	if err != nil {
		return s.refuseTarget(t, route, err)
	}
	now := time.Now()
	plan := newTracePlanIn(s.traces.hops(), s.trace, now)
	plan.took = now
	place := s.traces.add(sweptTrace{route: route, plan: *plan, pool: pool, index: t.index})
	s.open(place, &s.traces.places[place])
	return nil
}

// refuseTarget completes a target that cannot be sent to.
func (s *traceSweep) refuseTarget(t target, route *Route, err error) error {
	if errors.Is(err, os.ErrPermission) || errors.Is(err, net.ErrClosed) {
		return err
	}
	route.Err = err
	s.targets.release(t.addr)
	s.complete(t.index, route)
	return nil
}

// complete hands a route out.
func (s *traceSweep) complete(index int, r *Route) {
	s.progress.Completed++
	if r.Reached {
		s.progress.Alive++
	}
	if !s.closed && !s.yield(index, r) {
		s.closed = true
	}
}
