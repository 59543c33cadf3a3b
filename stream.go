package icmplib

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"github.com/goicmp/icmplib/internal/engine"
)

// StreamProbe is one packet for a [Stream] to send.
type StreamProbe struct {
	Dst netip.Addr // an address, with its zone if it is link-local
	Tag uint64     // the caller's own name for it, handed back with its result
	ProbeOptions
}

// StreamResult is what became of a [StreamProbe].
type StreamResult struct {
	Tag uint64 // that of the StreamProbe
	Result
}

// A Stream sends probes of any shape to any hosts, and hands their results out
// as they are settled: what [Prober.Probe] is for one packet, for very many. It
// has no goroutine, and probes that are sent together cost little more than
// their packets.
//
// One goroutine may send while another receives.
type Stream struct {
	p     *Prober
	inbox *engine.Inbox

	sendMu sync.Mutex
	ops    map[streamShape]*streamOp
	batch  []engine.Probe
	places []int

	receiveMu sync.Mutex
	taken     []engine.Outcome
	next      int // of taken

	mu      sync.Mutex
	records []streamRecord
	free    []int
	refused []StreamResult
	wake    chan struct{} // holds a token while there may be refused ones
	room    chan struct{} // holds a token when results were handed out
	closed  context.Context
	close   context.CancelFunc
}

// NewStream returns a Stream on the Prober's sockets. It must be closed. There is
// no other way to make one: the zero value cannot be used.
func (p *Prober) NewStream() *Stream {
	closed, closeIt := context.WithCancel(context.Background())
	return &Stream{
		p:      p,
		inbox:  engine.NewInbox(),
		ops:    map[streamShape]*streamOp{},
		wake:   make(chan struct{}, 1),
		room:   make(chan struct{}, 1),
		closed: closed,
		close:  closeIt,
	}
}

// Send sends probes in order. Each of them has exactly one result, which Receive
// hands out: also one whose options cannot be used, or that the system refuses,
// with the reason in its Cause. While there is no room for a packet, Send waits,
// and also while Receive has not handed out the results of 131,072 probes: whoever
// sends more than that has to receive at the same time.
//
// The error is the context's cause when ctx ends, or [net.ErrClosed]; the probes
// that were not sent then have no result.
func (s *Stream) Send(ctx context.Context, probes []StreamProbe) error {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.closed, func() { cancel(net.ErrClosed) })()
	for len(probes) > 0 {
		room, err := s.waitRoom(ctx)
		if err != nil {
			return err
		}
		n, err := s.sendRun(ctx, probes[:min(len(probes), room)])
		if err != nil {
			return err
		}
		probes = probes[n:]
	}
	return nil
}

// maxOwed is how many results a Stream owes at most: of probes in flight, and of
// those that wait to be received.
const maxOwed = 1 << 17

// waitRoom waits until more results may be owed, and returns how many.
func (s *Stream) waitRoom(ctx context.Context) (int, error) {
	for {
		s.mu.Lock()
		owed := len(s.records) - len(s.free) + len(s.refused)
		s.mu.Unlock()
		if owed < maxOwed {
			return maxOwed - owed, nil
		}
		select {
		case <-s.room:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-s.p.closed:
			return 0, net.ErrClosed
		}
	}
}

// sendRun sends the first of the probes and those behind it that have its shape
// and its sockets, and returns how many those are.
func (s *Stream) sendRun(ctx context.Context, probes []StreamProbe) (n int, err error) {
	if s.closed.Err() != nil {
		return 0, net.ErrClosed
	}
	pool, op, err := s.prepare(&probes[0])
	if errors.Is(err, net.ErrClosed) {
		return 0, err
	}
	if err != nil {
		s.refuse(&probes[0], err)
		return 1, nil
	}
	s.batch, s.places = s.batch[:0], s.places[:0]
	for i := range probes {
		p := &probes[i]
		if i > 0 && !sameRun(&probes[0], p) {
			break
		}
		dst := thisHost(p.Dst.Unmap())
		place := s.add(streamRecord{p.Tag, dst, p.Packet.Protocol, op})
		s.places = append(s.places, place)
		s.batch = append(s.batch, p.Packet.probe(dst, uint64(place), p.Packet.ttl()))
	}
	return len(s.batch), s.flush(ctx, pool, op, probes)
}

// flush sends the batch that was made of the first probes.
func (s *Stream) flush(ctx context.Context, pool *engine.Pool, op *streamOp, probes []StreamProbe) error {
	for first := 0; first < len(s.batch); {
		n := s.p.pacer.Batch(len(s.batch) - first)
		if err := s.p.pacer.Wait(ctx, n); err != nil {
			s.takeBack(first)
			return err
		}
		sent, err := pool.Send(ctx, op.op, s.batch[first:first+n])
		first += sent
		if err == nil {
			continue
		}
		if wasStopped(ctx, err) {
			s.takeBack(first)
			return err
		}
		s.remove(s.places[first])
		s.refuse(&probes[first], err)
		first++
	}
	return nil
}

// takeBack forgets the probes of the batch from first on, which were not sent.
func (s *Stream) takeBack(first int) {
	for _, place := range s.places[first:] {
		s.remove(place)
	}
}

// refuse keeps the result of a probe that was not sent.
func (s *Stream) refuse(p *StreamProbe, err error) {
	s.mu.Lock()
	s.refused = append(s.refused, StreamResult{p.Tag, refusedResult(p.Dst, 0, p.Packet.ttl(), err)})
	s.mu.Unlock()
	signal(s.wake)
}

// Close ends the stream. What is in flight has no results any more, and calls
// that wait return [net.ErrClosed]. The Prober stays open.
func (s *Stream) Close() {
	s.close()
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	for shape, op := range s.ops {
		op.op.Close()
		delete(s.ops, shape)
	}
}
