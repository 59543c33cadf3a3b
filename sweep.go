package icmplib

import (
	"context"
	"errors"
	"iter"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
)

const (
	// feedAhead is how many targets are drawn ahead of the sending.
	feedAhead = 1024

	// maxLookups bounds the names that are looked up at the same time.
	maxLookups = 64
)

// target is what the sweep is to ping next.
type target struct {
	index int
	name  string
	addr  netip.Addr
	err   error // why there is no address
}

// resolveFunc is [Resolve] by any means.
type resolveFunc func(ctx context.Context, name string, family Family) ([]netip.Addr, error)

// feed draws targets and looks up their names, ahead of a sweep.
type feed struct {
	resolve resolveFunc
	family  Family

	ready chan struct{} // holds a token while queue may not be empty, or after the end
	room  chan struct{} // holds a token while queue may have room
	stop  context.CancelFunc
	done  sync.WaitGroup // the goroutine that draws, and those that look up

	mu    sync.Mutex
	queue []target
	drawn int
	ended bool // nothing will follow what is in queue
	panic any  // what the iterator panicked with; nil: it did not, or it was raised
}

// errNoTargets refuses an iterator that is not there.
func errNoTargets() error {
	return &ConfigError{Field: "targets", Value: nil, Allowed: "an iterator, such as slices.Values of a list"}
}

// newFeed starts to draw targets. It must be ended.
//
// The iterator is the caller's, but runs in a goroutine of the feed: a panic in it is
// raised again in the goroutine of the caller, by take or end. If it ends that
// goroutine (runtime.Goexit), there are no further targets.
func newFeed(ctx context.Context, targets iter.Seq[string], r resolveFunc, f Family) *feed {
	ctx, stop := context.WithCancel(ctx)
	d := &feed{
		resolve: r,
		family:  f,
		ready:   make(chan struct{}, 1),
		room:    make(chan struct{}, 1),
		stop:    stop,
	}
	d.done.Go(func() { d.draw(ctx, targets) })
	return d
}

// draw draws until there are no targets any more, or ctx ends.
func (d *feed) draw(ctx context.Context, targets iter.Seq[string]) {
	lookups := make(chan struct{}, maxLookups)
	var pending sync.WaitGroup
	defer func() { d.finish(recover(), &pending) }()
	index := 0
	for name := range targets {
		t := target{index: index, name: name}
		index++
		if addr, err := netip.ParseAddr(name); err == nil && addr.Zone() == "" && d.family.includes(addr) {
			t.addr = thisHost(addr.Unmap())
			if !d.push(ctx, t) {
				break
			}
			continue
		}
		select {
		case lookups <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		d.lookUp(ctx, t, &pending, lookups)
	}
}

// finish notes that nothing more is drawn, and waits for the lookups. A panic is
// told at once.
func (d *feed) finish(panicked any, pending *sync.WaitGroup) {
	d.mu.Lock()
	d.panic = panicked
	d.mu.Unlock()
	if panicked != nil {
		signal(d.ready)
	}
	pending.Wait()
	d.mu.Lock()
	d.ended = true
	d.mu.Unlock()
	signal(d.ready)
}

// raise panics where the iterator did, once.
func (d *feed) raise() {
	d.mu.Lock()
	panicked := d.panic
	d.panic = nil
	d.mu.Unlock()
	if panicked != nil {
		panic(panicked)
	}
}

// lookUp pushes a target when its address is known, and then takes a token out
// of lookups. (Were it a part of draw, every target would be allocated, those
// that need no looking up, too.)
func (d *feed) lookUp(ctx context.Context, t target, pending *sync.WaitGroup, lookups <-chan struct{}) {
	pending.Go(func() {
		defer func() { <-lookups }()
		if addrs, err := d.resolve(ctx, t.name, d.family); err != nil {
			t.err = err
		} else {
			t.addr = thisHost(addrs[0])
		}
		d.push(ctx, t)
	})
}

// push appends a target when there is room, and tells whether it did.
func (d *feed) push(ctx context.Context, t target) bool {
	for {
		d.mu.Lock()
		if len(d.queue) < feedAhead {
			d.queue = append(d.queue, t)
			d.drawn++
			more := len(d.queue) < feedAhead
			d.mu.Unlock()
			signal(d.ready)
			if more {
				signal(d.room) // for another lookup that waits
			}
			return true
		}
		d.mu.Unlock()
		select {
		case <-d.room:
		case <-ctx.Done():
			return false
		}
	}
}

// take returns what is there, and whether more may follow. The feed goes on
// with buf, the result of the call before.
func (d *feed) take(buf []target) (targets []target, more bool) {
	d.raise()
	d.mu.Lock()
	defer d.mu.Unlock()
	targets = d.queue
	d.queue = buf[:0]
	signal(d.room)
	return targets, !d.ended
}

// Count returns how many targets were drawn.
func (d *feed) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.drawn
}

// end stops the drawing and waits for it.
func (d *feed) end() {
	d.stop()
	d.done.Wait()
	d.raise()
}

// signal puts a token into a channel that has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// targetQueue hands out the targets of a feed: those of one address one after
// the other.
type targetQueue struct {
	feed    *feed
	active  map[netip.Addr][]target // the addresses in use, and who waits for them
	waiting int                     // how many do
	turns   []target                // whose address has become free
	drawn   []target
	next    int  // of drawn
	more    bool // the feed has not ended
}

func newTargetQueue(f *feed) targetQueue {
	return targetQueue{feed: f, active: map[netip.Addr][]target{}, more: true}
}

