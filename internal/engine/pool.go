package engine

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/goicmp/icmplib/socket"
)

const (
	// maxEngines bounds the sockets of a pool: a million probes in flight.
	maxEngines = 16

	// spareSequences is how many sequence numbers an engine keeps free, so that
	// one that was used does not come round again at once: a reply that is
	// late, or a duplicate, is still known for what it is.
	spareSequences = sequences / 4

	// busyPause is the wait when the kernel or the table is full: about what it
	// takes a gigabit interface to send a few hundred small packets.
	busyPause = 500 * time.Microsecond

	// busyPatience bounds the wait for room in the kernel for one probe. A device
	// that has sent nothing for so long is stuck.
	busyPatience = time.Second

	// stuckPatience is the bound where the one before was waited for in vain, no longer
	// than stuckMemory ago: who sends by other sockets in the same loop is not to wait so
	// long for each probe of this one, and a sweep is not to rush through its targets.
	stuckPatience = 2 * busyPause
	stuckMemory   = 10 * time.Second
)

// Pool is as many engines as the probes in flight need: one, and another socket
// with an id of its own whenever the sequence numbers of those there are run
// short. What it sends with, all have in common but for the id. A socket whose
// interface was removed is replaced when there is one of that name again.
type Pool struct {
	listen func() (Medium, error)
	log    *slog.Logger
	budget *Budget
	done   chan struct{} // closed by Close

	mu      sync.Mutex
	most    int // engines
	engines []*Engine
	retired []*Engine // whose interface is gone, and that have probes in flight
	gone    Counters  // of those that were retired and are closed
	full    bool      // no further socket could be opened
	closed  bool

	opened time.Time
	stuck  atomic.Int64 // how long after that the kernel was last waited for in vain; 0: something left since
}

// NewPool opens the first socket of a pool; listen opens each of them. Their receive
// buffers grow within a budget.
func NewPool(listen func() (Medium, error), log *slog.Logger, budget *Budget) (*Pool, error) {
	p := &Pool{listen: listen, log: log, budget: budget, done: make(chan struct{}), most: maxEngines, opened: time.Now()}
	if _, err := p.grow(); err != nil {
		return nil, err
	}
	return p, nil
}

// Send sends probes in order and sets Sent in each. It returns how many were
// sent, and if not all, why the next one was not; the ones after it have not
// been tried. While there is no room for a probe, in our own receive buffer or
// because all sequence numbers are in flight, Send waits; in the kernel it waits
// for no longer than busyPatience, and where it just waited in vain no longer than stuckPatience.
func (p *Pool) Send(ctx context.Context, op *Op, probes []Probe) (n int, err error) {
	var busy time.Time // when the kernel was first found to have no room for the next one
	var full []*Engine // that had no sequence number for it
	for n < len(probes) {
		e, err := p.pick(len(probes)-n, full)
		if err != nil {
			return n, err
		}
		k, err := e.send(ctx, op, probes[n:])
		n += k
		if k > 0 && p.stuck.Load() != 0 {
			p.stuck.Store(0)
		}
		if k > 0 || !socket.IsBusy(err) {
			busy = time.Time{}
		} else if busy.IsZero() {
			busy = time.Now()
		}
		if k > 0 {
			full = full[:0]
		}
		switch {
		case err == nil:
		case errors.Is(err, errFull) && !slices.Contains(full, e): // another may have one
			full = append(full, e)
		case errors.Is(err, errFull), errors.Is(err, errBacklog), errors.Is(err, errPaced),
			socket.IsBusy(err) && (busy.IsZero() || p.waits(err, busy)):
			full = full[:0]
			if err := p.pause(ctx); err != nil {
				return n, err
			}
		case errors.Is(err, socket.ErrInterfaceGone) && p.replace(e):
		case errors.Is(err, net.ErrClosed) && ctx.Err() != nil:
			return n, context.Cause(ctx)
		case errors.Is(err, net.ErrClosed) && !p.isClosed(): // it was replaced
		default:
			return n, err
		}
	}
	return n, nil
}

