package engine

import (
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

	// sending holds a token for whoever sends; what follows is his.
	sending  chan struct{}
	out      [maxSend]outgoing
	unlooked int // probes that may leave before the receive buffer is looked at

	right right // to read the socket

	turn atomic.Int32 // probes that whoever sends is about to send

	mu       sync.Mutex
	core     core
	closed   bool
	armed    bool          // a read deadline is set
	armedFor time.Duration // to this
	expired  time.Duration // when probes were last expired
	failing  time.Time     // since when receiving fails; the zero time: it does not

	done   chan struct{} // closed by close
	reader sync.WaitGroup
}

// newEngine starts an engine on a medium, which it closes when it is closed itself.
func newEngine(medium Medium, log *slog.Logger) *Engine {
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
	e.core.id, e.core.epoch = medium.id(), time.Now()
	e.core.table.begin()
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
	// sendTurn is how many probes one caller sends before the next has his turn.
	// The receive buffer is looked at as often, or read by who drives.
	sendTurn = 16

	// maxBacklog is how full the socket's own receive buffer may be before
	// sending waits for the reader: what has no room in it is lost, and would
	// look like a loss of the network.
	maxBacklog = 0.25
)

// Why an engine cannot take a probe now. That the kernel has no room for it, see
// [socket.IsBusy], is another reason.
var (
	errFull    = errors.New("all sequence numbers are in flight")
	errBacklog = errors.New("the receive buffer fills faster than it is read")
)

// send sends probes in order and sets Sent in each. It returns how many were
// sent, and if not all, why the next one was not; the ones after it have not
// been tried. It waits for whoever else sends, and for nothing else.
func (e *Engine) send(ctx context.Context, op *Op, probes []Probe) (n int, err error) {
	for n < len(probes) {
		k, err := e.sendInTurn(ctx, op, probes[n:])
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// sendInTurn sends what goes in a turn. Others that send come between two turns,
// so that none of them waits for long.
func (e *Engine) sendInTurn(ctx context.Context, op *Op, probes []Probe) (n int, err error) {
	if err := e.acquire(ctx); err != nil {
		return 0, err
	}
	defer func() {
		e.turn.Store(0)
		<-e.sending
	}()
	probes = probes[:min(len(probes), sendTurn)]
	drives := op.drives && e.right.take(e, len(probes))
	if !drives && e.unlooked <= 0 {
		if e.medium.Backlog() > maxBacklog {
			return 0, errBacklog
		}
		e.unlooked = sendTurn
	}
	for n < len(probes) && err == nil {
		e.turn.Store(int32(len(probes) - n))
		var k int
		k, err = e.sendBatch(op, probes[n:min(len(probes), n+maxSend)])
		n += k
	}
	if drives {
		e.drain()
		e.right.lend()
		return n, err
	}
	e.unlooked -= n
	return n, err
}

// sendBatch sends up to maxSend probes by as few system calls as the medium needs.
// They are in the table before the kernel gets them: on a loopback interface a
// reply is there before the call returns.
func (e *Engine) sendBatch(op *Op, probes []Probe) (n int, err error) {
	k, launchErr := e.launch(op, probes)
	if k == 0 {
		return 0, launchErr
	}
	n, err = e.medium.send(e.out[:k])
	e.ended(e.out[:k], n, err)
	for i := range n {
		probes[i].Sent = e.out[i].at
	}
	if err == nil {
		err = launchErr
	}
	return n, err
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
			dst:      p.Dst,
			seq:      seq,
			nonce:    nonce,
			payload:  op.payload.appendTo(out.payload[:0], nonce, seq),
			numbered: op.payload.numbered,
			ttl:      p.TTL,
			class:    op.class,
			timeout:  op.timeout + lateness,
			flow:     p.Flow,
		}
	}
	return len(probes), nil
}

// ended ends the launch of a batch of which the kernel took n.
func (e *Engine) ended(batch []outgoing, n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range batch {
		if i < n {
			e.core.commit(batch[i].seq, e.since(batch[i].at))
		} else {
			e.core.abort(batch[i].seq)
		}
	}
	if socket.IsBusy(err) {
		e.core.counters.Busy++
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
	// arrives that the socket's queue never runs empty.
	maxLag = time.Second

	// nap is how long the reader lets messages gather while somebody sends many
	// probes in a turn. Where replies come at once it would be woken for nearly
	// each of them; reading a few together saves a tenth of what a probe costs
	// (docs/benchmarks.md). How long a message waits is part of no round-trip
	// time.
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
	horizon := max(e.since(e.medium.Drained()), e.since(time.Now())-maxLag)
	if next, ok := e.core.table.nextDeadline(); ok && next <= horizon {
		e.core.loss.look(e.medium.Counters().Dropped, e.since(time.Now()))
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
		return // whoever drives looks himself
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
