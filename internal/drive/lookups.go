package drive

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
	"github.com/goicmp/icmplib/internal/plan/cadence"
)

// lookups looks names up, a limited number at a time, each on its own goroutine.
type lookups struct {
	ctx     context.Context
	stop    context.CancelFunc
	places  chan struct{}
	running sync.WaitGroup
}

func newLookups(ctx context.Context, most int) *lookups {
	ctx, stop := context.WithCancel(ctx)
	return &lookups{ctx: ctx, stop: stop, places: make(chan struct{}, most)}
}

// wait waits for a place, and reports whether there was one before the context ended.
func (l *lookups) wait() bool {
	select {
	case l.places <- struct{}{}:
	case <-l.ctx.Done():
	}
	return l.ctx.Err() == nil
}

// try reports whether there is a place now, and takes it.
func (l *lookups) try() bool {
	select {
	case l.places <- struct{}{}:
		return true
	default:
		return false
	}
}

// start starts a look-up, whose place is already taken, and calls after when the place is
// free again.
func (l *lookups) start(find func(context.Context), after func()) {
	l.running.Go(func() {
		defer after()
		defer func() { <-l.places }()
		find(l.ctx)
	})
}

// end ends the look-ups and waits for them.
func (l *lookups) end() {
	if l != nil {
		l.stop()
		l.running.Wait()
	}
}

const (
	// namesAtOnce is the number of look-ups at a time that a resolver can take from one
	// client without end.
	namesAtOnce = 16
	nameTimeout = 10 * time.Second
)

// lookup is a name to look up.
type lookup struct {
	find  func(context.Context)
	found func()
}

// LookUp calls find on its own goroutine when there is room, and then found on the
// goroutine of the Driver, unless the run has ended. The context of find ends with the run.
func (d *Driver) LookUp(find func(context.Context), found func()) {
	if d.lookups == nil {
		d.lookups = newLookups(context.Background(), namesAtOnce)
		d.calls.open()
	}
	d.names = append(d.names, lookup{find, found})
	d.findNames()
}

// findNames starts look-ups while there is room.
func (d *Driver) findNames() {
	for len(d.names) > 0 && d.lookups.try() {
		next := d.names[0]
		d.names = d.names[1:]
		d.lookups.start(func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, nameTimeout)
			defer cancel()
			next.find(ctx)
		}, func() {
			d.Do(func() {
				next.found()
				d.findNames()
			})
		})
	}
}

// Name is a name whose addresses are looked up again and again: a task of the Driver.
type Name struct {
	Errand
	cadence.Renewal

	// Find looks the name up, on its own goroutine. Its context ends with the run of the
	// Driver, and with Until, if that is not nil.
	Find  func(context.Context) ([]netip.Addr, error)
	Until context.Context

	// Found receives the result of each look-up.
	Found func([]netip.Addr, error)

	d       *Driver
	ref     Ref
	stopped bool
}

// errEnded is the result of a look-up that ended its goroutine.
var errEnded = errors.New("the Lookup ended its goroutine")

// Renew begins the look-ups of a name.
func (d *Driver) Renew(n *Name) {
	n.d = d
	n.ref = d.Add(n)
}

// Stop ends the look-ups. One that is running still completes.
func (n *Name) Stop() {
	n.stopped = true
	n.d.Later(func() { n.d.Look(n.ref) })
}

// Done reports whether Stop was called.
func (n *Name) Done() bool { return n.stopped }

// Next looks the name up if a look-up is due.
func (n *Name) Next(now time.Time) (p plan.Probe, ok bool, wake time.Time) {
	ask, wake := n.Renewal.Next(now)
	if !ask {
		return p, false, wake
	}
	var addrs []netip.Addr
	err := errEnded
	n.d.LookUp(func(ctx context.Context) {
		if n.Until != nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(n.Until, cancel)()
		}
		addrs, err = n.Find(ctx)
	}, func() {
		n.Renewal.Found(time.Now(), err != nil)
		n.Found(addrs, err)
		n.d.Look(n.ref)
	})
	return p, false, wake
}
