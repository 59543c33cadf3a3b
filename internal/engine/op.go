package engine

import (
	"sync/atomic"
	"time"
)

// OpConfig is what all probes of an operation have in common.
type OpConfig struct {
	Timeout      time.Duration // after which a probe is silent
	TrafficClass int
	Size         int    // payload bytes, where Payload is nil
	Payload      []byte // sent as it is
	Sum          uint16 // tells flows of echo requests apart: see payload.sum
	Numbered     bool   // the payload begins with the sequence number: UDP
	Inbox        *Inbox // shared with other operations; nil: one of its own
	Group        bool   // the destination stands for hosts that answer with addresses of their own
	Patient      bool   // a parameter problem settles no probe, for the reply may come
	Sourced      bool   // echo replies have to come from the destination
	Drives       bool   // it sends in bursts, and reads the answers between them: see right
	Unclear      bool   // it wants outcomes of the fate Unclear
}

// Op is an operation: it sends probes and collects their outcomes. It is used
// by one goroutine at a time.
type Op struct {
	timeout time.Duration
	class   int
	payload payload
	group   bool
	patient bool
	sourced bool
	unclear bool
	drives  bool

	*Inbox
	members []membership
	closed  atomic.Bool
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
	if cfg.Inbox == nil {
		cfg.Inbox = NewInbox()
	}
	op := &Op{
		timeout: cfg.Timeout,
		class:   cfg.TrafficClass,
		payload: newPayload(cfg.Payload, cfg.Size, cfg.Numbered),
		group:   cfg.Group,
		patient: cfg.Patient,
		sourced: cfg.Sourced,
		Inbox:   cfg.Inbox,
		unclear: cfg.Unclear,
		drives:  cfg.Drives,
	}
	op.payload.sum = cfg.Sum
	return op
}

// deliver puts an outcome into the inbox.
func (op *Op) deliver(o *Outcome) {
	if !op.closed.Load() {
		op.put(o)
	}
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

// Rest says that nothing will be sent for a while: the sockets that the operation
// drives are given back to their readers.
func (op *Op) Rest() {
	if !op.drives {
		return
	}
	for _, m := range op.members {
		m.e.right.rest()
	}
}

// Close ends the operation. Its probes stay in flight, so that their sequence
// numbers are not used again too early; their outcomes are only counted.
func (op *Op) Close() {
	op.Rest()
	op.closed.Store(true)
	for _, m := range op.members {
		m.e.mu.Lock()
		m.e.core.ops.remove(m.ref)
		m.e.mu.Unlock()
	}
}
