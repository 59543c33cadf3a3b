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

// Engine sends probes over one socket and settles their fates. A [Pool] has as
// many as it needs.
type Engine struct {
	medium Medium
	log    *slog.Logger

	// sending holds a token for the sender, which owns the next three fields.
	sending  chan struct{}
	out      [maxSend]outgoing
	unlooked int // probes that may leave before the receive buffer is looked at

	buffer   receiveBuffer
	lookFrom int // how many messages read together say that the buffer may be full

	right right // to read the socket

	turn atomic.Int32 // probes that the sender is about to send

	mu       sync.Mutex
	core     core
	governor governor
	closed   bool
	armed    bool          // a read deadline is set
	armedFor time.Duration // to this
	expired  time.Duration // when probes were last expired
	reading  progress      // up to when all that arrived was read
	failing  time.Time     // since when receiving fails; the zero time: it does not

	done   chan struct{} // closed by close
	reader sync.WaitGroup
}

// newEngine starts an engine on a medium, which it closes when it is closed itself.
// Its receive buffer grows within a budget.
func newEngine(medium Medium, log *slog.Logger, budget *Budget) *Engine {
	e := &Engine{
		medium:  medium,
		log:     log,
		sending: make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	for i := range e.out {
		e.out[i].payload = []byte{} // not nil, which stands for none given
	}
	e.right.init()
	size := e.buffer.init(medium.link(), budget)
	e.lookFrom = 1 // nothing is known of what a buffer of unknown size has room for
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

// close closes the socket and waits until nothing of the engine runs any more.
// It is called once.
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

// counters returns what was counted so far.
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

// since measures a moment from the engine's epoch.
func (e *Engine) since(t time.Time) time.Duration { return t.Sub(e.core.epoch) }

const (
	// sendTurn is how many probes a caller sends before the next one has its turn, and
	// before a driver reads the answers.
	sendTurn = 32

	// lookEvery is how many probes a sender that is not the reader sends between two
	// looks at the receive buffer.
	lookEvery = 16
)

// Why an engine cannot take a probe now. That the kernel has no room for it, see
// [socket.IsBusy], is another reason.
var (
	errFull    = errors.New("all sequence numbers are in flight")
	errBacklog = errors.New("the receive buffer fills faster than it is read")
	errPaced   = errors.New("more than this host can listen to would be sent")
)

// send sends probes in order, as many as go in a turn, and sets Sent in each. It
// returns how many were sent; an error is why the next one was not. It waits only for
// other senders, which come between two turns.
//
// Probes are in the table before the kernel gets them: on a loopback interface a reply is
// there before the call returns.
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

// look looks how full the receive buffer is, after n messages were read, and what it
// had no room for. It grows if need be, and sending slows.
func (e *Engine) look(n int) {
	backlog := e.medium.Backlog()
	if size := e.buffer.bytes(); size > 0 { // of one of unknown size, what was read says nothing
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

// acquire makes the caller the one who sends.
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

// launch puts probes into flight and makes out what to send. It returns how many,
// and if not all, why not the next one.
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

// ended ends the launch of probes of which the kernel took n.
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

	// expireEvery bounds how often the reader wakes only to find probes
	// overdue. Silence is reported that much late at the most, and no reply
	// profits from it.
	expireEvery = time.Millisecond

	// maxLag bounds for how long silence goes unreported because so much
	// arrives that the socket's queue never runs empty: to twice as long. Only time in
	// which messages were read counts, of which no pause between two reads is more than
	// maxPause: what came while the process was stopped is still in the queue.
	maxLag   = time.Second
	maxPause = 10 * time.Millisecond

	// nap is how long the reader lets messages gather while a sender sends many probes
	// in a turn. If replies arrive at once, nearly each would wake the reader; reading
	// a few together saves a tenth of the cost of a probe (docs/benchmarks.md).
	// Round-trip times do not include the wait.
	nap      = 50 * time.Microsecond
	napTurn  = 4 // probes that are still to be sent
	napBelow = readBatch / 4

	// errorPause keeps a socket that fails again and again, as with its
	// interface down, from keeping the processor busy.
	errorPause = 10 * time.Millisecond

	// deafAfter is for how long receiving has to fail before no more is sent.
	deafAfter = time.Second
)

// read receives until the socket is closed. Other errors pass: an interface
// that went away may come back. While they do not, see hear.
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

// hear notes whether receiving works. If it never will, as where a system has not
// the call (ENOSYS), or has not for deafAfter, the engine is deaf: it sends no
// more probes, and says why, until it hears again.
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

// settle takes the n messages that were received and expires what is overdue.
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

// arm sets the socket's read deadline for the next probe that will be overdue,
// unless the one that is set comes first: it is then set anew when it passes.
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

// setReadDeadline fails only when the socket is closed, which the reader sees by
// itself.
func (e *Engine) setReadDeadline(t time.Time) { _ = e.medium.SetReadDeadline(t) }

// progress is how far what arrives was read, by a reader who may never see the queue
// empty. Every moment is an argument.
type progress struct {
	drained time.Duration // up to when the queue was last seen empty
	begun   time.Duration // when it was first seen not to be since; 0: it was empty
	seen    time.Duration // when it was last looked at
	spent   time.Duration // on reading, since begun
	read    time.Duration // what arrived before was read, though the queue was not empty
}

// horizon takes a look at the queue, and returns the moment up to which all that arrived
// has been received. Where the queue does not run empty, what was in it is taken to have
// been read when reading went on for maxLag.
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
