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

// admit takes targets while there are places.
func (s *sweep) admit() error {
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

// sweepAhead is how many hosts wait to be sent their first request. More would
// only take memory.
const sweepAhead = 4 * sweepBatchSize

// wants tells whether another target can be taken and is needed.
func (s *sweep) wants() bool {
	return s.hosts.len()+s.targets.waiting < maxSweepHosts && s.fresh.len() < sweepAhead
}

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
	pool, err := s.p.poolFor(&s.opts.Packet, host.Address)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, net.ErrClosed) {
		return err
	}
	if err != nil {
		host.Err = err
		s.targets.release(t.addr)
		s.complete(t.index, host)
		return nil
	}
	s.fresh.push(s.hosts.add(sweepHost{host: host, pool: pool, index: t.index}))
	return nil
}

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
	r := s.p.outcome(o, h.host.Address, s.opts.Packet.Protocol)
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

// The tag of a probe names its host's place, which host it is that has the
// place, and the ordinal of the probe.
const (
	seqBits        = 24
	placeBits      = 20
	generationBits = 64 - seqBits - placeBits
)

// maxSweepHosts bounds the hosts in flight, and with them the memory of a sweep.
const maxSweepHosts = 1 << 16

// sweepHost is a host in flight.
type sweepHost struct {
	host       *Host
	pool       *engine.Pool
	due        time.Time // when its next request may leave
	index      int       // of the target
	sent       int       // requests tried so far
	open       int       // those of them that have no fate yet
	generation uint32    // how many hosts had this place before
}

func makeTag(place int, generation uint32, seq int) uint64 {
	return uint64(generation)<<(placeBits+seqBits) | uint64(place)<<seqBits | uint64(seq)
}

func splitTag(tag uint64) (place int, generation uint32, seq int) {
	return int(tag >> seqBits & (1<<placeBits - 1)), uint32(tag >> (placeBits + seqBits)), int(tag & (1<<seqBits - 1))
}

// sweepHosts is the places of the hosts in flight.
type sweepHosts struct {
	places []sweepHost
	free   []int
}

func (h *sweepHosts) len() int { return len(h.places) - len(h.free) }

// add gives a host a place.
func (h *sweepHosts) add(s sweepHost) int {
	n := len(h.free)
	if n == 0 {
		h.places = append(h.places, s)
		return len(h.places) - 1
	}
	place := h.free[n-1]
	h.free = h.free[:n-1]
	s.generation = h.places[place].generation
	h.places[place] = s
	return place
}

// remove frees a place. What is still heard of the host finds another
// generation there.
func (h *sweepHosts) remove(place int) {
	s := &h.places[place]
	*s = sweepHost{generation: (s.generation + 1) & (1<<generationBits - 1)}
	h.free = append(h.free, place)
}

// find returns the host that a tag names, if it is still in flight.
func (h *sweepHosts) find(tag uint64) (place int, s *sweepHost, seq int) {
	place, generation, seq := splitTag(tag)
	if place >= len(h.places) {
		return 0, nil, 0
	}
	if s = &h.places[place]; s.host == nil || s.generation != generation {
		return 0, nil, 0
	}
	return place, s, seq
}

// ring is a queue of places.
type ring struct {
	items []int
	head  int
}

func (r *ring) len() int { return len(r.items) - r.head }

func (r *ring) push(place int) {
	if r.head > 1024 && r.head > len(r.items)/2 {
		r.items = r.items[:copy(r.items, r.items[r.head:])]
		r.head = 0
	}
	r.items = append(r.items, place)
}

func (r *ring) first() int { return r.items[r.head] }

func (r *ring) pop() int {
	place := r.items[r.head]
	r.head++
	if r.head == len(r.items) {
		r.items, r.head = r.items[:0], 0
	}
	return place
}
