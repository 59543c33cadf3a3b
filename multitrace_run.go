package icmplib

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// traceSweep is a MultiTraceroute at work. One goroutine does everything: the
// caller's. What is to be sent next, and where a way ends, is for the plan of
// each trace to say; the sweep holds the probes of all of them that are due, and
// takes out of these by chance.
type traceSweep struct {
	p     *Prober
	opts  MultiTracerouteOptions
	trace *TracerouteOptions // of each route: part of opts
	op    *engine.Op
	gate  sendGate
	yield func(index int, r *Route) bool

	targets targetQueue
	traces  tracePlaces
	ready   readyProbes
	timers  traceTimers
	flying  int  // probes that have no fate yet
	taken   int  // probes that the system took
	closed  bool // yield returned false

	batches sweepBatches
	inbox   []engine.Outcome
	waiter  waiter

	progress progressReport
}

// newTraceSweep does all that can fail before anything is sent.
func (p *Prober) newTraceSweep(o *MultiTracerouteOptions) (*traceSweep, error) {
	if p.closed == nil {
		return nil, errNotMade
	}
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	seed := opts.Seed
	for seed == 0 {
		seed = rand.Uint64()
	}
	return &traceSweep{
		p:        p,
		opts:     opts,
		trace:    opts.trace(),
		gate:     sendGate{own: engine.NewPacer(opts.Rate), all: p.pacer},
		ready:    newReadyProbes(opts.HopRate, seed),
		progress: progressReport{tell: opts.Progress},
	}, nil
}

// unclearRoom is how many answers without a mark may wait to be looked at.
const unclearRoom = 1 << 12

// each traces the targets and calls yield for each route that is complete,
// until all are, yield returns false or ctx ends.
func (s *traceSweep) each(ctx context.Context, targets iter.Seq[string], yield func(int, *Route) bool) error {
	if targets == nil {
		return errNoTargets()
	}
	s.yield = yield
	cfg := s.p.opConfig(&s.opts.Packet, s.opts.Timeout, netip.Addr{})
	cfg.Unclear = true
	cfg.Inbox = engine.NewInboxWith(unclearRoom)
	s.op = engine.NewOp(cfg)
	defer s.op.Close()
	s.targets = newTargetQueue(newFeed(ctx, targets, s.resolve, s.opts.Family))
	defer s.targets.feed.end()
	s.waiter = newWaiter(s.p.closed)
	defer s.waiter.stop()
	defer s.gate.end()
	defer s.giveTurns()
	err := s.run(ctx)
	s.progress.report(s.targets.feed, true)
	return err
}

func (s *traceSweep) resolve(ctx context.Context, name string, family Family) ([]netip.Addr, error) {
	return s.p.resolveFor(ctx, name, family, &s.opts.Packet)
}

func (s *traceSweep) run(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return s.abandon(context.Cause(ctx))
		}
		s.collect()
		s.wake(time.Now())
		if err := s.admit(); err != nil {
			return s.abandon(err)
		}
		if s.closed {
			return nil
		}
		sent, err := s.send(ctx)
		switch {
		case err != nil:
			return s.abandon(err)
		case s.closed || s.targets.ended() && s.traces.len() == 0:
			return nil
		case !sent:
			if err := s.wait(ctx); err != nil {
				return s.abandon(err)
			}
		}
		s.progress.report(s.targets.feed, false)
	}
}

// Where very many probes are in flight, something happens all the time. To look
// at each thing by itself costs more than all the rest; gathered, they wait a
// little, which is part of no round-trip time.
const (
	gatherAbove = 64 // probes in flight
	gatherFor   = time.Millisecond
)

// wait waits until something can be done.
func (s *traceSweep) wait(ctx context.Context) error {
	s.waiter.also = s.targets.news(s.wants)
	outcomes, now := s.op.Ready(), time.Now()
	at := s.nextDue(now)
	if s.flying > gatherAbove {
		outcomes, at = nil, now.Add(gatherFor)
	}
	ready, err := s.waiter.wait(ctx, outcomes, at)
	if ready {
		s.take()
	}
	return err
}

// nextDue returns when there is something to do if nothing comes in, now at the
// earliest; the zero time, if there is nothing.
func (s *traceSweep) nextDue(now time.Time) time.Time {
	var at time.Time
	ok := false
	if s.mayFly() > 0 {
		if at, ok = s.ready.next(now); ok {
			at = later(at, s.gate.at)
		}
	}
	if timer, any := s.timers.first(); any && (!ok || timer.Before(at)) {
		at, ok = timer, true
	}
	if !ok {
		return time.Time{}
	}
	return later(now, at)
}

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
	r := s.p.outcome(o, t.route.Address, s.opts.Packet.Protocol)
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

// turnPause is after how long a trace asks again for the turn that another has.
// It cannot wait for it, as that of a single trace does: others go on meanwhile.
const turnPause = 20 * time.Millisecond

// takeTurn takes the turn of a trace that has to be careful, if it can be had,
// and tells whether the trace may go on.
func (s *traceSweep) takeTurn(t *sweptTrace) bool {
	if !t.plan.care.on || t.turn != nil || t.plan.flying > 0 {
		return true
	}
	turn := s.p.turns.tryTake(turnKey{t.pool, t.route.Address})
	if turn == nil {
		return false
	}
	t.turn = turn
	t.plan.care.quiet = later(t.plan.care.quiet, turn.quiet)
	return true
}

// giveTurn gives the turn of a trace back, if it has one.
func (s *traceSweep) giveTurn(t *sweptTrace) {
	if t.turn == nil {
		return
	}
	s.p.turns.give(t.turn, t.plan.care.quiet, t.plan.flying, s.opts.Timeout)
	t.turn = nil
}

// giveTurns gives back all turns.
func (s *traceSweep) giveTurns() {
	for i := range s.traces.places {
		s.giveTurn(&s.traces.places[i])
	}
}
