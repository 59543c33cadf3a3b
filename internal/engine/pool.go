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
	// maxEngines is the largest number of sockets of a pool: a million probes in
	// flight.
	maxEngines = 16

	// spareSequences is the number of sequence numbers that an engine keeps free, so
	// that a used one is not reused at once, and late and duplicate replies are still
	// recognized.
	spareSequences = sequences / 4

	// busyPause is the wait when the kernel or the table is full: about the time in
	// which a gigabit interface sends a few hundred small packets.
	busyPause = 500 * time.Microsecond

	// busyPatience is the longest wait for room in the kernel for one probe. A device
	// that has sent nothing for that time is stuck.
	busyPatience = time.Second

	// stuckPatience is the longest wait if a wait of busyPatience was in vain no longer
	// than stuckMemory ago. A loop that also sends over other sockets then does not wait
	// long for each probe of this one, and a sweep does not rush through its targets.
	stuckPatience = 2 * busyPause
	stuckMemory   = 10 * time.Second
)

// Pool has as many engines as the probes in flight need: one, and another one, with its own
// socket and id, whenever sequence numbers run short. Their sockets differ only in the id.
// If the interface of a socket was removed, the pool replaces the socket as soon as there is
// an interface of that name again.
type Pool struct {
	listen func() (Medium, error)
	log    *slog.Logger
	budget *Budget
	done   chan struct{} // closed by Close

	mu      sync.Mutex
	most    int // engines
	engines []*Engine
	retired []*Engine // their interface is gone, but they have probes in flight
	gone    Counters  // of retired engines that are closed
	full    bool      // no further socket could be opened
	closed  bool

	opened time.Time
	stuck  atomic.Int64 // when a wait for the kernel was last in vain, from opened on; 0: a probe left since
}

// NewPool opens the first socket of a pool by listen, as the pool opens the others later.
// Their receive buffers grow within a budget.
func NewPool(listen func() (Medium, error), log *slog.Logger, budget *Budget) (*Pool, error) {
	p := &Pool{listen: listen, log: log, budget: budget, done: make(chan struct{}), most: maxEngines, opened: time.Now()}
	if _, err := p.grow(); err != nil {
		return nil, err
	}
	return p, nil
}

// Send sends probes in order and sets Sent in each. It returns how many it sent and, if not
// all, the error of the next one; it does not try the ones after that. Send waits while the
// receive buffer is too full or all sequence numbers are in flight. For room in the kernel,
// it waits no longer than busyPatience, or stuckPatience after a wait in vain.
func (p *Pool) Send(ctx context.Context, op *Op, probes []Probe) (n int, err error) {
	var busy time.Time // when the kernel first had no room for the next one
	var full []*Engine // engines without a sequence number for it
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

// waits reports whether a probe continues to wait for room in the kernel, which has had none
// since from. If not, waits remembers it, unless descriptors are short: each probe that ends
// makes room for another.
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

// pick returns an engine with room for n probes or, if there is none, one with any room. It
// omits the engines in full, unless all are full and no other one is possible.
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
		// The other engines continue; senders only have to wait sometimes.
		p.full = true
		p.log.Warn("no further socket could be opened", "sockets", len(p.engines), "error", err)
	}
	return best, nil
}

// replace replaces an engine whose interface was removed, if there is an interface of that
// name by now, and reports whether it did. The probes in flight on the old engine settle as
// usual; the pool closes it after the last of them.
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

// closeRetired closes the replaced engines that have no probes in flight.
func (p *Pool) closeRetired() {
	p.retired = slices.DeleteFunc(p.retired, func(e *Engine) bool {
		if e.room() < sequences {
			return false
		}
		p.gone.merge(e.counters())
		_ = e.close() // no caller is left to return it to
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

// Ports returns the number of source ports that the sockets hold. It is 0 for echo
// requests, and if each probe is a connection with its own port.
func (p *Pool) Ports() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.engines[0].medium.ports()
}

// Done is closed when the pool is.
func (p *Pool) Done() <-chan struct{} { return p.done }

// Close closes the sockets and waits until no part of the pool runs any more. Further calls
// do nothing.
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

// Counters returns the counts so far.
func (p *Pool) Counters() Counters {
	p.mu.Lock()
	engines, sum := slices.Concat(p.engines, p.retired), p.gone
	p.mu.Unlock()
	for _, e := range engines {
		sum.merge(e.counters())
	}
	return sum
}
