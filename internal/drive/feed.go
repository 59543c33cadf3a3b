package drive

import (
	"context"
	"iter"
	"net/netip"
	"sync"
)

const (
	// feedAhead is how many targets are drawn ahead of the sending.
	feedAhead = 1024

	// maxLookups bounds the names that are looked up at the same time.
	maxLookups = 64
)

// Target is a target for which a task is begun.
type Target struct {
	Index int // in the order in which targets are drawn
	Name  string
	Addr  netip.Addr
	Err   error // why there is no address
}

// Names turns the names of targets into addresses.
type Names struct {
	// Parse returns the address of a target that needs no look-up.
	Parse func(name string) (addr netip.Addr, ok bool)
	// LookUp returns the address of any other.
	LookUp func(ctx context.Context, name string) (netip.Addr, error)
}

// Feed draws targets and looks up their names, ahead of the sending.
type Feed struct {
	names Names

	ready chan struct{} // holds a token while queue may not be empty, or after the end
	room  chan struct{} // holds a token while queue may have room
	stop  context.CancelFunc
	done  sync.WaitGroup // the goroutine that draws, and those that look up

	mu    sync.Mutex
	queue []Target
	drawn int
	ended bool // nothing will follow what is in queue
	panic any  // what the iterator panicked with; nil: it did not, or it was raised
}

// NewFeed starts to draw targets. It ends with the Driver that has it.
//
// The iterator is the caller's, but runs in a goroutine of the feed: a panic in it is
// raised again in the goroutine of the caller, by take or end. If it ends that
// goroutine (runtime.Goexit), there are no further targets.
func NewFeed(ctx context.Context, targets iter.Seq[string], names Names) *Feed {
	ctx, stop := context.WithCancel(ctx)
	d := &Feed{
		names: names,
		ready: make(chan struct{}, 1),
		room:  make(chan struct{}, 1),
		stop:  stop,
	}
	d.done.Go(func() { d.draw(ctx, targets) })
	return d
}

// draw draws targets until there are no more, or ctx ends.
func (d *Feed) draw(ctx context.Context, targets iter.Seq[string]) {
	lookups := newLookups(ctx, maxLookups)
	defer func() { d.finish(recover(), lookups) }()
	index := 0
	for name := range targets {
		t := Target{Index: index, Name: name}
		index++
		if addr, ok := d.names.Parse(name); ok {
			t.Addr = addr
			if !d.push(ctx, t) {
				break
			}
			continue
		}
		if !d.lookUp(t, lookups) {
			break
		}
	}
}

// finish notes that nothing more is drawn, and waits for the lookups. A panic is raised at
// once.
func (d *Feed) finish(panicked any, lookups *lookups) {
	d.mu.Lock()
	d.panic = panicked
	d.mu.Unlock()
	if panicked != nil {
		signal(d.ready)
	}
	lookups.running.Wait()
	lookups.stop()
	d.mu.Lock()
	d.ended = true
	d.mu.Unlock()
	signal(d.ready)
}

// raise panics where the iterator did, once.
func (d *Feed) raise() {
	d.mu.Lock()
	panicked := d.panic
	d.panic = nil
	d.mu.Unlock()
	if panicked != nil {
		panic(panicked)
	}
}

// lookUp pushes a target when its address is known. It waits for a place among the
// look-ups, and reports whether it got one before ctx ended. (It is separate from draw,
// because otherwise every target would be allocated, even without a look-up.)
func (d *Feed) lookUp(t Target, lookups *lookups) bool {
	if !lookups.wait() {
		return false
	}
	lookups.start(func(ctx context.Context) {
		t.Addr, t.Err = d.names.LookUp(ctx, t.Name)
		d.push(ctx, t)
	}, func() {})
	return true
}

// push appends a target when there is room, and reports whether it did.
func (d *Feed) push(ctx context.Context, t Target) bool {
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

// take returns the targets that are ready, and whether more may follow. The feed reuses
// buf, the result of the previous call.
func (d *Feed) take(buf []Target) (targets []Target, more bool) {
	d.raise()
	d.mu.Lock()
	defer d.mu.Unlock()
	targets = d.queue
	d.queue = buf[:0]
	signal(d.room)
	return targets, !d.ended
}

// Count returns how many targets were drawn.
func (d *Feed) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.drawn
}

// end stops the drawing and waits for it.
func (d *Feed) end() {
	d.stop()
	d.done.Wait()
	d.raise()
}

// queue hands out the targets of a feed: targets with the same address one after the other.
// The zero value has none.
type queue struct {
	feed    *Feed
	slots   *slots                  // which addresses are in use
	blocked map[netip.Addr][]Target // the targets that wait for them
	waiting int                     // how many do
	freed   []Target                // whose address has become free
	drawn   []Target
	next    int  // of drawn
	more    bool // the feed has not ended
}

func newQueue(f *Feed, s *slots) queue {
	s.index()
	return queue{feed: f, slots: s, blocked: map[netip.Addr][]Target{}, more: true}
}

// take returns the next target to begin with. A new target is drawn only while wants
// reports true.
func (q *queue) take(wants func() bool) (t Target, ok bool) {
	for {
		if n := len(q.freed); n > 0 {
			t = q.freed[n-1]
			q.freed = q.freed[:n-1]
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
		if t.Err != nil || !q.slots.has(t.Addr) {
			return t, true
		}
		q.blocked[t.Addr] = append(q.blocked[t.Addr], t)
		q.waiting++
	}
}

// news returns the channel that announces further targets if wants reports true, and
// otherwise nil.
func (q *queue) news(wants func() bool) <-chan struct{} {
	if q.more && wants() {
		return q.feed.ready
	}
	return nil
}

// ended reports whether the only remaining targets are those whose address is in use.
func (q *queue) ended() bool {
	return !q.more && len(q.freed) == 0 && q.next == len(q.drawn)
}

// release gives an address that is no longer in use to the target that waits for it, if
// there is one. That target is taken before any newly drawn one.
func (q *queue) release(addr netip.Addr) {
	if q.waiting == 0 {
		return
	}
	waiting := q.blocked[addr]
	switch len(waiting) {
	case 0:
		return
	case 1:
		delete(q.blocked, addr)
	default:
		q.blocked[addr] = waiting[1:]
	}
	q.waiting--
	q.freed = append(q.freed, waiting[0])
}
