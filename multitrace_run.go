package icmplib

import (
	"context"
	"iter"
	"math/rand/v2"
	"net/netip"
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
	s.progress.report(&s.targets, true)
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
		s.progress.report(&s.targets, false)
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
