package lease

import (
	"errors"
	"slices"
	"testing"
)

func TestTheFirstOpensAndTheLastCloses(t *testing.T) {
	var l Lease[int]
	opened, broken := 0, errors.New("broken")
	var closed []int
	enter := func() (int, error) {
		return l.Enter(func() (int, error) {
			if opened++; opened == 2 {
				return -1, broken
			}
			return opened, nil
		})
	}
	leave := func() { l.Leave(func(n int) { closed = append(closed, n) }) }
	for i, tt := range []struct {
		enters bool
		err    error
		inUse  int
		closed []int
	}{
		{true, nil, 1, nil},
		{true, nil, 1, nil},
		{false, nil, 1, nil},
		{true, nil, 1, nil},
		{false, nil, 1, nil},
		{false, nil, 0, []int{1}},
		{true, broken, 0, []int{1}},
		{true, nil, 3, []int{1}},
		{false, nil, 0, []int{1, 3}},
	} {
		if tt.enters {
			if it, err := enter(); err != tt.err || err == nil && it != tt.inUse {
				t.Errorf("step %d: %d, %v", i, it, err)
			}
		} else {
			leave()
		}
		if l.it != tt.inUse || !slices.Equal(closed, tt.closed) {
			t.Errorf("step %d: %d is in use and %v are closed, want %d and %v", i, l.it, closed, tt.inUse, tt.closed)
		}
	}
}

// What is closed is no longer what others enter.
func TestWhoEntersWhileItIsClosedOpensAnother(t *testing.T) {
	var l Lease[string]
	open := func(name string) func() (string, error) { return func() (string, error) { return name, nil } }
	l.Enter(open("first"))
	l.Leave(func(it string) {
		if other, err := l.Enter(open("second")); it != "first" || other != "second" || err != nil {
			t.Errorf("%s was closed, and %s entered, %v", it, other, err)
		}
	})
}
