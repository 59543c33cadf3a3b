package engine

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/goicmp/icmplib/socket"
)

const (
	// sendTurn is how many probes one caller sends before the next has his turn.
	// The receive buffer, which costs a system call, is looked at as often.
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
	if e.unlooked <= 0 {
		if e.medium.Backlog() > maxBacklog {
			return 0, errBacklog
		}
		e.unlooked = sendTurn
	}
	probes = probes[:min(len(probes), sendTurn)]
	for n < len(probes) && err == nil {
		e.turn.Store(int32(len(probes) - n))
		if err = e.sendOne(op, &probes[n]); err == nil {
			n++
		}
	}
	e.unlooked -= n
	return n, err
}

// sendOne sends one probe by a system call of its own. Of several in one call
// the second leaves when the kernel has sent the first, and that time would be
// part of its round trip: batches of 16 made the mean RTT on loopback some
// fifteen times what it is, and saved no processor time that could be measured
// (docs/benchmarks.md).
func (e *Engine) sendOne(op *Op, p *Probe) error {
	if err := e.launch(op, p); err != nil {
		return err
	}
	if err := e.medium.send(&e.out); err != nil {
		e.abort(e.out.seq, err)
		return err
	}
	e.commit(e.out.seq, e.out.at)
	p.Sent = e.out.at
	return nil
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

// launch puts a probe into flight and makes out what to send. It is in the table
// before the kernel gets it: on a loopback interface the reply is there before
// the call returns.
func (e *Engine) launch(op *Op, p *Probe) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return net.ErrClosed
	}
	if e.core.deaf != nil {
		return e.core.deaf
	}
	seq, nonce, ok := e.core.launch(op, op.join(e), p, e.since(time.Now()))
	if !ok {
		return errFull
	}
	e.out = outgoing{
		dst:      p.Dst,
		seq:      seq,
		nonce:    nonce,
		payload:  op.payload.appendTo(e.out.payload[:0], nonce, seq),
		numbered: op.payload.numbered,
		ttl:      p.TTL,
		class:    op.class,
		timeout:  op.timeout + lateness,
		flow:     p.Flow,
	}
	return nil
}

// commit ends the launch of a probe that the kernel took.
func (e *Engine) commit(seq uint16, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.core.commit(seq, e.since(at))
	e.arm()
}

// abort takes back the launch of a probe that the kernel did not take.
func (e *Engine) abort(seq uint16, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.core.abort(seq)
	if socket.IsBusy(err) {
		e.core.counters.Busy++
	}
}

// room returns how many more probes the engine can have in flight.
func (e *Engine) room() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return sequences - e.core.table.inFlight
}
