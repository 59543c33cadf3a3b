package icmplib

import (
	"context"
	"iter"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// sweep is a MultiPing at work. One goroutine does everything: the caller's.
type sweep struct {
	p     *Prober
	opts  MultiPingOptions
	op    *engine.Op
	yield func(index int, h *Host) bool

	targets targetQueue
	hosts   sweepHosts
	fresh   ring // hosts that were sent nothing yet
	again   ring // hosts that were, in the order in which they are due
	closed  bool // yield returned false

	batches sweepBatches
	gate    sendGate
	inbox   []engine.Outcome
	waiter  waiter

	progress progressReport
}

// newSweep does all that can fail before anything is sent.
func (p *Prober) newSweep(o *MultiPingOptions) (*sweep, error) {
	if p.closed == nil {
		return nil, errNotMade
	}
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &sweep{
		p:        p,
		opts:     opts,
		gate:     sendGate{own: engine.NewPacer(opts.Rate), all: p.pacer},
		progress: progressReport{tell: opts.Progress},
	}, nil
}

// each pings the targets and calls yield for each host that is completed, until
// all are, yield returns false or ctx ends.
func (s *sweep) each(ctx context.Context, targets iter.Seq[string], yield func(int, *Host) bool) error {
	if targets == nil {
		return errNoTargets()
	}
	s.yield = yield
	cfg := s.p.opConfig(&s.opts.Packet, s.opts.Timeout, netip.Addr{})
	cfg.Patient, cfg.Drives = true, true
	s.op = engine.NewOp(cfg)
	defer s.op.Close()
	s.targets = newTargetQueue(newFeed(ctx, targets, s.resolve, s.opts.Family))
	defer s.targets.feed.end()
	s.waiter = newWaiter(s.p.closed)
	defer s.waiter.stop()
	defer s.gate.end()
	err := s.run(ctx)
	s.progress.report(&s.targets, true)
	return err
}

func (s *sweep) resolve(ctx context.Context, name string, family Family) ([]netip.Addr, error) {
	return s.p.resolveFor(ctx, name, family, &s.opts.Packet)
}

func (s *sweep) run(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return s.abandon(context.Cause(ctx))
		}
		s.collect()
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
		case s.closed || s.finished():
			return nil
		case !sent:
			if err := s.wait(ctx); err != nil {
				return s.abandon(err)
			}
		}
		s.progress.report(&s.targets, false)
	}
}

func (s *sweep) finished() bool {
	return s.targets.ended() && s.hosts.len() == 0 && len(s.op.Ready()) == 0
}

// complete hands a host out.
func (s *sweep) complete(index int, h *Host) {
	s.progress.Completed++
	if h.IsAlive() {
		s.progress.Alive++
	}
	if !s.closed && !s.yield(index, h) {
		s.closed = true
	}
}

// restFrom is how long a wait is in which others read what comes.
const restFrom = 2 * time.Millisecond

// wait waits until something can be done.
func (s *sweep) wait(ctx context.Context) error {
	s.waiter.also = s.targets.news(s.wants)
	now := time.Now()
	due := s.nextDue(now)
	if due.IsZero() || due.Sub(now) > restFrom {
		s.op.Rest()
	}
	ready, err := s.waiter.wait(ctx, s.op.Ready(), due)
	if ready {
		s.take()
	}
	return err
}

// nextDue returns when the next request may leave, now at the earliest; the zero
// time, if there is none.
func (s *sweep) nextDue(now time.Time) time.Time {
	switch {
	case s.fresh.len() > 0:
		return later(now, s.gate.at)
	case s.again.len() > 0:
		return later(now, later(s.hosts.places[s.again.first()].due, s.gate.at))
	}
	return time.Time{}
}
