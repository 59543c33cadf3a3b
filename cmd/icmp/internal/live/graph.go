package live

import (
	"strings"
	"time"
)

// scale is what the lowest and the highest bar of a graph stand for.
type scale struct{ low, high time.Duration }

// include widens a scale to the answers of a trail.
func (s scale) include(marks []mark) scale {
	for _, m := range marks {
		switch {
		case m.kind != markAnswered:
		case s.high == 0:
			s = scale{m.rtt, m.rtt}
		default:
			s = scale{min(s.low, m.rtt), max(s.high, m.rtt)}
		}
	}
	return s
}

// own returns the scale of one hop: from its best to its worst, but not so
// narrow that what is mere noise looks like mountains.
func (s scale) own() scale {
	return scale{s.low, max(s.high, s.low+max(s.low/4, time.Millisecond))}
}

// common returns the scale of all hops, from 0.
func (s scale) common() scale {
	return scale{0, max(s.high, time.Millisecond)}
}

// level returns which of so many bars stands for a time.
func (s scale) level(rtt time.Duration, bars int) int {
	if s.high <= s.low {
		return 0
	}
	at := int(float64(rtt-s.low) / float64(s.high-s.low) * float64(bars))
	return min(max(at, 0), bars-1)
}

// glyphs are the characters of graphs.
type glyphs struct {
	bars  []string
	gap   string // in the place of what was left out
	arrow string
}

var (
	unicodeGlyphs = glyphs{strings.Split("▁▂▃▄▅▆▇█", ""), "…", "→"}
	asciiGlyphs   = glyphs{strings.Split("_.-=+*#", ""), "..", "->"}
)

// Bars returns the characters that stand for times, the lowest first: blocks, or
// ASCII.
func Bars(unicode bool) []string {
	if unicode {
		return unicodeGlyphs.bars
	}
	return asciiGlyphs.bars
}

// otherGlyphs are those of what has no round-trip time. They are ASCII.
var otherGlyphs = [...]string{
	markOpen: " ", markUntimed: "?", markLate: "l", markLost: "x", markUnsent: "-",
}

func (m *Model) glyphs() glyphs {
	if m.cfg.ASCII {
		return asciiGlyphs
	}
	return unicodeGlyphs
}

// graph draws a trail. Marks of one colour share its escape sequence.
func (m *Model) graph(marks []mark, s scale) string {
	var b strings.Builder
	for from := 0; from < len(marks); {
		to := from + 1
		for to < len(marks) && marks[to].kind == marks[from].kind {
			to++
		}
		b.WriteString(m.markPaint(marks[from].kind)(m.plainGraph(marks[from:to], s)))
		from = to
	}
	return b.String()
}

// plainGraph draws a trail without colours.
func (m *Model) plainGraph(marks []mark, s scale) string {
	bars := m.glyphs().bars
	var b strings.Builder
	for _, mark := range marks {
		if mark.kind == markAnswered {
			b.WriteString(bars[s.level(mark.rtt, len(bars))])
		} else {
			b.WriteString(otherGlyphs[mark.kind])
		}
	}
	return b.String()
}

func (m *Model) markPaint(kind markKind) func(string) string {
	switch kind {
	case markAnswered:
		return m.paint.graph
	case markLost:
		return m.paint.bad
	case markOpen:
		return same
	}
	return m.paint.warn
}
