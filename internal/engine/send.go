package engine

import (
	"context"
	"net"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

const (
	// sendBatch bounds how many probes share a time of sending. The later ones
	// of a batch leave a little after it, so a large batch would lengthen their
	// round-trip times, while most of what batching saves is saved by a few.
	sendBatch = 16

	// busyPause is the wait when the kernel or the table is full: about what it
	// takes a gigabit interface to send a few hundred small packets.
	busyPause = 500 * time.Microsecond
)

// Send sends probes in order and sets Sent in each. It returns how many were
// sent, and if not all, why the next one was not; the ones after it have not
// been tried. While there is no room for a probe, in the kernel or because all
// sequence numbers are in flight, Send waits.
func (e *Engine) Send(ctx context.Context, op *Op, probes []Probe) (n int, err error) {
	if err := e.acquire(ctx); err != nil {
		return 0, err
	}
	defer func() { <-e.sending }()
	for n < len(probes) {
		k, err := e.launch(op, probes[n:])
		if err != nil {
			return n, err
		}
		sent, err := e.conn.SendBatch(e.requests[:k])
		if sent < k {
			e.abort(e.seqs[sent:k], err)
		}
		n += sent
		if err != nil && !socket.IsBusy(err) {
			return n, err
		}
		if sent == 0 {
			if err := e.pause(ctx); err != nil {
				return n, err
			}
		}
	}
	return n, nil
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

// pause waits for room.
func (e *Engine) pause(ctx context.Context) error {
	timer := time.NewTimer(busyPause)
	defer timer.Stop()
	select {
	case <-timer.C:
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
	e.payloads = e.payloads[:0]
	now := time.Now()
	for k < min(len(probes), sendBatch) {
		p := &probes[k]
		seq, nonce, ok := e.core.launch(op, p, e.since(now))
		if !ok {
			break
		}
		p.Sent = now
		start := len(e.payloads)
		e.payloads = op.payload.appendTo(e.payloads, nonce, seq)
		e.seqs[k] = seq
		e.requests[k] = icmp.Request{
			Destination:  p.Dst,
			Sequence:     seq,
			Payload:      e.payloads[start:len(e.payloads):len(e.payloads)],
			TTL:          p.TTL,
			TrafficClass: op.class,
		}
		k++
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
