// Package stream tracks probes of any shape that one goroutine sends and another receives:
// the probes in flight, the results owed, and the operations of the engine that send them.
package stream

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/goicmp/icmplib/internal/engine"
)

// MaxOwed is the largest number of results owed: of probes in flight, and results that wait
// to be received.
const MaxOwed = 1 << 17

// Stream sends probes. A P is the caller's record of a probe.
type Stream[P any] struct {
	pacer  *engine.Pacer
	ended  <-chan struct{}
	inbox  *engine.Inbox
	closed context.Context
	close  context.CancelFunc

	sendMu sync.Mutex
	ops    map[engine.OpConfig]*Op
	places []int // of the probes of a run

	receiveMu sync.Mutex
	taken     []engine.Outcome
	next      int // the index of the next one in taken

	mu      sync.Mutex
	records []record[P]
	free    []int
	refused []refusal[P]
	wake    chan struct{} // holds a token while there may be refused probes
	room    chan struct{} // holds a token when results were handed out
}

// record is a probe in flight; its place is its Tag for the engine.
type record[P any] struct {
	probe P
	op    *Op
}

// refusal is a probe that was not sent, and the reason.
type refusal[P any] struct {
	probe P
	err   error
}

// Op is an operation of the engine, with the number of its probes in flight.
type Op struct {
	op       *engine.Op
	inFlight int // guarded by the Stream's mu
}

// Run is probes that leave together, over the same sockets and by the same operation.
type Run[P any] struct {
	Pool   *engine.Pool
	Op     *Op
	Sent   []engine.Probe // the Stream sets their tags
	Probes []P            // the caller's records of the same probes
}

// New returns a stream whose probes leave at the rate of the pacer. It ends when the channel
// ended is closed.
func New[P any](pacer *engine.Pacer, ended <-chan struct{}) *Stream[P] {
	closed, closeIt := context.WithCancel(context.Background())
	return &Stream[P]{
		pacer: pacer, ended: ended, inbox: engine.NewInbox(), closed: closed, close: closeIt,
		ops: map[engine.OpConfig]*Op{}, wake: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
}

// Send sends the given number of probes. run returns the probes from index first on that
// leave together, at least one and at most most; its error refuses the probe at first. Runs
// may share their slices. Send waits while there is no room for results.
func (s *Stream[P]) Send(ctx context.Context, probes int, run func(first, most int) (Run[P], error)) error {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.closed, func() { cancel(net.ErrClosed) })()
	for first := 0; first < probes; {
		room, err := s.waitRoom(ctx)
		if err != nil {
			return err
		}
		if s.closed.Err() != nil {
			return net.ErrClosed
		}
		r, err := run(first, min(probes-first, room))
		switch {
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			s.refuse(r.Probes[0], err)
			first++
			continue
		}
		if err := s.send(ctx, &r); err != nil {
			return err
		}
		first += len(r.Sent)
	}
	return nil
}

// Owed returns how many results are owed.
func (s *Stream[P]) Owed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records) - len(s.free) + len(s.refused)
}

// waitRoom waits until more results may be owed, and returns how many more.
func (s *Stream[P]) waitRoom(ctx context.Context) (int, error) {
	for {
		if owed := s.Owed(); owed < MaxOwed {
			return MaxOwed - owed, nil
		}
		select {
		case <-s.room:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-s.ended:
			return 0, net.ErrClosed
		}
	}
}

// send sends a run at the rate of the pacer. An error ends the Send.
func (s *Stream[P]) send(ctx context.Context, r *Run[P]) error {
	s.places = s.places[:0]
	for i := range r.Sent {
		place := s.add(record[P]{r.Probes[i], r.Op})
		s.places = append(s.places, place)
		r.Sent[i].Tag = uint64(place)
	}
	for n := 0; n < len(r.Sent); {
		together := s.pacer.Batch(len(r.Sent) - n)
		if err := s.pacer.Wait(ctx, together); err != nil {
			s.takeBack(n)
			return err
		}
		sent, err := r.Pool.Send(ctx, r.Op.op, r.Sent[n:n+together])
		n += sent
		if err == nil {
			continue
		}
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			s.takeBack(n)
			return err
		}
		s.remove(s.places[n])
		s.refuse(r.Probes[n], err)
		n++
	}
	return nil
}

