package engine

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/goicmp/icmplib/socket"
)

const (
	// sendBatch is how many probes share a time of sending. It is one, for the
	// second of a batch leaves when the kernel has sent the first, and that time
	// would be part of its round trip: batches of 16 made the mean RTT on
	// loopback some fifteen times what it is, and saved no processor time that
	// could be measured (docs/benchmarks.md).
	sendBatch = 1

	// sendTurn is how many probes one caller sends before the next has his turn.
	// The receive buffer, which costs a system call, is looked at as often.
	sendTurn = 16

	// maxBacklog is how full the socket's own receive buffer may be before
	// sending waits for the reader: what has no room in it is lost, and would
	// look like a loss of the network.
	maxBacklog = 0.25
)

// Why an engine cannot take a probe now.
var (
	errFull      = errors.New("all sequence numbers are in flight")
	errBacklog   = errors.New("the receive buffer fills faster than it is read")
	errBusy      = errors.New("the kernel has no room for a packet")
	errNoneTaken = errors.New("no packet was taken")
)

// send sends probes in order and sets Sent in each. It returns how many were
// sent, and if not all, why the next one was not; the ones after it have not
// been tried. It waits for whoever else sends, and for nothing else.
func (e *Engine) send(ctx context.Context, op *Op, probes []Probe) (n int, err error) {
	for n < len(probes) {
		k, err := e.sendOnce(ctx, op, probes[n:])
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// sendOnce sends what goes in a turn. Others that send come between two turns,
// so that none of them waits for long.
func (e *Engine) sendOnce(ctx context.Context, op *Op, probes []Probe) (n int, err error) {
	if err := e.acquire(ctx); err != nil {
		return 0, err
	}
	defer func() {
		e.turn.Store(0)
		<-e.sending
	}()
	if e.unlooked <= 0 {
		if e.medium.backlog() > maxBacklog {
			return 0, errBacklog
		}
		e.unlooked = sendTurn
	}
	for n < min(len(probes), sendTurn) && err == nil {
		e.turn.Store(int32(min(len(probes), sendTurn) - n))
		var k int
		k, err = e.sendTogether(op, probes[n:])
		n += k
	}
	e.unlooked -= n
	return n, err
}

// sendTogether sends what shares a time of sending.
func (e *Engine) sendTogether(op *Op, probes []Probe) (n int, err error) {
	k, err := e.launch(op, probes)
	if err != nil {
		return 0, err
	}
	sent, err := e.medium.send(k)
	if sent < k {
		e.abort(e.seqs[sent:k], err)
		if err == nil {
			err = errNoneTaken
		}
	}
	if err != nil && socket.IsBusy(err) {
		err = errBusy
	}
	return sent, err
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

// launch puts as many probes into flight as go out together, and makes out
// their requests. They are in the table before the kernel gets them: on a
// loopback interface the reply is there before the call returns.
func (e *Engine) launch(op *Op, probes []Probe) (k int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return 0, net.ErrClosed
	}
	ref := op.join(e)
	e.payloads = e.payloads[:0]
	now := time.Now()
	for k < min(len(probes), sendBatch) {
		p := &probes[k]
		seq, nonce, ok := e.core.launch(op, ref, p, e.since(now))
		if !ok {
			break
		}
		p.Sent = now
		start := len(e.payloads)
		e.payloads = op.payload.appendTo(e.payloads, nonce, seq)
		e.seqs[k] = seq
		e.out = outgoing{
			dst:      p.Dst,
			seq:      seq,
			nonce:    nonce,
			payload:  e.payloads[start:len(e.payloads):len(e.payloads)],
			numbered: op.payload.numbered,
			ttl:      p.TTL,
			class:    op.class,
			flow:     p.Flow,
		}
		e.medium.prepare(k, &e.out)
		k++
	}
	if k == 0 {
		return 0, errFull
	}
	e.arm()
	return k, nil
}

// abort takes back the launch of probes that the kernel did not take.
func (e *Engine) abort(seqs []uint16, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, seq := range seqs {
		e.core.abort(seq)
	}
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
