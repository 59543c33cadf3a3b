// Package backlog keeps events until somebody takes them, within a bound: whoever has them
// to tell does not wait for whoever hears them.
package backlog

import (
	"context"
	"net"
	"sync"
)

// Queue has the events that wait. Any number of goroutines may use it.
type Queue[E any] struct {
	room   int
	missed func(*E) *int

	mu     sync.Mutex
	events []E
	lost   int           // since the last event that was kept
	ready  chan struct{} // holds a token while there may be events
}

// New returns a queue with room for so many events. Missed is the field of an event which
// says how many before it were left out, for want of room.
func New[E any](room int, missed func(*E) *int) *Queue[E] {
	return &Queue[E]{room: room, missed: missed, ready: make(chan struct{}, 1)}
}

// Put adds an event. Without room it takes the place of the last one, so that an event is
// behind all that were left out, which says so.
func (q *Queue[E]) Put(e E) {
	q.mu.Lock()
	if n := len(q.events); n >= q.room {
		*q.missed(&e) = *q.missed(&q.events[n-1]) + 1
		q.events[n-1] = e
	} else {
		q.events = append(q.events, e)
	}
	q.mu.Unlock()
	q.signal()
}

// PutAll adds events, for which it takes over the slice, and returns one for others. Those
// that matter have as much room again as the rest.
func (q *Queue[E]) PutAll(events []E, matters func(*E) bool) []E {
	defer q.signal()
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(events) > 0 && len(q.events) == 0 && len(events) <= q.room {
		*q.missed(&events[0]), q.lost = q.lost, 0
		events, q.events = q.events, events
		return events
	}
	for i := range events {
		room := q.room
		if matters(&events[i]) {
			room *= 2
		}
		q.add(&events[i], room)
	}
	clear(events)
	return events[:0]
}

func (q *Queue[E]) add(e *E, room int) {
	if len(q.events) >= room {
		q.lost++
		return
	}
	*q.missed(e), q.lost = q.lost, 0
	q.events = append(q.events, *e)
}

// Take returns all events. Buf, which it may overwrite, has the room for those to come.
func (q *Queue[E]) Take(buf []E) []E {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) == 0 {
		return nil
	}
	clear(buf)
	taken := q.events
	q.events = buf[:0]
	return taken
}

// Each calls yield with events as they come, until it returns false, ctx ends, or one of two
// channels is closed and all events were taken. It returns the cause of ctx then, or
// [net.ErrClosed] with how many were left out behind the last event. What yield was not given
// waits for another call, also where yield panics.
func (q *Queue[E]) Each(ctx context.Context, closed, ended <-chan struct{}, yield func(E) bool) (missed int, err error) {
	var taken []E
	next := 0 // of them
	defer func() { q.giveBack(taken[next:]) }()
	for ctx.Err() == nil { // not only where it waits: yield may be slow
		if next < len(taken) {
			next++
			if !yield(taken[next-1]) {
				return 0, nil
			}
			continue
		}
		over := isClosed(closed) || isClosed(ended)
		if more := q.Take(taken); more != nil {
			taken, next = more, 0
			continue
		}
		if over {
			return q.takeLost(), net.ErrClosed
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
		case <-closed:
		case <-ended:
		}
	}
	return 0, context.Cause(ctx)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// takeLost returns how many events were left out since the last that was kept, once.
func (q *Queue[E]) takeLost() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	lost := q.lost
	q.lost = 0
	return lost
}

// giveBack puts events that were taken before all others again.
func (q *Queue[E]) giveBack(events []E) {
	if len(events) == 0 {
		return
	}
	q.mu.Lock()
	q.events = append(append([]E(nil), events...), q.events...)
	q.mu.Unlock()
	q.signal()
}

// Tell has f called with each event, one at a time, on a goroutine of its own. The function
// that it returns, to be called once, ends that when all have been told.
func (q *Queue[E]) Tell(f func(E)) (end func()) {
	ending, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		var taken []E
		for last := false; !last; {
			select {
			case <-q.ready:
			case <-ending:
				last = true
			}
			taken = q.Take(taken)
			for i := range taken {
				f(taken[i])
			}
		}
	}()
	return func() {
		close(ending)
		<-done
	}
}

func (q *Queue[E]) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// Ahead has run called on a goroutine of its own, and calls yield with what that yields, of
// which so much may wait, at least one. It returns what run does, or nil when yield returned
// false. Nothing runs any more then, also where yield panics.
func Ahead[E any](ctx context.Context, room int, run func(ctx context.Context, yield func(E) bool) error, yield func(E) bool) error {
	ctx, stop := context.WithCancel(ctx)
	left := make(chan struct{})
	// The last event for which there is room waits at the channel, and run with it.
	events := make(chan E, room-1)
	var err error // once events is closed
	go func() {
		defer close(events)
		err = run(ctx, func(e E) bool {
			select {
			case events <- e:
				return true
			case <-left:
				return false
			}
		})
	}()
	defer func() {
		close(left)
		stop()
		for range events { // until it is closed
		}
	}()
	for e := range events {
		if !yield(e) {
			return nil
		}
	}
	return err
}
