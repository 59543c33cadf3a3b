package engine

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/socket"
)

// Engine sends probes over one socket and settles them. A [Pool] has as many engines as
// it needs.
type Engine struct {
	medium Medium
	log    *slog.Logger

	// sending holds a token for the sender, which owns the next three fields.
	sending  chan struct{}
	out      [maxSend]outgoing
	unlooked int // probes that may leave before the next look at the receive buffer

	buffer   receiveBuffer
	lookFrom int // a read of so many messages means that the buffer may be full

	right right // to read the socket

	turn atomic.Int32 // probes that the sender is about to send

	mu       sync.Mutex
	core     core
	governor governor
	closed   bool
	armed    bool          // a read deadline is set
	armedFor time.Duration // to this
	expired  time.Duration // when probes were last expired
	reading  progress      // the time up to which all messages were read
	failing  time.Time     // when receiving began to fail; the zero time: it works

	done   chan struct{} // closed by close
	reader sync.WaitGroup
}

// newEngine starts an engine on a medium. The engine's close closes the medium. Its
// receive buffer grows within a budget.
func newEngine(medium Medium, log *slog.Logger, budget *Budget) *Engine {
	e := &Engine{
		medium:  medium,
		log:     log,
		sending: make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	for i := range e.out {
		e.out[i].payload = []byte{} // not nil, which would mean a generated payload
	}
	e.right.init()
	size := e.buffer.init(medium.link(), budget)
	e.lookFrom = 1 // a buffer of unknown size may have room for any number
	if size > 0 {
		e.lookFrom = max(1, min(readBatch, int(maxBacklog*float64(size)/leastMessage)))
	}
	e.governor.begin(size)
	e.core.id, e.core.epoch = medium.id(), time.Now()
	e.core.table.begin()
	e.core.traced, _ = medium.(*traced)
	e.reader.Go(e.read)
	return e
}

// close closes the socket and waits until no part of the engine runs any more. The
// caller must call it only once.
func (e *Engine) close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()

	close(e.done)
	err := e.medium.Close()
	e.reader.Wait()
	e.buffer.release()
	return err
}

// counters returns the counts so far.
func (e *Engine) counters() Counters {
	below := e.medium.Counters()
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.core.counters
	c.Foreign += below.Foreign
	c.Malformed += below.Malformed
	c.Dropped = below.Dropped
	return c
}

// since returns the time from the engine's epoch to t.
func (e *Engine) since(t time.Time) time.Duration { return t.Sub(e.core.epoch) }

const (
	// sendTurn is the number of probes that a caller sends before the next caller has
	// its turn, and before a driver reads the answers.
	sendTurn = 32

	// lookEvery is the number of probes that a sender that is not the reader sends
	// between two looks at the receive buffer.
	lookEvery = 16
)

// Reasons why an engine cannot take a probe now. Another one is that the kernel has no
// room for it: see [socket.IsBusy].
var (
	errFull    = errors.New("all sequence numbers are in flight")
	errBacklog = errors.New("the receive buffer fills faster than it is read")
	errPaced   = errors.New("more than this host can listen to would be sent")
)

// send sends the probes of one turn in order, and sets Sent in each. It returns how many it
// sent and the error of the next one. It waits only for other senders, which may send
// between two turns.
//
// Probes enter the table before the kernel gets them, because on a loopback interface a
// reply arrives before the call returns.
func (e *Engine) send(ctx context.Context, op *Op, probes []Probe) (n int, err error) {
	if err := e.acquire(ctx); err != nil {
		return 0, err
	}
	defer func() {
		e.turn.Store(0)
		<-e.sending
	}()
	turn := lookEvery
	if op.cfg.Drives && e.right.take(e, len(probes)) {
		turn = sendTurn
		defer func() {
			e.drain()
			e.right.lend()
		}()
	} else if e.unlooked <= 0 {
		if e.medium.Backlog() > maxBacklog {
			e.look(0)
			return 0, errBacklog
		}
		e.unlooked = lookEvery
	}
	probes = probes[:min(len(probes), turn)]
	may := e.allowed(len(probes))
	for n < may && err == nil {
		e.turn.Store(int32(may - n))
		batch := probes[n:min(may, n+maxSend)]
		var k, sent int
		if k, err = e.launch(op, batch); k > 0 {
			var sendErr error
			sent, sendErr = e.medium.send(e.out[:k])
			e.ended(batch[:k], sent, sendErr)
			err = cmp.Or(sendErr, err)
		}
		n += sent
	}
	e.unlooked -= n
	if err == nil && n < len(probes) {
		err = errPaced
	}
	return n, err
}

