package main

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/goicmp/icmplib"
)

const (
	histogramRows  = 8
	histogramWidth = 40
)

// histogramBar is a range of round-trip times, and how many are in it.
type histogramBar struct {
	from, to time.Duration
	count    int
}

// histogramOf cuts the range of the round-trip times into bars: of equal width,
// or, where the greatest is many times the least, each a multiple of the one
// before. There is none where all are alike.
func histogramOf(s *icmplib.Stats) []histogramBar {
	least, greatest := s.MinRTT(), s.MaxRTT()
	if s.PacketsReceived < 2 || greatest-least < histogramRows {
		return nil
	}
	bars := make([]histogramBar, histogramRows)
	upTo := counter(s)
	before := 0
	for i := range bars {
		from, to := least, cut(least, greatest, i+1)
		if i > 0 {
			from = bars[i-1].to
		}
		count := upTo(to)
		bars[i] = histogramBar{from, to, count - before}
		before = count
	}
	return bars
}

// cut returns the end of bar i, counted from 1.
func cut(least, greatest time.Duration, i int) time.Duration {
	const manyTimes = 8
	share := float64(i) / histogramRows
	switch {
	case i == histogramRows:
		return greatest
	case least > 0 && greatest/least >= manyTimes:
		return time.Duration(float64(least) * math.Pow(float64(greatest)/float64(least), share))
	}
	return least + time.Duration(share*float64(greatest-least))
}

// counter returns a function that counts the round-trip times up to a bound. Of
// those that are not kept one by one, it errs as Percentile does.
func counter(s *icmplib.Stats) func(bound time.Duration) int {
	if rtts := s.RTTs(); rtts != nil {
		slices.Sort(rtts)
		return func(bound time.Duration) int {
			return sort.Search(len(rtts), func(i int) bool { return rtts[i] > bound })
		}
	}
	n := s.PacketsReceived
	return func(bound time.Duration) int {
		return sort.Search(n, func(i int) bool {
			return s.Percentile((float64(i)+0.5)/float64(n)) > bound
		})
	}
}

// histogramLines draws the bars.
func histogramLines(bars []histogramBar, unicode bool) []string {
	most, digits := 0, 0
	for _, b := range bars {
		most = max(most, b.count)
		digits = max(digits, len(joined(b.to)))
	}
	block := "#"
	if unicode {
		block = "█"
	}
	lines := make([]string, len(bars))
	for i, b := range bars {
		length := (b.count*histogramWidth + most - 1) / most // a single one shows, too
		bar := strings.Repeat(block, length)
		if length > 0 {
			bar += " "
		}
		lines[i] = fmt.Sprintf("%*s - %*s ms  %s%d", digits, joined(b.from), digits, joined(b.to), bar, b.count)
	}
	return lines
}
