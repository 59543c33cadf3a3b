package engine

import "time"

// OpConfig is what all probes of an operation have in common.
type OpConfig struct {
	Timeout      time.Duration // after which a probe is silent
	TrafficClass int
	Size         int    // payload bytes, where Payload is nil
	Payload      []byte // sent as it is
	Group        bool   // the destination stands for hosts that answer with addresses of their own
}

// Op is an operation: it sends probes and collects their outcomes. It is used
// by one goroutine at a time.
type Op struct {
	e       *Engine
	ref     opRef
	timeout time.Duration
	class   int
	payload payload
	group   bool

	// Guarded by the engine's lock:
	inbox []Outcome
	ready chan struct{} // holds a token while the inbox may not be empty
}

// extrasRoom bounds the inbox for outcomes that settle no probe. There is no
// bound for those that do: their number is that of the probes in flight, which
// the operation itself bounds by not sending while it does not collect.
const extrasRoom = 64

// deliver puts an outcome into the inbox.
func (op *Op) deliver(o *Outcome) {
	if !o.Fate.Settles() && len(op.inbox) >= extrasRoom {
		return // counted by the engine all the same
	}
	op.inbox = append(op.inbox, *o)
	select {
	case op.ready <- struct{}{}:
	default:
	}
}

// Ready receives when Take may have something to return.
func (op *Op) Ready() <-chan struct{} { return op.ready }

// Take returns the outcomes since the last call, in the order in which they
// came to be known. The engine goes on with buf, the result of the call before.
func (op *Op) Take(buf []Outcome) []Outcome {
	op.e.mu.Lock()
	defer op.e.mu.Unlock()
	taken := op.inbox
	op.inbox = buf[:0]
	return taken
}

// Close ends the operation. Its probes stay in flight, so that their sequence
// numbers are not used again too early; their outcomes are only counted.
func (op *Op) Close() {
	op.e.mu.Lock()
	defer op.e.mu.Unlock()
	op.e.core.ops.remove(op.ref)
}

// opRef names an operation without pointing to it: slots outlive operations.
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

// get returns nil when the operation has ended.
func (t *opTable) get(ref opRef) *Op {
	if e := &t.entries[ref.index]; e.generation == ref.generation {
		return e.op
	}
	return nil
}