// allowed returns how many of n probes may leave now.
func (e *Engine) allowed(n int) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.governor.limits() {
		return n
	}
	roundTrip := time.Duration(0)
	if e.governor.starts() {
		roundTrip = e.core.loss.longest()
	}
	return e.governor.allow(n, roundTrip, e.since(time.Now()))
}

// look checks how full the receive buffer is, after n messages were read, and whether it
// dropped messages. If necessary, look grows the buffer and slows sending.
func (e *Engine) look(n int) {
	backlog := e.medium.Backlog()
	if size := e.buffer.bytes(); size > 0 { // n says nothing about a buffer of unknown size
		backlog += float64(n*leastSize) / float64(size)
	}
	dropped := e.medium.Counters().Dropped
	m, _ := e.medium.link().(moded)
	uncounted := m != nil && m.Mode() == socket.Datagram
	e.mu.Lock()
	now := e.since(time.Now())
	lost := e.core.loss.look(dropped, uncounted && backlog >= fullBacklog, now)
	e.governor.see(backlog, lost, e.core.loss.longest(), now)
	e.mu.Unlock()
	if lost || backlog > maxBacklog {
		e.buffer.grow()
	}
}

// acquire makes the caller the sender.
func (e *Engine) acquire(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case e.sending <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-e.done:
		return net.ErrClosed
	}
}

// launch puts probes into flight and fills e.out. It returns how many and, if not all, the
// error of the next one.
func (e *Engine) launch(op *Op, probes []Probe) (n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return 0, net.ErrClosed
	}
	if e.core.deaf != nil {
		return 0, e.core.deaf
	}
	ref, now := op.join(e), e.since(time.Now())
	for i := range probes {
		p, out := &probes[i], &e.out[i]
		seq, nonce, ok := e.core.launch(op, ref, p, now)
		if !ok {
			return i, errFull
		}
		*out = outgoing{
			dst:     p.Dst,
			seq:     seq,
			nonce:   nonce,
			payload: op.payload.appendTo(out.payload[:0], nonce, op.payload.number(seq, p.Dst)),
			balance: op.payload.balanceAt(),
			ttl:     p.TTL,
			class:   op.cfg.TrafficClass,
			timeout: op.cfg.Timeout,
			flow:    p.Flow,
		}
	}
	return len(probes), nil
}

// ended ends the launch of probes, the first n of which the kernel took.
func (e *Engine) ended(probes []Probe, n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range probes {
		out := &e.out[i]
		if i >= n {
			e.core.abort(out.seq)
			continue
		}
		probes[i].Sent = out.at
		e.core.commit(out.seq, e.since(out.at))
	}
	if socket.IsBusy(err) {
		e.core.counters.Busy++
	}
	if n > 0 {
		e.governor.sent(n, e.since(e.out[n-1].at))
	}
	e.arm()
}

// room returns how many more probes the engine can have in flight.
func (e *Engine) room() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return sequences - e.core.table.inFlight
}

const (
	readBatch = 64

	// expireEvery is the shortest time between two wakes of the reader that only
	// expire probes. It reports silence at most that much late, and does not
	// accept a later reply because of it.
	expireEvery = time.Millisecond

	// maxLag limits how long silence stays unreported if so many messages arrive
	// that the socket's queue never runs empty: to twice maxLag. Only time spent
	// reading counts, and no pause between two reads counts more than maxPause:
	// messages that came while the process was stopped are still in the queue.
	maxLag   = time.Second
	maxPause = 10 * time.Millisecond

	// nap is how long the reader lets messages gather while a sender sends many probes
	// in a turn. If replies arrive at once, nearly each would wake the reader; reading
	// a few together saves a tenth of the cost of a probe (docs/benchmarks.md).
	// Round-trip times do not include the wait.
	nap      = 50 * time.Microsecond
	napTurn  = 4 // probes of the turn that are not sent yet
	napBelow = readBatch / 4

	// errorPause keeps a socket that fails repeatedly, as with its interface
	// down, from using all of a processor.
	errorPause = 10 * time.Millisecond

	// deafAfter is how long receiving must fail before the engine stops sending.
	deafAfter = time.Second
)

