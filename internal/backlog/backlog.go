// Package backlog queues a limited number of events, so that their producer does not wait
// for their consumer.
package backlog

import (
	"context"
	"net"
	"sync"
)

// Queue holds the waiting events. Any number of goroutines may use it.
type Queue[E any] struct {
	room   int
	missed func(*E) *int

	mu     sync.Mutex
	events []E
	lost   int           // since the last event that was kept
	ready  chan struct{} // holds a token while there may be events
}

// New returns a queue with room for room events. missed returns the field of an event that
// counts the events dropped before it for lack of room.
func New[E any](room int, missed func(*E) *int) *Queue[E] {
	return &Queue[E]{room: room, missed: missed, ready: make(chan struct{}, 1)}
}

// Put adds an event. If there is no room, it replaces the last one, so that an event with the
// count follows all dropped events.
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

// PutAll adds events. It takes over their slice, and returns another one for the next events.
// Events that matter have additional room of the same size as the others.
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

// Take returns all events. The queue reuses buf for the next ones.
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

// Each calls yield with events as they come, until yield returns false, ctx ends, or closed or
// ended is closed and all events are taken. It then returns the cause of ctx, or
// [net.ErrClosed] and the number of events dropped after the last one. Events that it has not
// passed to yield wait for another call, even if yield panics.
func (q *Queue[E]) Each(ctx context.Context, closed, ended <-chan struct{}, yield func(E) bool) (missed int, err error) {
	var taken []E
	next := 0 // the index of the next one in taken
	defer func() { q.giveBack(taken[next:]) }()
	for ctx.Err() == nil { // checked here, too, because yield may be slow
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

// takeLost returns the number of events dropped since the last kept one, and resets it.
func (q *Queue[E]) takeLost() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	lost := q.lost
	q.lost = 0
	return lost
}

// giveBack puts taken events back before all others.
func (q *Queue[E]) giveBack(events []E) {
	if len(events) == 0 {
		return
	}
	q.mu.Lock()
	q.events = append(append([]E(nil), events...), q.events...)
	q.mu.Unlock()
	q.signal()
}

// Tell calls f with each event, one at a time, on its own goroutine. The function that it
// returns, which must be called once, ends that after the remaining events.
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

// Ahead calls run on its own goroutine, and calls yield with the events that run yields. Up to
// room events may wait, at least one. It returns the error of run, or nil if yield returned
// false. When it returns, or yield panics, run has ended.
func Ahead[E any](ctx context.Context, room int, run func(ctx context.Context, yield func(E) bool) error, yield func(E) bool) error {
	ctx, stop := context.WithCancel(ctx)
	left := make(chan struct{})
	// The last event for which there is room waits at the channel, with run.
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
