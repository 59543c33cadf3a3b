package icmplib

import (
	"context"
	"errors"
	"iter"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

// sweep is a MultiPing at work. One goroutine does everything: the caller's.
type sweep struct {
	p     *Prober
	opts  MultiPingOptions
	op    *engine.Op
	pacer *engine.Pacer
	feed  *feed
	yield func(index int, h *Host) bool

	hosts  sweepHosts
	turns  []target // whose address has become free
	fresh  ring     // hosts that were sent nothing yet
	again  ring     // hosts that were, in the order in which they are due
	drawn  []target
	next   int  // of drawn
	more   bool // the feed has not ended
	closed bool // yield returned false

	batches  []sweepBatch
	gate     time.Time // when the next batch may leave
	reserved int       // packets that may leave then
	inbox    []engine.Outcome
	timer    *time.Timer

	progress Progress
	reported time.Time
}

// progressEvery bounds how often Progress is called.
const progressEvery = 100 * time.Millisecond

// newSweep does all that can fail before anything is sent.
func (p *Prober) newSweep(o *MultiPingOptions) (*sweep, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &sweep{p: p, opts: opts, pacer: engine.NewPacer(opts.Rate), more: true}, nil
}

// each pings the targets and calls yield for each host that is completed, until
// all are, yield returns false or ctx ends.
func (s *sweep) each(ctx context.Context, targets iter.Seq[string], yield func(int, *Host) bool) error {
	s.yield = yield
	s.hosts.active = map[netip.Addr][]target{}
	s.op = s.opts.Packet.op(s.opts.Timeout, netip.Addr{})
	defer s.op.Close()
	s.feed = newFeed(ctx, targets, s.p.resolve, s.opts.Family)
	defer s.feed.end()
	s.timer = time.NewTimer(0)
	defer s.timer.Stop()
	err := s.run(ctx)
	s.report(true)
	return err
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
		s.report(false)
	}
}

func (s *sweep) finished() bool {
	return !s.more && len(s.turns) == 0 && s.next == len(s.drawn) && s.hosts.len() == 0 && len(s.op.Ready()) == 0
}

// admit takes targets from the feed while there are places.
func (s *sweep) admit() error {
	for !s.closed {
		if n := len(s.turns); n > 0 {
			t := s.turns[n-1]
			s.turns = s.turns[:n-1]
			if err := s.begin(t); err != nil {
				return err
			}
			continue
		}
		if !s.wants() {
			return nil
		}
		if s.next == len(s.drawn) {
			s.drawn, s.more = s.feed.take(s.drawn)
			s.next = 0
			if len(s.drawn) == 0 {
				return nil
			}
		}
		t := s.drawn[s.next]
		s.next++
		if t.err == nil && !s.hosts.claim(t) {
			continue
		}
		if err := s.begin(t); err != nil {
			return err
		}
	}
	return nil
}

// sweepAhead is how many hosts wait to be sent their first request. More would
// only take memory.
const sweepAhead = 4 * sweepBatchSize

// wants tells whether another target can be taken and is needed.
func (s *sweep) wants() bool { return s.hosts.room() && s.fresh.len() < sweepAhead }

// begin gives a target its place. One that cannot be sent to is completed at
// once; an error is what concerns all of them.
func (s *sweep) begin(t target) error {
	host := &Host{Name: t.name, Address: t.addr}
	host.KeepRTTs(s.opts.Count)
	if t.err != nil {
		host.Err = t.err
		s.complete(t.index, host)
		return nil
	}
	pool, err := s.pool(host)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, net.ErrClosed) {
		return err
	}
	if err != nil {
		host.Err = err
		s.handOver(t.addr)
		s.complete(t.index, host)
		return nil
	}
	s.fresh.push(s.hosts.add(sweepHost{host: host, pool: pool, index: t.index}))
	return nil
}

// handOver gives an address to the target that waits for it, if there is one.
func (s *sweep) handOver(addr netip.Addr) {
	if next, ok := s.hosts.release(addr); ok {
		s.turns = append(s.turns, next)
	}
}

func (s *sweep) pool(h *Host) (*engine.Pool, error) {
	key, err := s.opts.Packet.key(&s.p.cfg, h.Address)
	if err != nil {
		return nil, err
	}
	return s.p.pool(key)
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

// wait waits until something can be done.
func (s *sweep) wait(ctx context.Context) error {
	var drawn chan struct{}
	if s.more && s.wants() {
		drawn = s.feed.ready
	}
	var due <-chan time.Time
	if at, ok := s.nextDue(); ok {
		s.timer.Reset(time.Until(at))
		due = s.timer.C
	}
	select {
	case <-s.op.Ready():
		s.take()
	case <-drawn:
	case <-due:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.p.closed:
		return net.ErrClosed
	}
	return nil
}

// nextDue returns when the next request may leave.
func (s *sweep) nextDue() (at time.Time, ok bool) {
	switch {
	case s.fresh.len() > 0:
		return s.gate, true
	case s.again.len() > 0:
		at = s.hosts.places[s.again.first()].due
		if s.gate.After(at) {
			at = s.gate
		}
		return at, true
	}
	return at, false
}

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
	if !o.Fate.Settles() {
		return
	}
	if r.Status == StatusReply {
		s.progress.PacketsReceived++
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
	s.handOver(host.Address)
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

// report tells the caller how far it has come.
func (s *sweep) report(last bool) {
	if s.opts.Progress == nil {
		return
	}
	now := time.Now()
	if !last && now.Sub(s.reported) < progressEvery {
		return
	}
	s.reported = now
	s.progress.Targets = s.feed.count()
	s.opts.Progress(s.progress)
}
