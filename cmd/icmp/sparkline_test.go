package main

import (
	"testing"
	"time"
)

func TestSparkline(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name         string
		rtts         []time.Duration
		width        int
		blocks, text string
	}{
		{"nothing", nil, 10, "", ""},
		{"no room", []time.Duration{ms}, 0, "", ""},
		{"one is the least", []time.Duration{7 * ms}, 10, "▁", "_"},
		{"the whole height is from the least to the greatest", []time.Duration{10 * ms, 11 * ms, 12 * ms, 13 * ms, 14 * ms, 15 * ms, 16 * ms, 17 * ms, 18 * ms}, 10, "▁▂▃▄▅▆▇██", "__.-=+*##"},
		{"what hardly differs looks alike", []time.Duration{100 * ms, 101 * ms, 100 * ms}, 10, "▁▁▁", "___"},
		{"only the last are drawn, and only they matter", []time.Duration{time.Hour, 10 * ms, 20 * ms}, 2, "▁█", "_#"},
		{"what has no round-trip time", []time.Duration{sparkLost, 10 * ms, sparkError, 20 * ms, sparkOpen, 10 * ms}, 10, "x▁!█ ▁", "x_!# _"},
		{"nothing answered", []time.Duration{sparkLost, sparkLost}, 10, "xx", "xx"},
		{"a round-trip time of 0", []time.Duration{0, 0}, 10, "▁▁", "__"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := sparkline(tt.rtts, tt.width, true); got != tt.blocks {
				t.Errorf("got %q, want %q", got, tt.blocks)
			}
			if got := sparkline(tt.rtts, tt.width, false); got != tt.text {
				t.Errorf("in ASCII, got %q, want %q", got, tt.text)
			}
		})
	}
}
