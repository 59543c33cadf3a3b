package drive

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lease"
)

// Shared is a Driver on its own goroutine that any number of operations share. It runs from
// the first of them to the last. Their tasks run no code of a caller.
type Shared struct {
	Config func() Config // of the Driver

	lease lease.Lease[*Driver]
	gone  atomic.Pointer[chan struct{}] // closed when neither the latest Driver nor an earlier one runs any more
}

// Enter begins a use of the Driver. Its Do adds tasks.
func (s *Shared) Enter() *Driver {
	d, _ := s.lease.Enter(s.begin) // begin does not fail
	return d
}

// begin begins the run of a Driver.
func (s *Shared) begin() (*Driver, error) {
	cfg := s.Config()
	cfg.Endless = true
	d := New(cfg)
	d.calls.open()
	d.calls.ended = make(chan struct{})
	gone := make(chan struct{})
	before := s.gone.Swap(&gone) // an earlier Driver may still be ending
	ctx, stop := context.WithCancel(context.Background())
	d.calls.stop = stop
	go func() {
		defer close(gone)
		if before != nil {
			defer func() { <-*before }()
		}
		defer close(d.calls.ended)
		defer d.Close()
		_ = d.Run(ctx) // the tasks get the reason
	}()
	return d, nil
}

// Leave ends a use that Enter began. The tasks of that use must have ended.
func (s *Shared) Leave() {
	s.lease.Leave(func(d *Driver) {
		d.calls.stop()
		<-d.Ended()
	})
}

// Wait waits until nothing runs any more, after the Driver's Closed was closed.
func (s *Shared) Wait() {
	if gone := s.gone.Load(); gone != nil {
		<-*gone
	}
}

// calls are the calls that other goroutines want the goroutine of a Driver to make.
type calls struct {
	made chan struct{} // holds a token while there may be some; nil: there are none

	// Of a Driver that is shared:
	stop  context.CancelFunc
	ended chan struct{} // closed when nothing of it runs any more

	mu   sync.Mutex
	all  []func()
	done []func() // calls that were made; reused as room
	over bool     // no more calls are accepted
}

// open lets other goroutines add calls from now on.
func (c *calls) open() {
	if c.made == nil {
		c.made = make(chan struct{}, 1)
	}
}

// Do makes the goroutine of the Driver call f, and reports whether it will: it will not if
// the run has ended. Any goroutine may call Do.
func (d *Driver) Do(f func()) bool {
	c := &d.calls
	c.mu.Lock()
	over := c.over
	if !over {
		c.all = append(c.all, f)
	}
	c.mu.Unlock()
	if !over {
		signal(c.made)
	}
	return !over
}

// Ended returns a channel that is closed when nothing of a shared Driver runs any more.
func (d *Driver) Ended() <-chan struct{} { return d.calls.ended }

// call makes the calls.
func (d *Driver) call() {
	c := &d.calls
	if c.made == nil {
		return
	}
	c.mu.Lock()
	made := c.all
	c.all, c.done = c.done[:0], nil
	c.mu.Unlock()
	for i, f := range made {
		made[i] = nil
		f()
	}
	c.done = made
}

// endCalls makes the last calls.
func (d *Driver) endCalls() {
	d.calls.mu.Lock()
	d.calls.over = true
	d.calls.mu.Unlock()
	d.call()
}

// Later calls f once, at the end of this turn of the loop.
func (d *Driver) Later(f func()) { d.later = append(d.later, f) }

func (d *Driver) runLater() {
	for i, f := range d.later {
		d.later[i] = nil
		f()
	}
	d.later = d.later[:0]
}

// lentOp is an operation of the engine that several tasks share.
type lentOp struct {
	op    *engine.Op
	users int
}

// Borrow returns the operation of the engine for probes with a configuration. Tasks share
// it, so their probes leave together.
func (d *Driver) Borrow(cfg engine.OpConfig) *engine.Op {
	cfg.Inbox, cfg.Drives = d.inbox, true
	l := d.lent[cfg]
	if l == nil {
		l = &lentOp{op: engine.NewOp(cfg)}
		if d.lent == nil {
			d.lent = map[engine.OpConfig]*lentOp{}
		}
		d.lent[cfg] = l
	}
	l.users++
	return l.op
}

// GiveBack ends a task's use of an operation that it borrowed.
func (d *Driver) GiveBack(op *engine.Op) {
	l := d.lent[op.Config()]
	if l.users--; l.users == 0 {
		op.Close()
		delete(d.lent, op.Config())
	}
}

// Handover passes the results of a task of a shared Driver to the loop of a caller, which
// runs on its own goroutine.
type Handover[T any] struct {
	out    chan T        // has room for one that waits, and for a last one
	over   chan struct{} // closed when nothing follows
	failed error         // why nothing follows; set before over is closed
}

// ErrLeft is the reason for cutting a task whose loop was left.
var ErrLeft = errors.New("the loop was left")

// NewHandover returns a Handover for one task.
func NewHandover[T any]() Handover[T] {
	return Handover[T]{out: make(chan T, 2), over: make(chan struct{})}
}

// Put passes a value to the loop: one before its body has ended, and one at the end.
func (h *Handover[T]) Put(v T) { h.out <- v }

// End reports that nothing follows, and why.
func (h *Handover[T]) End(why error) {
	h.failed = why
	close(h.over)
}

// Run calls yield with each value that is put, until the task ends, yield returns false or
// ctx ends. When Run returns, the task has ended. Run returns the reason, or nil if the
// loop was left. The goroutine of the Driver calls begin, which adds the task, and goOn
// after each run of the loop's body.
func (h *Handover[T]) Run(ctx context.Context, s *Shared, begin func(*Driver) Ref, goOn func(), yield func(T) bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx) // before another goroutine sends
	}
	d := s.Enter()
	defer s.Leave()
	var ref Ref // only the goroutine of the Driver uses it
	if !d.Do(func() { ref = begin(d) }) {
		return net.ErrClosed
	}
	cut := func(why error) {
		select {
		case <-h.over:
		default:
			d.Do(func() { d.Cut(ref, why) })
			<-h.over
		}
	}
	defer cut(ErrLeft) // also if yield panics
	for ctx.Err() == nil {
		select {
		case v := <-h.out:
			if !yield(v) {
				return nil
			}
			d.Do(goOn)
		case <-h.over:
			return h.rest(yield)
		case <-ctx.Done():
		}
	}
	cut(context.Cause(ctx))
	return h.rest(yield)
}

// rest hands out the remaining values when the task has ended, and returns why it ended.
func (h *Handover[T]) rest(yield func(T) bool) error {
	for {
		select {
		case v := <-h.out:
			if !yield(v) {
				return nil
			}
		default:
			return h.failed
		}
	}
}
