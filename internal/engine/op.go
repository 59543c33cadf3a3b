package engine

import (
	"sync"
	"time"
)

// OpConfig is what all probes of an operation have in common.
type OpConfig struct {
	Timeout      time.Duration // after which a probe is silent
	TrafficClass int
	Size         int    // payload bytes, where Payload is nil
	Payload      []byte // sent as it is
	Numbered     bool   // the payload begins with the sequence number: UDP
	Group        bool   // the destination stands for hosts that answer with addresses of their own
	Unclear      bool   // it wants outcomes of the fate Unclear
}

// Op is an operation: it sends probes and collects their outcomes. It is used
// by one goroutine at a time.
type Op struct {
	timeout time.Duration
	class   int
	payload payload
	group   bool
	unclear bool

	mu      sync.Mutex // taken while an engine's is held, never the other way round
	inbox   []Outcome
	ready   chan struct{} // holds a token while the inbox may not be empty
	members []membership
	closed  bool
}

// membership is an engine that has probes of the operation, and what it calls
// the operation.
type membership struct {
	e   *Engine
	ref opRef
}

// NewOp starts an operation, which any number of engines may send for. It must
// be closed.
func NewOp(cfg OpConfig) *Op {
	return &Op{
		timeout: cfg.Timeout,
		class:   cfg.TrafficClass,
		payload: newPayload(cfg.Payload, cfg.Size, cfg.Numbered),
		group:   cfg.Group,
		unclear: cfg.Unclear,
		ready:   make(chan struct{}, 1),
	}
}

// extrasRoom bounds the inbox for outcomes that settle no probe. There is no
// bound for those that do: their number is that of the probes in flight, which
// the operation itself bounds by not sending while it does not collect.
const extrasRoom = 64

// deliver puts an outcome into the inbox.
func (op *Op) deliver(o *Outcome) {
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.closed || !o.Fate.Settles() && len(op.inbox) >= extrasRoom {
		return // counted by the engine all the same
	}
	op.inbox = append(op.inbox, *o)
	if len(op.inbox) == 1 {
		select {
		case op.ready <- struct{}{}:
		default:
		}
	}
}

// Ready receives when Take may have something to return.
func (op *Op) Ready() <-chan struct{} { return op.ready }

// Take returns the outcomes since the last call, in the order in which they
// came to be known. The engines go on with buf, the result of the call before.
func (op *Op) Take(buf []Outcome) []Outcome {
	op.mu.Lock()
	defer op.mu.Unlock()
	taken := op.inbox
	op.inbox = buf[:0]
	return taken
}

// join makes an operation known to an engine, whose lock is held.
func (op *Op) join(e *Engine) opRef {
	for i := range op.members {
		if op.members[i].e == e {
			return op.members[i].ref
		}
	}
	ref := e.core.ops.add(op)
	op.members = append(op.members, membership{e, ref})
	return ref
}

// Close ends the operation. Its probes stay in flight, so that their sequence
// numbers are not used again too early; their outcomes are only counted.
func (op *Op) Close() {
	op.mu.Lock()
	op.closed = true
	op.inbox = nil
	op.mu.Unlock()
	for _, m := range op.members {
		m.e.mu.Lock()
		m.e.core.ops.remove(m.ref)
		m.e.mu.Unlock()
	}
}
