// Package lease keeps something open as long as anybody uses it.
package lease

import "sync"

// Lease has what its users share: the first of them opens it, and the last closes it. The
// zero value is ready for use, by any number of goroutines.
type Lease[T any] struct {
	mu    sync.Mutex
	users int
	it    T
}

// Enter begins a use, and opens what is used if nobody else uses it. An error is that of
// open, and begins none.
func (l *Lease[T]) Enter(open func() (T, error)) (T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == 0 {
		it, err := open()
		if err != nil {
			return it, err
		}
		l.it = it
	}
	l.users++
	return l.it, nil
}

// Leave ends a use. After the last it returns when what was used is closed; who enters
// meanwhile opens another.
func (l *Lease[T]) Leave(end func(T)) {
	l.mu.Lock()
	l.users--
	last, it := l.users == 0, l.it
	if last {
		l.it = *new(T)
	}
	l.mu.Unlock()
	if last {
		end(it)
	}
}