// read receives until the socket is closed. It continues after other errors, because an
// interface that went away may come back. For errors that last, see hear.
func (e *Engine) read() {
	for {
		n, err := e.medium.receive()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		deadline := errors.Is(err, os.ErrDeadlineExceeded)
		if deadline {
			err = nil
		}
		e.hear(err)
		if n >= e.lookFrom {
			e.look(n)
		}
		e.settle(n, deadline)
		if e.right.makeWay(e) {
			return
		}
		if n < napBelow && e.turn.Load() >= napTurn {
			sys.Nap(nap)
		}
		if err != nil && e.pauseReading() {
			return
		}
	}
}

// hear notes whether receiving works. If the system cannot receive at all (ENOSYS), or
// receiving has failed for deafAfter, the engine is deaf: send fails with the cause until
// receiving works again.
func (e *Engine) hear(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err == nil:
		e.failing, e.core.deaf = time.Time{}, nil
		return
	case e.failing.IsZero():
		e.failing = time.Now()
		e.log.Warn("receiving failed", "error", err)
	}
	if e.core.deaf == nil && (errors.Is(err, errors.ErrUnsupported) || time.Since(e.failing) >= deafAfter) {
		e.core.deaf = err
		e.log.Error("nothing can be received", "error", err)
	}
}

// pauseReading waits a little, and reports whether the engine was closed.
func (e *Engine) pauseReading() bool {
	timer := time.NewTimer(errorPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-e.done:
		return true
	}
}

// settle delivers the n received messages and expires overdue probes.
func (e *Engine) settle(n int, deadline bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range n {
		e.medium.deliver(i, &e.core)
	}
	if deadline {
		e.disarm()
	}
	drained, now := e.since(e.medium.Drained()), e.since(time.Now())
	if n < e.lookFrom {
		e.core.loss.nothing(drained)
	}
	horizon := e.reading.horizon(drained, now)
	if next, ok := e.core.table.nextDeadline(); ok && next <= horizon {
		e.core.loss.look(e.medium.Counters().Dropped, false, now)
		e.core.expire(horizon)
		e.expired = horizon
	}
	e.arm()
}

// disarm takes back a read deadline that has passed, which would end every
// further receive at once.
func (e *Engine) disarm() {
	e.armed = false
	e.setReadDeadline(time.Time{})
}

// arm sets the socket's read deadline for the next probe that will be overdue, unless an
// earlier deadline is set: the reader calls arm again when that passes.
func (e *Engine) arm() {
	next, ok := e.core.table.nextDeadline()
	if !ok || e.closed || e.right.state.Load() != rightRead {
		return // the driver looks itself
	}
	next = max(next, e.expired+expireEvery)
	if e.armed && e.armedFor <= next {
		return
	}
	e.armed, e.armedFor = true, next
	e.setReadDeadline(e.core.epoch.Add(next))
}

// setReadDeadline sets the read deadline. It fails only if the socket is closed, which
// the reader notices by itself.
func (e *Engine) setReadDeadline(t time.Time) { _ = e.medium.SetReadDeadline(t) }

// progress is how far the reader has come, even if the queue never runs empty. Callers pass
// the time as an argument.
type progress struct {
	drained time.Duration // when the queue was last known to be empty
	begun   time.Duration // when a look first found messages after that; 0: none did
	seen    time.Duration // the last look
	spent   time.Duration // time spent reading since begun
	read    time.Duration // messages from before were read, although the queue was not empty
}

// horizon notes a look at the queue, and returns the time up to which all messages that
// arrived have been received. If the queue does not run empty, messages count as read after
// maxLag of reading.
func (p *progress) horizon(drained, now time.Duration) time.Duration {
	switch {
	case drained != p.drained:
		p.drained, p.begun = drained, 0
	case p.begun == 0:
		p.begun, p.seen, p.spent = now, now, 0
	default:
		p.spent += min(now-p.seen, maxPause)
		p.seen = now
		if p.spent >= maxLag {
			p.read, p.begun = p.begun, 0
		}
	}
	return max(p.drained, p.read)
}
