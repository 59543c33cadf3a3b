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
