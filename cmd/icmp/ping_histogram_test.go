package main

import (
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
)

// statsOf returns the statistics of probes with these round-trip times.
func statsOf(rtts ...time.Duration) *icmplib.Stats {
	s := &icmplib.Stats{}
	for seq, rtt := range rtts {
		s.Add(reply(seq, rtt))
	}
	return s
}

func TestHistogram(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name  string
		stats *icmplib.Stats
		want  string
	}{
		{"nothing answered", statsOf(), ""},
		{"one reply", statsOf(ms), ""},
		{"all alike", statsOf(ms, ms, ms), ""},
		{"of equal width", statsOf(10*ms, 11*ms, 11*ms, 26*ms), `
10.000 - 12.000 ms  ######################################## 3
12.000 - 14.000 ms  0
14.000 - 16.000 ms  0
16.000 - 18.000 ms  0
18.000 - 20.000 ms  0
20.000 - 22.000 ms  0
22.000 - 24.000 ms  0
24.000 - 26.000 ms  ############## 1
`},
		{"by multiples where the greatest is many times the least", statsOf(ms, 2*ms, 3*ms, 256*ms), `
  1.000 -   2.000 ms  ######################################## 2
  2.000 -   4.000 ms  #################### 1
  4.000 -   8.000 ms  0
  8.000 -  16.000 ms  0
 16.000 -  32.000 ms  0
 32.000 -  64.000 ms  0
 64.000 - 128.000 ms  0
128.000 - 256.000 ms  #################### 1
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(histogramLines(histogramOf(tt.stats), false), "\n")
			if got != strings.Trim(tt.want, "\n") {
				t.Errorf("got\n%s\nwant%s", got, tt.want)
			}
		})
	}
}

func TestAHistogramCountsEveryReply(t *testing.T) {
	for _, n := range []int{2, 1000, 5000} { // of the last, the statistics keep no list
		s := &icmplib.Stats{}
		for seq := range n {
			s.Add(reply(seq, 10*time.Millisecond+time.Duration(seq)*4*time.Microsecond))
		}
		if list := s.RTTs(); (list == nil) != (n == 5000) {
			t.Fatalf("of %d replies, %d are kept: the test does not test both ways", n, len(list))
		}
		total := 0
		for _, bar := range histogramOf(s) {
			total += bar.count
			// All are evenly spread. Without a list, a bound errs by 1 %.
			if want := n / histogramRows; n > 2 && (bar.count < want-want/4 || bar.count > want+want/4) {
				t.Errorf("%d of %d are from %v to %v, want about %d", bar.count, n, bar.from, bar.to, want)
			}
		}
		if total != n {
			t.Errorf("%d of %d replies are counted", total, n)
		}
	}
}
