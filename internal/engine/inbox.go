package engine

import "sync"

// Inbox is where the outcomes of operations wait to be collected: of one, or of
// several that share it.
type Inbox struct {
	mu       sync.Mutex // taken while an engine's is held, never the other way round
	outcomes []Outcome
	ready    chan struct{} // holds a token while there may be outcomes
	extras   int           // see NewInboxWith
}

// NewInbox returns an empty inbox.
func NewInbox() *Inbox { return NewInboxWith(extrasRoom) }

// NewInboxWith returns an empty inbox that takes outcomes which settle no probe
// while fewer than so many outcomes are in it.
func NewInboxWith(extras int) *Inbox {
	return &Inbox{ready: make(chan struct{}, 1), extras: extras}
}

// extrasRoom bounds an inbox, unless told otherwise, for outcomes that settle no
// probe. There is no bound for those that do: their number is that of the probes
// in flight, which the operation itself bounds by not sending while it does not
// collect.
const extrasRoom = 64

// put puts an outcome in.
func (b *Inbox) put(o *Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !o.Fate.Settles() && len(b.outcomes) >= b.extras {
		return // counted by the engine all the same
	}
	b.outcomes = append(b.outcomes, *o)
	if len(b.outcomes) == 1 {
		select {
		case b.ready <- struct{}{}:
		default:
		}
	}
}

// Ready receives when Take may have something to return.
func (b *Inbox) Ready() <-chan struct{} { return b.ready }

// Take returns the outcomes since the last call, in the order in which they
// came to be known. The engines go on with buf, the result of the call before.
func (b *Inbox) Take(buf []Outcome) []Outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.outcomes
	b.outcomes = buf[:0]
	return taken
}
