package icmplib

import "time"

// open queues the hops that the window of a trace has come to.
func (s *traceSweep) open(place uint32, t *sweptTrace) {
	t.last = t.plan.last
	for ; t.opened < t.plan.open(); t.opened++ {
		s.queue(place, t, t.opened)
	}
}

// queue puts a probe to a hop among those that are ready.
func (s *traceSweep) queue(place uint32, t *sweptTrace, index int) {
	if h := &t.plan.hops[index]; !h.queued {
		h.queued = true
		t.queued++
		s.ready.push(t.ref(place), index)
	}
}

// unqueue notes that a probe is not there any more.
func (t *sweptTrace) unqueue(index int) {
	t.plan.hops[index].queued = false
	t.queued--
}

// steer does what follows from what has become known of a trace.
func (s *traceSweep) steer(place uint32, t *sweptTrace, now time.Time) {
	switch {
	case s.concluded(place, t):
	case t.careful || t.plan.oneByOne():
		s.stepWithCare(place, t, now)
	case t.plan.last > t.last:
		// What seemed to be the end was passed: probes to the hops behind it were
		// dropped meanwhile.
		s.openAgain(place, t, now)
	default:
		s.open(place, t)
	}
}

// concluded completes a trace whose hops are all final, and tells whether it is
// one.
func (s *traceSweep) concluded(place uint32, t *sweptTrace) bool {
	for t.plan.finish() != nil {
	}
	if !t.plan.done() {
		return false
	}
	s.finish(place, t)
	return true
}

// oneByOne tells whether there may be but one probe in flight.
func (p *tracePlan) oneByOne() bool { return p.care.on || p.alone }

// stepWithCare queues the next probe of a trace whose probes leave one by one,
// or all that are due when they do not any more.
func (s *traceSweep) stepWithCare(place uint32, t *sweptTrace, now time.Time) {
	t.careful = true
	if !s.takeTurn(t) {
		s.timers.push(traceTimer{now.Add(turnPause), t.ref(place), wakeTrace})
		return
	}
	index, at := t.plan.next(now)
	if !t.plan.care.on {
		s.giveTurn(t)
		if s.concluded(place, t) {
			return // what was left out of account is all that there is to know
		}
	}
	switch {
	case !t.plan.oneByOne():
		t.careful = false
		s.openAgain(place, t, now)
	case index >= 0:
		s.queue(place, t, index)
	case !at.IsZero():
		s.timers.push(traceTimer{at, t.ref(place), wakeTrace})
	}
}

// openAgain queues all that is due in a trace that need not be careful any more.
func (s *traceSweep) openAgain(place uint32, t *sweptTrace, now time.Time) {
	t.opened, t.last = t.plan.open(), t.plan.last
	for i := t.plan.final; i < t.opened; i++ {
		h := &t.plan.hops[i]
		if !t.plan.wants(h) {
			continue
		}
		if due := t.plan.due(h); due.After(now) {
			s.timers.push(traceTimer{due, t.ref(place), i})
		} else {
			s.queue(place, t, i)
		}
	}
	s.growLater(place, t, now)
}

// growLater has the window of a trace open by itself when all its probes have
// left and nothing comes.
func (s *traceSweep) growLater(place uint32, t *sweptTrace, now time.Time) {
	if t.queued > 0 || t.growing || t.plan.window > t.plan.last {
		return
	}
	t.plan.grow = now.Add(t.patience())
	t.growing = true
	s.timers.push(traceTimer{t.plan.grow, t.ref(place), wakeTrace})
}

// wake looks at what is due.
func (s *traceSweep) wake(now time.Time) {
	for {
		timer, ok := s.timers.pop(now)
		if !ok {
			return
		}
		t := s.traces.find(timer.trace)
		switch {
		case t == nil:
		case timer.index != wakeTrace:
			s.wakeHop(timer, t, now)
		case t.careful:
			t.growing = false
			s.stepWithCare(timer.trace.place, t, now)
		default:
			s.grow(timer.trace.place, t, now)
		}
	}
}

// wakeHop queues another probe to a hop, if it is due.
func (s *traceSweep) wakeHop(timer traceTimer, t *sweptTrace, now time.Time) {
	h := &t.plan.hops[timer.index]
	if t.careful || timer.index > t.plan.last || !t.plan.wants(h) {
		return
	}
	if timer.at = t.plan.due(h); timer.at.After(now) {
		s.timers.push(timer)
		return
	}
	s.queue(timer.trace.place, t, timer.index)
}

// grow opens the window of a trace whose answers do not come.
func (s *traceSweep) grow(place uint32, t *sweptTrace, now time.Time) {
	t.growing = false
	if t.queued > 0 || t.plan.window > t.plan.last {
		return // growLater is called when they have left
	}
	if since := t.plan.took.Add(t.patience()); since.After(now) {
		t.growing = true
		s.timers.push(traceTimer{since, t.ref(place), wakeTrace})
		return
	}
	t.plan.window += traceAhead
	t.plan.extend()
	s.open(place, t)
}
