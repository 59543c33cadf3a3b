package icmplib

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/hosts"
)

// StreamProbe is one packet for a [Stream] to send.
type StreamProbe struct {
	Dst netip.Addr // an address, with its zone if it is link-local
	Tag uint64     // the caller's own name for it, handed back with its result
	ProbeOptions
}

// StreamResult is the result of a [StreamProbe].
type StreamResult struct {
	Tag uint64 // that of the StreamProbe
	Result
}

// A Stream sends probes of any shape to any hosts and returns their results as they
// settle: it is [Prober.Probe] for very many packets. It has no goroutine, and probes that
// are sent together cost little more than their packets.
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
// no other way to make one: the zero value cannot be used, and says so.
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

// Send sends probes in order. Receive returns exactly one result for each. A probe whose
// options cannot be used, or that the system refuses, has the reason in its Cause. Send
// waits while there is no room for a packet, and while Receive has not returned the
// results of 131,072 probes: to send more than that, receive at the same time.
//
// The error is the context's cause if ctx ends, or [net.ErrClosed]; the probes that were
// not sent then have no result.
func (s *Stream) Send(ctx context.Context, probes []StreamProbe) error {
	if s.p == nil {
		return errStreamNotMade
	}
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
		dst := hosts.Target(p.Dst)
		place := s.add(streamRecord{p.Tag, dst, p.Packet.Protocol, op})
		s.places = append(s.places, place)
		s.batch = append(s.batch, p.Packet.probe(dst, uint64(place), p.Packet.ttl()))
	}
	return len(s.batch), s.flush(ctx, pool, op, probes)
}

// flush sends the batch, which was made of the first probes, at the Prober's rate. An error
// ends the operation.
func (s *Stream) flush(ctx context.Context, pool *engine.Pool, op *streamOp, probes []StreamProbe) error {
	for n := 0; n < len(s.batch); {
		together := s.p.pacer.Batch(len(s.batch) - n)
		if err := s.p.pacer.Wait(ctx, together); err != nil {
			s.takeBack(n)
			return err
		}
		sent, err := pool.Send(ctx, op.op, s.batch[n:n+together])
		n += sent
		if err == nil {
			continue
		}
		if wasStopped(ctx, err) {
			s.takeBack(n)
			return err
		}
		s.remove(s.places[n])
		s.refuse(&probes[n], err)
		n++
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
	s.inbox.Wake()
}

// Close ends the stream. What is in flight has no results any more, and calls
// that wait return [net.ErrClosed]. The Prober stays open.
func (s *Stream) Close() {
	if s.p == nil {
		return // it was not made
	}
	s.close()
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	for shape, op := range s.ops {
		op.op.Close()
		delete(s.ops, shape)
	}
}

// Receive waits for at least one result, and hands out as many as there are, up
// to the length of results. It returns how many. It ends with the context's
// cause when ctx ends, and with [net.ErrClosed] when the Stream or its Prober is
// closed.
func (s *Stream) Receive(ctx context.Context, results []StreamResult) (int, error) {
	if s.p == nil {
		return 0, errStreamNotMade
	}
	s.receiveMu.Lock()
	defer s.receiveMu.Unlock()
	for {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if n := s.collect(results); n > 0 || len(results) == 0 {
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
		case <-s.p.closed:
			return 0, net.ErrClosed
		}
	}
}

// Collect is Receive that does not wait: where there are no results it returns 0. With
// Ready, one goroutine can send, receive and do other things.
func (s *Stream) Collect(results []StreamResult) int {
	if s.p == nil {
		return 0
	}
	s.receiveMu.Lock()
	defer s.receiveMu.Unlock()
	n := s.collect(results)
	signal(s.room)
	return n
}

// Ready receives when there may be results to Collect. After one receive Collect is to
// be called until it returns less than it may.
func (s *Stream) Ready() <-chan struct{} {
	if s.p == nil {
		return nil
	}
	return s.inbox.Ready()
}

// errStreamNotMade is the error of the zero Stream.
var errStreamNotMade = errors.New("the Stream was not made by NewStream: call Prober.NewStream")

// collect hands out what there is.
func (s *Stream) collect(results []StreamResult) (n int) {
	n = s.collectRefused(results)
	for n < len(results) {
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
		r := s.remove(int(o.Tag))
		result := s.p.outcome(o, r.dst, r.protocol)
		result.Seq = 0
		results[n] = StreamResult{r.tag, result}
		n++
	}
	return n
}

// collectRefused hands out the results of probes that were not sent.
func (s *Stream) collectRefused(results []StreamResult) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := copy(results, s.refused)
	s.refused = s.refused[:copy(s.refused, s.refused[n:])]
	if len(s.refused) > 0 {
		signal(s.wake)
	}
	return n
}

// streamRecord is a probe in flight; its place in the Stream's records is what
// the engine knows it by.
type streamRecord struct {
	tag      uint64
	dst      netip.Addr
	protocol Protocol
	op       *streamOp
}

// add notes a probe that is about to be sent.
func (s *Stream) add(r streamRecord) (place int) {
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

// remove takes out the record of a probe that is settled, or was not sent.
func (s *Stream) remove(place int) streamRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[place]
	r.op.inFlight--
	s.records[place] = streamRecord{}
	s.free = append(s.free, place)
	return r
}