// take returns the next target to begin with. A new one is drawn only while
// wants says that there is use for it.
func (q *targetQueue) take(wants func() bool) (t target, ok bool) {
	for {
		if n := len(q.turns); n > 0 {
			t = q.turns[n-1]
			q.turns = q.turns[:n-1]
			return t, true
		}
		if !wants() {
			return t, false
		}
		if q.next == len(q.drawn) {
			q.drawn, q.more = q.feed.take(q.drawn)
			q.next = 0
			if len(q.drawn) == 0 {
				return t, false
			}
		}
		t = q.drawn[q.next]
		q.next++
		if t.err != nil || q.claim(t) {
			return t, true
		}
	}
}

// news returns what tells of further targets, if wants says that there is use for
// them.
func (q *targetQueue) news(wants func() bool) <-chan struct{} {
	if q.more && wants() {
		return q.feed.ready
	}
	return nil
}

// ended tells whether nothing follows but targets whose address is in use.
func (q *targetQueue) ended() bool {
	return !q.more && len(q.turns) == 0 && q.next == len(q.drawn)
}

// claim tells whether an address is free, and takes it; if it is not, the target
// waits for its turn.
func (q *targetQueue) claim(t target) bool {
	waiting, taken := q.active[t.addr]
	if taken {
		q.active[t.addr] = append(waiting, t)
		q.waiting++
		return false
	}
	q.active[t.addr] = nil
	return true
}

// release gives an address back, to the target that waits for it if there is
// one.
func (q *targetQueue) release(addr netip.Addr) {
	waiting := q.active[addr]
	if len(waiting) == 0 {
		delete(q.active, addr)
		return
	}
	q.active[addr] = waiting[1:]
	q.waiting--
	q.turns = append(q.turns, waiting[0])
}

// sweepBatchSize is how many probes are sent together.
const sweepBatchSize = 16

// sweepBatch is probes that one pool sends together.
type sweepBatch struct {
	pool   *engine.Pool
	probes []engine.Probe
}

// sweepBatches is a batch for each pool. There are as many as families and zones
// in use, which is few.
type sweepBatches []sweepBatch

// clear empties the batches.
func (b sweepBatches) clear() {
	for i := range b {
		b[i].probes = b[i].probes[:0]
	}
}

// add puts a probe into the batch of its pool.
func (b *sweepBatches) add(pool *engine.Pool, p engine.Probe) {
	for i := range *b {
		if batch := &(*b)[i]; batch.pool == pool {
			batch.probes = append(batch.probes, p)
			return
		}
	}
	*b = append(*b, sweepBatch{pool, []engine.Probe{p}})
}

// batchOwner is told what becomes of each probe of a batch.
type batchOwner interface {
	sent(p *engine.Probe)
	refused(p *engine.Probe, err error) // by the system
}

// flush sends a batch. What the system says against a probe is for its owner; an
// error is the end of the operation.
func (b *sweepBatch) flush(ctx context.Context, op *engine.Op, owner batchOwner) error {
	for first := 0; first < len(b.probes); {
		n, err := b.pool.Send(ctx, op, b.probes[first:])
		for i := first; i < first+n; i++ {
			owner.sent(&b.probes[i])
		}
		first += n
		if err == nil {
			continue
		}
		if wasStopped(ctx, err) {
			return err
		}
		if first < len(b.probes) {
			owner.refused(&b.probes[first], err)
			first++
		}
	}
	return nil
}

// sendGate keeps the rate of a call and that of all calls together.
type sendGate struct {
	own, all *engine.Pacer
	at       time.Time // when the next batch may leave
	reserved int       // packets that may leave then
}

// reserve returns how many of n packets may leave now. The places of those
// that may not leave yet are kept for them.
func (g *sendGate) reserve(now time.Time, n int) int {
	if g.reserved == 0 {
		g.reserved = min(g.own.Batch(n), g.all.Batch(n))
		own, all := g.own.Reserve(now, g.reserved), g.all.Reserve(now, g.reserved)
		g.at = later(own, all)
	}
	if g.at.After(now) {
		return 0
	}
	n = min(n, g.reserved)
	g.reserved -= n
	return n
}

// end gives back to other calls what was kept for this one.
func (g *sendGate) end() { g.all.GiveBack(g.reserved) }

// waiter is how an operation waits. It has to be stopped.
type waiter struct {
	timer  *time.Timer
	closed <-chan struct{} // by Close of the Prober
	also   <-chan struct{} // something else to wait for; nil: nothing
}

func newWaiter(closed <-chan struct{}) waiter {
	return waiter{timer: time.NewTimer(0), closed: closed}
}

func (w *waiter) stop() { w.timer.Stop() }

// wait waits until there is something in ready, which it then takes and tells,
// or until a moment; the zero time never comes. An error is why the operation
// has to end.
func (w *waiter) wait(ctx context.Context, ready <-chan struct{}, at time.Time) (isReady bool, err error) {
	var due <-chan time.Time
	if !at.IsZero() {
		w.timer.Reset(time.Until(at))
		due = w.timer.C
	}
	select {
	case <-ready:
		return true, nil
	case <-w.also:
		return false, nil
	case <-due:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case <-w.closed:
		return false, net.ErrClosed
	}
}

// wasStopped tells whether sending failed because the operation is to end: by
// its context, or with the Prober.
func wasStopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, net.ErrClosed)
}

// endsOperation tells whether sending failed in a way that is the end of the
// operation, and no result of the packet: it was stopped, or has options that
// only the system knows to be wrong.
func endsOperation(ctx context.Context, err error) bool {
	return wasStopped(ctx, err) || isConfigError(err)
}

func isConfigError(err error) bool {
	_, ok := errors.AsType[*ConfigError](err)
	return ok
}

// later returns the later of two moments.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
