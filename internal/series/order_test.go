package series

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// put feeds t as series does, and returns the ordinals that had their turn.
func put(t *order, seq int) []int {
	var out []int
	if t.inTurn(seq) {
		out = append(out, seq)
	} else {
		t.hold(sample{seq: seq})
	}
	for {
		x, ok := t.release()
		if !ok {
			return out
		}
		out = append(out, x.seq)
	}
}

func TestTurnsRestoreSendingOrder(t *testing.T) {
	tests := []struct {
		name    string
		arrive  []int
		leave   []int
		waiting []int
	}{
		{"in order, nobody waits", []int{0, 1, 2}, []int{0, 1, 2}, nil},
		{"in reverse, all wait for the first", []int{3, 2, 1, 0}, []int{0, 1, 2, 3}, nil},
		{"a gap holds up what follows it", []int{0, 2, 3}, []int{0}, []int{2, 3}},
		{"until it is filled", []int{0, 2, 3, 1}, []int{0, 1, 2, 3}, nil},
		{"a second gap still holds up the rest", []int{0, 2, 4, 1}, []int{0, 1, 2}, []int{4}},
		{"those that wait do so in order", []int{5, 3, 4, 1}, nil, []int{1, 3, 4, 5}},
		{"a second run is taken as it comes", []int{0, 1, 2, 0, 2, 1}, []int{0, 1, 2, 0, 2, 1}, nil},
		{"an ordinal that comes twice leaves twice", []int{1, 1, 0}, []int{0, 1, 1}, nil},
		{"a negative ordinal has had its turn", []int{-7, 0}, []int{-7, 0}, nil},
		{"the greatest ordinal does not overflow", []int{math.MaxInt, 0}, []int{0}, []int{math.MaxInt}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var o order
			var leave, waiting []int
			for _, seq := range tt.arrive {
				leave = append(leave, put(&o, seq)...)
			}
			for _, x := range o.waiting() {
				waiting = append(waiting, x.seq)
			}
			if !slices.Equal(leave, tt.leave) || !slices.Equal(waiting, tt.waiting) {
				t.Errorf("%v leave and %v wait, want %v and %v", leave, waiting, tt.leave, tt.waiting)
			}
		})
	}
}

func TestTurnsRestoreAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		arrive := random.Perm(random.IntN(60))
		var o order
		var leave []int
		for _, seq := range arrive {
			leave = append(leave, put(&o, seq)...)
		}
		if !slices.IsSorted(leave) || len(leave) != len(arrive) || len(o.waiting()) != 0 {
			t.Fatalf("%v leave as %v, %d wait", arrive, leave, len(o.waiting()))
		}
	}
}

func TestTurnsGiveUpWhatIsMissingForTooLong(t *testing.T) {
	var o order
	const first = 10 // 0 to 9 never come
	for i := range maxHeld {
		if out := put(&o, first+i); out != nil {
			t.Fatalf("%v left when %d waited", out, i)
		}
	}
	out := put(&o, first+maxHeld)
	if len(out) != maxHeld+1 || !slices.IsSorted(out) || len(o.waiting()) != 0 {
		t.Fatalf("%d left and %d wait, want all of them to leave in order", len(out), len(o.waiting()))
	}
	if out := put(&o, 3); !slices.Equal(out, []int{3}) {
		t.Errorf("the one given up leaves as %v when it comes after all", out)
	}
}

func TestTurnsStayBoundedWhenEverySecondIsMissing(t *testing.T) {
	var o order
	left := 0
	for seq := 1; seq < 8*maxHeld; seq += 2 {
		left += len(put(&o, seq))
	}
	if n := len(o.waiting()); n != maxHeld || left+n != 4*maxHeld {
		t.Errorf("%d left and %d wait, want %d to wait", left, n, maxHeld)
	}
	if n := cap(o.held); n > 4*maxHeld {
		t.Errorf("room for %d was made", n)
	}
}
