package ping

import (
	"slices"
	"testing"
	"time"
)

func TestInFlightIsWhatIsNotSettled(t *testing.T) {
	var f InFlight
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	open := func() (all []int) {
		for seq, sent := range f.All() {
			if want := at.Add(time.Duration(seq) * time.Second); !sent.Equal(want) {
				t.Errorf("%d was sent at %v, want %v", seq, sent, want)
			}
			all = append(all, seq)
		}
		return all
	}
	for _, seq := range []int{0, 1, 3, 4, 7} { // others were refused
		f.Sent(seq, at.Add(time.Duration(seq)*time.Second))
	}
	for _, tt := range []struct {
		settle int
		want   []int
	}{
		{3, []int{0, 1, 4, 7}}, {2, []int{0, 1, 4, 7}}, {0, []int{1, 4, 7}}, {9, []int{1, 4, 7}}, {1, []int{4, 7}}, {7, []int{4}}, {4, nil},
	} {
		if f.Settle(tt.settle); !slices.Equal(open(), tt.want) {
			t.Errorf("behind %d: %v, want %v", tt.settle, open(), tt.want)
		}
	}
	if len(f.requests) != 0 {
		t.Errorf("%d are kept", len(f.requests))
	}
	f.Sent(8, at)
	f.Sent(9, at)
	for range f.All() {
		break
	}
}