// waits reports whether a probe goes on waiting for room in the kernel, which there was none
// of from a moment on. If not, that is remembered, unless it is descriptors that are short:
// each probe that ends makes room for another.
func (p *Pool) waits(err error, from time.Time) bool {
	now := time.Now()
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return now.Sub(from) < busyPatience
	}
	patience := busyPatience
	if at := p.stuck.Load(); at != 0 && now.Sub(p.opened)-time.Duration(at) < stuckMemory {
		patience = stuckPatience
	}
	if now.Sub(from) < patience {
		return true
	}
	p.stuck.Store(int64(now.Sub(p.opened)))
	return false
}

// pick returns an engine with room for n probes; if there is none, one with any. It
// leaves out those that are full, unless all are and there can be no other.
func (p *Pool) pick(n int, full []*Engine) (*Engine, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, net.ErrClosed
	}
	if len(p.retired) > 0 {
		p.closeRetired()
	}
	best, most := p.engines[0], 0
	for _, e := range p.engines {
		if slices.Contains(full, e) {
			continue
		}
		room := e.room()
		if room >= spareSequences+n {
			return e, nil
		}
		if room > most {
			best, most = e, room
		}
	}
	if len(p.engines) < p.most && !p.full {
		e, err := p.growLocked()
		if err == nil {
			return e, nil
		}
		// What there is goes on; it will only have to wait now and then.
		p.full = true
		p.log.Warn("no further socket could be opened", "sockets", len(p.engines), "error", err)
	}
	return best, nil
}

// replace puts a new socket in the place of one whose interface was removed, if there
// is an interface of that name by now, and reports whether it did. The probes in
// flight on the old one settle as any others do; it is closed behind the last of them.
func (p *Pool) replace(e *Engine) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeRetired()
	i := slices.Index(p.engines, e)
	switch {
	case p.closed:
		return false
	case i < 0:
		return true // by another caller
	}
	medium, err := p.listen()
	if err != nil {
		p.log.Debug("the interface is gone, and no socket could be opened in the place of the old one", "error", err)
		return false
	}
	p.engines = slices.Clone(p.engines) // Close and Counters read it without the lock
	p.engines[i] = newEngine(medium, p.log, p.budget)
	p.retired = append(p.retired, e)
	return true
}

// closeRetired closes what was replaced and has nothing in flight any more.
func (p *Pool) closeRetired() {
	p.retired = slices.DeleteFunc(p.retired, func(e *Engine) bool {
		if e.room() < sequences {
			return false
		}
		p.gone.merge(e.counters())
		_ = e.close() // nobody is left to hear of it
		return true
	})
}

func (p *Pool) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *Pool) grow() (*Engine, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.growLocked()
}

func (p *Pool) growLocked() (*Engine, error) {
	medium, err := p.listen()
	if err != nil {
		return nil, err
	}
	e := newEngine(medium, p.log, p.budget)
	p.engines = append(p.engines, e)
	return e, nil
}

// pause waits for room.
func (p *Pool) pause(ctx context.Context) error {
	timer := time.NewTimer(busyPause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.done:
		return net.ErrClosed
	}
}

// Ports returns how many source ports the sockets hold: 0 for echo requests, and
// where each probe is a connection with a port of its own.
func (p *Pool) Ports() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.engines[0].medium.ports()
}

// Done is closed when the pool is.
func (p *Pool) Done() <-chan struct{} { return p.done }

// Close closes the sockets and waits until nothing of the pool runs any more.
// Only the first call does anything.
func (p *Pool) Close() error {
	p.mu.Lock()
	engines := slices.Concat(p.engines, p.retired)
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	close(p.done)
	p.mu.Unlock()

	var errs []error
	for _, e := range engines {
		errs = append(errs, e.close())
	}
	return errors.Join(errs...)
}

// Counters returns what was counted so far.
func (p *Pool) Counters() Counters {
	p.mu.Lock()
	engines, sum := slices.Concat(p.engines, p.retired), p.gone
	p.mu.Unlock()
	for _, e := range engines {
		sum.merge(e.counters())
	}
	return sum
}