// takeBack forgets the probes of a run from first on, which were not sent.
func (s *Stream[P]) takeBack(first int) {
	for _, place := range s.places[first:] {
		s.remove(place)
	}
}

// refuse keeps a probe that was not sent, with the reason.
func (s *Stream[P]) refuse(probe P, err error) {
	s.mu.Lock()
	s.refused = append(s.refused, refusal[P]{probe, err})
	s.mu.Unlock()
	signal(s.wake)
	s.inbox.Wake()
}

// add adds the record of a probe that is about to be sent.
func (s *Stream[P]) add(r record[P]) (place int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.op.inFlight++
	if n := len(s.free); n > 0 {
		place = s.free[n-1]
		s.free = s.free[:n-1]
		s.records[place] = r
		return place
	}
	s.records = append(s.records, r)
	return len(s.records) - 1
}

// remove removes the record of a probe that is settled, or was not sent.
func (s *Stream[P]) remove(place int) P {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[place]
	r.op.inFlight--
	s.records[place] = record[P]{}
	s.free = append(s.free, place)
	return r.probe
}

// Take takes the result of a probe, an outcome or the reason why the probe was not sent, with
// its place among the results that the call hands out.
type Take[P any] func(place int, probe *P, o *engine.Outcome, err error)

// Receive waits for at least one result, hands out all results up to most, and returns how
// many.
func (s *Stream[P]) Receive(ctx context.Context, most int, take Take[P]) (int, error) {
	s.receiveMu.Lock()
	defer s.receiveMu.Unlock()
	for {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if n := s.collect(most, take); n > 0 || most == 0 {
			signal(s.room)
			return n, nil
		}
		select {
		case <-s.inbox.Ready():
		case <-s.wake:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-s.closed.Done():
			return 0, net.ErrClosed
		case <-s.ended:
			return 0, net.ErrClosed
		}
	}
}

// Collect is Receive without waiting.
func (s *Stream[P]) Collect(most int, take Take[P]) int {
	s.receiveMu.Lock()
	defer s.receiveMu.Unlock()
	n := s.collect(most, take)
	signal(s.room)
	return n
}

// Ready receives when there may be results to Collect.
func (s *Stream[P]) Ready() <-chan struct{} { return s.inbox.Ready() }

// collect hands out the results that there are.
func (s *Stream[P]) collect(most int, take Take[P]) (n int) {
	n = s.collectRefused(most, take)
	for n < most {
		if s.next == len(s.taken) {
			s.taken, s.next = s.inbox.Take(s.taken), 0
			if len(s.taken) == 0 {
				break
			}
		}
		o := &s.taken[s.next]
		s.next++
		if !o.Fate.Settles() {
			continue // its record may be another probe's by now
		}
		probe := s.remove(int(o.Tag))
		take(n, &probe, o, nil)
		n++
	}
	return n
}

// collectRefused hands out the probes that were not sent.
func (s *Stream[P]) collectRefused(most int, take Take[P]) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(most, len(s.refused))
	for i := range n {
		take(i, &s.refused[i].probe, nil, s.refused[i].err)
	}
	s.refused = s.refused[:copy(s.refused, s.refused[n:])]
	if len(s.refused) > 0 {
		signal(s.wake)
	}
	return n
}

// maxOps is the number of operations from which on retire closes unused ones.
const maxOps = 64

// Op returns the operation for probes of a kind. Only the run function of a Send may call it.
func (s *Stream[P]) Op(cfg engine.OpConfig) *Op {
	cfg.Inbox, cfg.Drives = s.inbox, true
	if op := s.ops[cfg]; op != nil {
		return op
	}
	if len(s.ops) >= maxOps {
		s.retire()
	}
	op := &Op{op: engine.NewOp(cfg)}
	s.ops[cfg] = op
	return op
}

// retire closes the operations without probes in flight.
func (s *Stream[P]) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for cfg, op := range s.ops {
		if op.inFlight == 0 {
			op.op.Close()
			delete(s.ops, cfg)
		}
	}
}

// Close ends the stream: calls that wait return [net.ErrClosed], and probes in flight have no
// results.
func (s *Stream[P]) Close() {
	s.close()
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	for cfg, op := range s.ops {
		op.op.Close()
		delete(s.ops, cfg)
	}
}

// signal puts a token into a channel that has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
