package engine

import (
	"log/slog"
	"sync"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// Engine sends probes over one socket and settles their fates.
type Engine struct {
	conn  Conn
	log   *slog.Logger
	epoch time.Time

	// sending holds a token for whoever sends; the buffers are his.
	sending  chan struct{}
	requests [sendBatch]icmp.Request
	seqs     [sendBatch]uint16
	payloads []byte

	mu       sync.Mutex
	core     core
	closed   bool
	armed    bool          // a read deadline is set
	armedFor time.Duration // to this
	expired  time.Duration // when probes were last expired

	done   chan struct{} // closed by Close
	reader sync.WaitGroup
}

// New starts an engine on a socket, which it closes when it is closed itself.
func New(conn Conn, log *slog.Logger) *Engine {
	e := &Engine{
		conn:    conn,
		log:     log,
		epoch:   time.Now(),
		sending: make(chan struct{}, 1),
		done:    make(chan struct{}),

		// Not nil, for a Request takes a payload that is nil for none given.
		payloads: []byte{},
	}
	e.core.id = conn.ID()
	e.reader.Go(e.read)
	return e
}

// Close closes the socket and waits until nothing of the engine runs any more.
// Only the first call does anything.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()

	close(e.done)
	err := e.conn.Close()
	e.reader.Wait()
	return err
}

// Done is closed when the engine is.
func (e *Engine) Done() <-chan struct{} { return e.done }

// NewOp starts an operation. It must be closed.
func (e *Engine) NewOp(cfg OpConfig) *Op {
	op := &Op{
		e:       e,
		timeout: cfg.Timeout,
		class:   cfg.TrafficClass,
		payload: newPayload(cfg.Payload, cfg.Size),
		group:   cfg.Group,
		ready:   make(chan struct{}, 1),
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	op.ref = e.core.ops.add(op)
	return op
}

// Counters returns what was counted so far.
func (e *Engine) Counters() Counters {
	below := e.conn.Counters()
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.core.counters
	c.Foreign += below.Foreign
	c.Malformed += below.Malformed
	c.Dropped = below.Dropped
	return c
}

// since measures a moment from the engine's epoch.
func (e *Engine) since(t time.Time) time.Duration { return t.Sub(e.epoch) }
