package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/goicmp/icmplib/internal/service"
)

// OpConfig is what all probes of an operation have in common. It is comparable: probes of
// the same OpConfig can share an operation.
type OpConfig struct {
	Timeout      time.Duration // after which a probe is silent
	TrafficClass int
	Size         int           // payload bytes, unless Custom
	Payload      string        // sent as it is, if Custom
	Custom       bool          // the payload is the caller's
	Sum          uint16        // distinguishes flows of echo requests: see payload.sum
	Numbered     bool          // the payload begins with the sequence number: UDP
	Query        service.Query // the payload for a service: UDP; the zero Query: none
	Inbox        *Inbox        // shared with other operations; nil: one of its own
	Group        bool          // the destination stands for hosts that answer from their own addresses
	Patient      bool          // a parameter problem settles no probe, because the reply may still come
	Sourced      bool          // echo replies must come from the destination
	Drives       bool          // it sends in bursts, and reads the answers between them: see right
	Unclear      bool          // it receives outcomes with the fate Unclear
}

// Op is an operation: it sends probes and collects their outcomes. It is used
// by one goroutine at a time.
type Op struct {
	cfg     OpConfig
	payload payload

	*Inbox
	members []membership
	closed  atomic.Bool
}

// membership is an engine that has probes of the operation, with its reference to the
// operation.
type membership struct {
	e   *Engine
	ref opRef
}

// NewOp starts an operation, for which any number of engines may send. The caller must
// close it.
func NewOp(cfg OpConfig) *Op {
	if cfg.Inbox == nil {
		cfg.Inbox = NewInbox()
	}
	return &Op{cfg: cfg, payload: newPayload(&cfg), Inbox: cfg.Inbox}
}

// Config returns the configuration of the operation.
func (op *Op) Config() OpConfig { return op.cfg }

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

// Rest gives the sockets that the operation drives back to their readers, because it will
// not send for a while.
func (op *Op) Rest() {
	if !op.cfg.Drives {
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

// Inbox holds the outcomes of an operation, or of several that share it, until they are
// collected.
type Inbox struct {
	mu       sync.Mutex // locked while an engine's lock is held, never the other way round
	outcomes []Outcome
	ready    chan struct{} // holds a token while there may be outcomes
	extras   int           // see NewInboxWith
}

// NewInbox returns an empty inbox.
func NewInbox() *Inbox { return NewInboxWith(extrasRoom) }

// NewInboxWith returns an empty inbox. It takes outcomes that settle no probe only while it
// holds fewer than extras outcomes.
func NewInboxWith(extras int) *Inbox {
	return &Inbox{ready: make(chan struct{}, 1), extras: extras}
}

// extrasRoom is the default limit of an inbox for outcomes that settle no probe. There is
// no limit for the others: there are no more than probes in flight, which the operation
// limits by not sending while it does not collect.
const extrasRoom = 64

// put adds an outcome.
func (b *Inbox) put(o *Outcome) {
	b.mu.Lock()
	if !o.Fate.Settles() && len(b.outcomes) >= b.extras {
		b.mu.Unlock()
		return // the engine has counted it
	}
	b.outcomes = append(b.outcomes, *o)
	first := len(b.outcomes) == 1
	b.mu.Unlock()
	if first {
		b.Wake()
	}
}

// Wake makes Ready receive without a new outcome.
func (b *Inbox) Wake() {
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// Ready receives when Take may have something to return.
func (b *Inbox) Ready() <-chan struct{} { return b.ready }

// Take returns the outcomes since the last call, in the order in which they became known.
// The engines reuse buf, the result of the last call.
func (b *Inbox) Take(buf []Outcome) []Outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.outcomes
	b.outcomes = buf[:0]
	return taken
}

// opRef refers to an operation without a pointer, because slots outlive operations.
type opRef struct{ index, generation uint32 }

// opTable finds operations by their reference.
type opTable struct {
	entries []opEntry
	unused  []uint32
}

type opEntry struct {
	op         *Op
	generation uint32
}

func (t *opTable) add(op *Op) opRef {
	if n := len(t.unused); n > 0 {
		i := t.unused[n-1]
		t.unused = t.unused[:n-1]
		t.entries[i].op = op
		return opRef{i, t.entries[i].generation}
	}
	t.entries = append(t.entries, opEntry{op: op})
	return opRef{index: uint32(len(t.entries) - 1)}
}

func (t *opTable) remove(ref opRef) {
	if t.get(ref) == nil {
		return
	}
	e := &t.entries[ref.index]
	e.op = nil
	e.generation++
	t.unused = append(t.unused, ref.index)
}

// get returns the operation, or nil if it has ended.
func (t *opTable) get(ref opRef) *Op {
	if e := &t.entries[ref.index]; e.generation == ref.generation {
		return e.op
	}
	return nil
}
