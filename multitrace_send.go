package icmplib

import (
	"context"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// maxUnmarked bounds the probes in flight where an answer may have no mark of
// its probe: the engine then looks for the only one to the host, among not too
// many.
const maxUnmarked = 2048

// mayFly returns how many more probes may be in flight.
func (s *traceSweep) mayFly() int {
	if p := s.opts.Packet.Protocol; p == ICMP || p == TCP {
		return sweepBatchSize
	}
	return maxUnmarked - s.flying
}

// send sends probes that are due, as many as go together, and tells whether
// there were any. What the system says against one is a result; an error is the
// end of the run.
func (s *traceSweep) send(ctx context.Context) (sent bool, err error) {
	now := time.Now()
	n := min(s.ready.len, sweepBatchSize, s.mayFly())
	if n <= 0 {
		return false, nil
	}
	if at, _ := s.ready.next(now); at.After(now) {
		return false, nil
	}
	if n = s.gate.reserve(now, n); n == 0 {
		return false, nil
	}
	left := s.gather(now, n)
	s.gate.reserved += left // nobody else has their places
	if left == n {
		return false, nil
	}
	for i := range s.batches {
		if s.closed {
			break // the caller has left the loop meanwhile
		}
		if err := s.batches[i].flush(ctx, s.op, s); err != nil {
			return true, err
		}
	}
	return true, nil
}

// gather sorts up to n probes by the pool that sends them, and returns how many
// fewer there are.
func (s *traceSweep) gather(now time.Time, n int) (left int) {
	s.batches.clear()
	for n > 0 {
		ref, index, ok := s.ready.pop(now)
		if !ok {
			break
		}
		t := s.traces.find(ref)
		if t == nil || !s.stillWanted(ref.place, t, index, now) {
			continue
		}
		s.ready.hop(index).gate.take(now)
		h := &t.plan.hops[index]
		s.batches.add(t.pool, s.opts.Packet.probe(t.route.Address, ref.tag(index, h.sent), h.hop.Distance))
		n--
	}
	return n
}

// stillWanted tells whether a probe that was ready is still to be sent.
func (s *traceSweep) stillWanted(place uint32, t *sweptTrace, index int, now time.Time) bool {
	if index <= t.plan.last && t.plan.wants(&t.plan.hops[index]) {
		if !t.careful {
			return true
		}
		if next, _ := t.plan.next(now); next == index && (t.turn != nil || !t.plan.care.on) {
			return true
		}
	}
	t.unqueue(index)
	if t.careful {
		s.stepWithCare(place, t, now)
	} else {
		s.growLater(place, t, now)
	}
	return false
}

// sent notes that a probe has left.
func (s *traceSweep) sent(p *engine.Probe) {
	s.flying++
	s.taken++
	s.progress.PacketsSent++
	ref, index, _ := splitTraceTag(p.Tag)
	t := s.traces.find(ref)
	if t == nil {
		return // completed by what was refused in the same batch
	}
	t.unqueue(index)
	t.plan.taken++
	t.plan.sent(index, p.Sent)
	t.plan.took = p.Sent
	s.schedule(ref.place, t, index, p.Sent)
}

// schedule says when another probe to a hop is due, if one may be.
func (s *traceSweep) schedule(place uint32, t *sweptTrace, index int, now time.Time) {
	if t.careful {
		return // what follows is known when this one has its fate
	}
	if h := &t.plan.hops[index]; h.sent-h.void < s.opts.Count {
		s.timers.push(traceTimer{t.plan.due(h), t.ref(place), index})
	}
	s.growLater(place, t, now)
}

// refused notes that the system did not take a probe.
func (s *traceSweep) refused(p *engine.Probe, err error) {
	ref, index, seq := splitTraceTag(p.Tag)
	t := s.traces.find(ref)
	if t == nil {
		return
	}
	now := time.Now()
	t.unqueue(index)
	if isConfigError(err) {
		s.fail(ref.place, t, err)
		return
	}
	if s.taken > 0 && t.plan.postpones(err, 0, now) {
		t.plan.alone, t.plan.retry = true, now.Add(connectionPause)
		s.stepWithCare(ref.place, t, now)
		return
	}
	t.plan.sent(index, now)
	result := refusedResult(t.route.Address, seq, p.TTL, err)
	t.plan.result(index, &result, true)
	t.plan.refuse = err
	s.schedule(ref.place, t, index, now)
	s.steer(ref.place, t, now)
}
