package engine

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Engine sends probes over one socket and settles their fates. A [Pool] has as
// many as it needs.
type Engine struct {
	medium Medium
	log    *slog.Logger

	// sending holds a token for whoever sends; what follows is his.
	sending  chan struct{}
	out      [maxSend]outgoing
	unlooked int // probes that may leave before the receive buffer is looked at

	right right // to read the socket

	turn atomic.Int32 // probes that whoever sends is about to send

	mu       sync.Mutex
	core     core
	closed   bool
	armed    bool          // a read deadline is set
	armedFor time.Duration // to this
	expired  time.Duration // when probes were last expired
	failing  time.Time     // since when receiving fails; the zero time: it does not

	done   chan struct{} // closed by close
	reader sync.WaitGroup
}

// newEngine starts an engine on a medium, which it closes when it is closed itself.
func newEngine(medium Medium, log *slog.Logger) *Engine {
	e := &Engine{
		medium:  medium,
		log:     log,
		sending: make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	for i := range e.out {
		e.out[i].payload = []byte{} // not nil, which stands for none given
	}
	e.right.init()
	e.core.id, e.core.epoch = medium.id(), time.Now()
	e.core.table.begin()
	e.reader.Go(e.read)
	return e
}

// close closes the socket and waits until nothing of the engine runs any more.
// It is called once.
func (e *Engine) close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()

	close(e.done)
	err := e.medium.Close()
	e.reader.Wait()
	return err
}

// counters returns what was counted so far.
func (e *Engine) counters() Counters {
	below := e.medium.Counters()
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.core.counters
	c.Foreign += below.Foreign
	c.Malformed += below.Malformed
	c.Dropped = below.Dropped
	return c
}

// since measures a moment from the engine's epoch.
func (e *Engine) since(t time.Time) time.Duration { return t.Sub(e.core.epoch) }
