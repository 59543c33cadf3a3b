package plan

import "testing"

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