// streamShape is what probes have to have in common to be sent by one operation
// of the engine.
type streamShape struct {
	timeout  time.Duration
	class    int
	size     int
	protocol Protocol
	service  Service
	name     string // of the service
	payload  string
	custom   bool // payload is the caller's
	group    bool
	sourced  bool // replies have to come from the address that was probed
	unclear  bool // answers that do not say what they are to are wanted
}

func shapeOf(o *ProbeOptions, dst netip.Addr) streamShape {
	return streamShape{
		timeout:  o.Timeout,
		class:    o.Packet.TrafficClass,
		size:     o.Packet.size(),
		protocol: o.Packet.Protocol,
		service:  o.Packet.Service,
		name:     o.Packet.ServiceName,
		payload:  string(o.Packet.Payload),
		custom:   o.Packet.Payload != nil,
		group:    o.Packet.isGroup(dst),
		sourced:  o.Packet.RequireSource,
	}
}

// streamOp is an operation of the engine, and how many of its probes are in
// flight.
type streamOp struct {
	op       *engine.Op
	inFlight int // guarded by the Stream's mu
}

// maxStreamOps is how many operations are kept that may have nothing in flight.
const maxStreamOps = 64

// prepare finds the sockets and the operation for a probe.
func (s *Stream) prepare(p *StreamProbe) (*engine.Pool, *streamOp, error) {
	opts, err := p.ProbeOptions.withDefaults()
	if err != nil {
		return nil, nil, err
	}
	if opts.isQuery() {
		return nil, nil, &ConfigError{Field: "ExtendedEcho and Timestamp", Value: true, Allowed: "none in a Stream: Prober.Probe sends them"}
	}
	if !p.Dst.IsValid() {
		return nil, nil, &ConfigError{Field: "Dst", Value: p.Dst, Allowed: "an IP address"}
	}
	dst := hosts.Target(p.Dst)
	pool, err := s.p.poolFor(&opts.Packet, dst)
	if err != nil {
		return nil, nil, err
	}
	return pool, s.op(&opts, dst), nil
}

// op returns the operation for probes of a shape.
func (s *Stream) op(o *ProbeOptions, dst netip.Addr) *streamOp {
	shape := shapeOf(o, dst)
	if op := s.ops[shape]; op != nil {
		return op
	}
	if len(s.ops) >= maxStreamOps {
		s.retire()
	}
	cfg := s.p.opConfig(&o.Packet, o.Timeout, dst)
	cfg.Inbox, cfg.Drives = s.inbox, true
	op := &streamOp{op: engine.NewOp(cfg)}
	s.ops[shape] = op
	return op
}

// retire closes the operations that have nothing in flight.
func (s *Stream) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for shape, op := range s.ops {
		if op.inFlight == 0 {
			op.op.Close()
			delete(s.ops, shape)
		}
	}
}

// sameRun reports whether b can be sent together with a, which is valid.
func sameRun(a, b *StreamProbe) bool {
	x, y := &a.Packet, &b.Packet
	return b.Dst.IsValid() && !b.isQuery() && a.Dst.Unmap().Is4() == b.Dst.Unmap().Is4() && a.Timeout == b.Timeout &&
		x.Protocol == y.Protocol && x.Source == y.Source && x.Interface == y.Interface && x.Mark == y.Mark &&
		x.SourcePort == y.SourcePort && x.TrafficClass == y.TrafficClass && x.Size == y.Size &&
		x.Service == y.Service && x.ServiceName == y.ServiceName &&
		x.DontFragment == y.DontFragment && x.Broadcast == y.Broadcast &&
		x.isGroup(a.Dst) == y.isGroup(b.Dst) &&
		(x.Payload == nil) == (y.Payload == nil) && bytes.Equal(x.Payload, y.Payload) && variesWell(y)
}

// variesWell reports whether what may differ from probe to probe can be sent.
func variesWell(p *Packet) bool {
	return p.TTL >= 0 && p.TTL <= maxTTL && p.FlowLabel < 1<<20 &&
		(p.Protocol != ICMP || p.Port == 0 && p.FlowLabel == 0)
}

// signal puts a token into a channel that has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wasStopped reports whether sending failed because the operation is to end: by
// its context, or with the Prober.
func wasStopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, net.ErrClosed)
}

// endsOperation reports whether sending failed in a way that is the end of the
// operation, and no result of the packet: it was stopped, or has options that
// only the system knows to be wrong.
func endsOperation(ctx context.Context, err error) bool {
	return wasStopped(ctx, err) || isConfigError(err)
}

func isConfigError(err error) bool {
	_, ok := errors.AsType[*ConfigError](err)
	return ok
}

// LogValue returns the tag and what [Result.LogValue] has.
func (r StreamResult) LogValue() slog.Value {
	a := fields.Attrs{slog.Uint64("tag", r.Tag), slog.String("dst", addressText(r.Dst)), slog.String("status", r.Status.String())}
	logResult(&a, &r.Result)
	return a.Group()
}
