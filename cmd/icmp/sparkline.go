package main

import (
	"slices"
	"strings"
	"time"

	"github.com/goicmp/icmplib/cmd/icmp/internal/live"
)

// What a sparkline has in place of a round-trip time.
const (
	sparkLost  time.Duration = -1 - iota // nothing came back
	sparkError                           // an ICMP error did
	sparkOpen                            // not known yet, or not sent
)

// sparkline draws one character for each round-trip time, the last of them if
// there are more than width: the higher, the longer. The lowest stands for the
// least of those drawn. What spreads less than an eighth of the greatest does
// not use the whole height, so that noise does not look like news.
//
// A probe without an answer is an x, one that met an ICMP error a !, one that is
// still open a space.
func sparkline(rtts []time.Duration, width int, unicode bool) string {
	rtts = rtts[max(0, len(rtts)-max(width, 0)):]
	levels := live.Bars(unicode)
	least, span := sparkRange(rtts)
	var b strings.Builder
	for _, rtt := range rtts {
		switch rtt {
		case sparkLost:
			b.WriteByte('x')
		case sparkError:
			b.WriteByte('!')
		case sparkOpen:
			b.WriteByte(' ')
		default:
			share := float64(rtt-least) / float64(span)
			b.WriteString(levels[min(int(share*float64(len(levels))), len(levels)-1)])
		}
	}
	return b.String()
}

// sparkRange returns what the lowest level stands for, and what all levels span.
func sparkRange(rtts []time.Duration) (least, span time.Duration) {
	answered := slices.DeleteFunc(slices.Clone(rtts), func(rtt time.Duration) bool { return rtt < 0 })
	if len(answered) == 0 {
		return 0, 1
	}
	least, greatest := slices.Min(answered), slices.Max(answered)
	return least, max(greatest-least, greatest/8, 1)
}
