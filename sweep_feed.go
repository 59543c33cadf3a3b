package icmplib

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

// count returns how many targets were drawn.
func (d *feed) count() int {
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
