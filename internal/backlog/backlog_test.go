package backlog

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// event is a number, and how many before it were missed.
type event struct{ n, missed int }

func newQueue(room int) *Queue[event] {
	return New(room, func(e *event) *int { return &e.missed })
}

func numbers(from, to int) (all []event) {
	for n := from; n < to; n++ {
		all = append(all, event{n: n})
	}
	return all
}

func small(*event) bool { return false }

func TestWhatHasNoRoomIsMissed(t *testing.T) {
	q := newQueue(2)
	for n := range 5 {
		q.Put(event{n: n})
	}
	taken := q.Take(nil)
	if want := []event{{0, 0}, {4, 3}}; !slices.Equal(taken, want) {
		t.Fatalf("%v, want %v", taken, want)
	}
	q.Put(event{n: 5})
	q.Put(event{n: 6})
	if got, want := q.Take(taken), []event{{5, 0}, {6, 0}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := q.Take(nil); len(got) != 0 || q.takeLost() != 0 {
		t.Errorf("%v were taken twice", got)
	}
	q.PutAll(numbers(0, 5), small)
	if first, again := q.takeLost(), q.takeLost(); first != 3 || again != 0 {
		t.Errorf("%d are missed at the end, and %d", first, again)
	}
}

func TestEventsThatFitAreNotCopied(t *testing.T) {
	for n, want := range map[int]bool{1: true, 2: true, 3: false} {
		q, events := newQueue(2), numbers(0, n)
		q.PutAll(events, small)
		if taken := q.Take(nil); len(taken) != min(n, 2) || (&taken[0] == &events[0]) != want {
			t.Errorf("of %d events %v are taken over: %v", n, taken, !want)
		}
	}
}

func TestWhatMattersHasAsMuchRoomAgain(t *testing.T) {
	q := newQueue(2)
	if room := q.PutAll(numbers(0, 2), small); len(room) != 0 {
		t.Errorf("%v is told again", room)
	}
	odd := func(e *event) bool { return e.n%2 == 1 }
	if room := q.PutAll(numbers(2, 8), odd); len(room) != 0 || cap(room) < 6 {
		t.Errorf("%v has room for %d", room, cap(room))
	}
	if got, want := q.Take(nil), []event{{0, 0}, {1, 0}, {3, 1}, {5, 1}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	q.PutAll(numbers(8, 9), small)
	if got, want := q.Take(nil), []event{{8, 2}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	q.PutAll(numbers(0, 3), small) // more than there is room for, at once
	if got, want := q.Take(nil), numbers(0, 2); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	q.PutAll(nil, small)
}

func TestEventsWaitInTheirOrder(t *testing.T) {
	q := newQueue(9)
	for n := range 3 {
		q.PutAll(numbers(2*n, 2*n+2), small)
	}
	q.Put(event{n: 6})
	if got, want := q.Take(nil), numbers(0, 7); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestWhatIsGivenBackComesFirst(t *testing.T) {
	q := newQueue(9)
	q.PutAll(numbers(0, 4), small)
	<-q.ready
	taken := q.Take(nil)
	q.Put(event{n: 4})
	<-q.ready
	q.giveBack(nil)
	q.giveBack(taken[2:])
	<-q.ready
	if got, want := q.Take(nil), numbers(2, 5); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestEachGoesOnWhereTheOneBeforeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(9)
		closed, ended, stopped := make(chan struct{}), make(chan struct{}), errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		for _, tt := range []struct {
			name   string
			before func()
			ctx    context.Context
			upTo   int    // the event behind which the loop is left; -1: it panics there
			during func() // an event
			want   []event
			missed int
			err    error
		}{
			{"it is left", func() { q.PutAll(numbers(0, 3), small) }, ctx, 1, nil, numbers(0, 2), 0, nil},
			{"the body panics", func() { q.PutAll(numbers(3, 5), small) }, ctx, -1, nil, numbers(2, 3), 0, nil},
			{"events come while it waits", func() { time.AfterFunc(time.Hour, func() { q.PutAll(numbers(5, 7), small) }) }, ctx, 5, nil, numbers(3, 6), 0, nil},
			{"ctx ends in the body", func() {}, ctx, 9, func() { cancel(stopped) }, numbers(6, 7), 0, stopped},
			{"ctx has ended", func() { q.PutAll(numbers(7, 8), small) }, ctx, 9, nil, nil, 0, stopped},
			{"it is closed", func() { time.AfterFunc(time.Hour, func() { close(closed) }) }, t.Context(), 9, nil, numbers(7, 8), 0, net.ErrClosed},
			{"the last were left out", func() { q.PutAll(numbers(10, 22), small) }, t.Context(), 99, nil, numbers(10, 19), 3, net.ErrClosed},
			{"nothing follows", func() {}, t.Context(), 9, nil, nil, 0, net.ErrClosed},
			{"the other has ended", func() { closed = nil; close(ended) }, t.Context(), 9, nil, nil, 0, net.ErrClosed},
		} {
			tt.before()
			var got []event
			var missed int
			var err error
			func() {
				defer func() { _ = recover() }()
				missed, err = q.Each(tt.ctx, closed, ended, func(e event) bool {
					got = append(got, e)
					if tt.during != nil {
						tt.during()
					}
					if tt.upTo < 0 {
						panic("a bug of the caller")
					}
					return e.n < tt.upTo
				})
			}()
			if !slices.Equal(got, tt.want) || missed != tt.missed || err != tt.err {
				t.Errorf("%s: %v, %d are missed, %v; want %v, %d, %v", tt.name, got, missed, err, tt.want, tt.missed, tt.err)
			}
		}
	})
}

// Whoever is too slow keeps nobody waiting, and is told all that was kept.
func TestASlowListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []event
		q := newQueue(3)
		end := q.Tell(func(e event) {
			if e.n == 0 {
				time.Sleep(time.Hour)
			}
			told = append(told, e)
		})
		q.Put(event{n: 0})
		synctest.Wait()
		for n := 1; n < 6; n++ {
			q.Put(event{n: n})
		}
		time.Sleep(2 * time.Hour)
		q.Put(event{n: 6})
		end()
		if want := []event{{0, 0}, {1, 0}, {2, 0}, {5, 2}, {6, 0}}; !slices.Equal(told, want) {
			t.Errorf("%v were told, want %v", told, want)
		}
	})
}

// counting yields numbers until it may not go on, and says which was the last.
func counting(last *int, end error) func(context.Context, func(int) bool) error {
	return func(ctx context.Context, yield func(int) bool) error {
		for *last = 0; *last < 9; *last++ {
			if !yield(*last) {
				return ctx.Err()
			}
		}
		return end
	}
}

func TestAheadRunsAsFarAsThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for room := 1; room < 4; room++ {
			last, ended := 0, errors.New("the end")
			var got []int
			err := Ahead(t.Context(), room, counting(&last, ended), func(n int) bool {
				got = append(got, n)
				if synctest.Wait(); n == 0 && last != room {
					t.Errorf("with room for %d it is at %d", room, last)
				}
				return true
			})
			if err != ended || !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}) {
				t.Errorf("%v, %v", got, err)
			}
		}
	})
}

func TestAheadEndsWhenItIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last := 0
		if err := Ahead(t.Context(), 2, counting(&last, nil), func(n int) bool { return n < 1 }); err != nil {
			t.Error(err)
		}
		func() {
			defer func() {
				if recover() != "a bug of the caller" {
					t.Error("it does not panic")
				}
			}()
			_ = Ahead(t.Context(), 2, counting(&last, nil), func(int) bool { panic("a bug of the caller") })
		}()
	})
}
