package plan

import (
	"testing"
	"time"
)

func TestAKeyHoldsTheHopAndTheNumber(t *testing.T) {
	for _, tt := range []struct{ hop, number, want int }{
		{0, 0, 0}, {255, 1<<24 - 1, 1<<24 - 1}, {30, 7, 7}, {1, 1 << 24, 0}, {1, 1<<24 + 5, 5},
	} {
		k := MakeKey(tt.hop, tt.number)
		if k.Hop() != tt.hop || k.Number() != tt.want {
			t.Errorf("MakeKey(%d, %d) is of hop %d, number %d, want %d", tt.hop, tt.number, k.Hop(), k.Number(), tt.want)
		}
	}
}

func TestTheOrdinalOfAProbeGoesBeyondItsBits(t *testing.T) {
	const wrap = 1 << 24
	for _, tt := range []struct{ number, limit int }{
		{0, 1}, {5, 6}, {0, wrap}, {wrap - 1, wrap}, {wrap - 1, wrap + 1}, {wrap, wrap + 1}, {3*wrap + 7, 3*wrap + 9}, {3*wrap - 1, 3*wrap + 9},
	} {
		if got := MakeKey(9, tt.number).Ordinal(tt.limit); got != tt.number {
			t.Errorf("probe %d of %d has the ordinal %d", tt.number, tt.limit, got)
		}
	}
}

func TestTheEarlierOfTwoTimes(t *testing.T) {
	none, first, second := time.Time{}, time.Unix(1, 0), time.Unix(2, 0)
	for _, tt := range []struct{ a, b, want time.Time }{
		{first, second, first}, {second, first, first}, {first, first, first},
		{none, second, second}, {second, none, second}, {none, none, none},
	} {
		if got := Earlier(tt.a, tt.b); !got.Equal(tt.want) {
			t.Errorf("of %v and %v it is %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}
