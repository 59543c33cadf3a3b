package live

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Milliseconds writes a time in five columns at the most, up to 100 s.
func Milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 9.995:
		return fmt.Sprintf("%.2f", ms)
	case ms < 999.95:
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

// Percent writes a part of 1 without the sign. What is not quite none or all is
// not written as such.
func Percent(part float64) string {
	switch {
	case part == 1:
		return "100"
	case part > 0.9994:
		return "99.9"
	case part > 0 && part < 0.0005:
		return "0.1"
	}
	return fmt.Sprintf("%.1f", part*100)
}

// printable leaves out what would move the cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
}

// shorten cuts the middle out of what is too long: of an address and of a name,
// both ends say more.
func shorten(s string, width int, gap string) string {
	full := ansi.StringWidth(s)
	if full <= width {
		return s
	}
	rest := width - ansi.StringWidth(gap)
	if rest < 2 {
		return ansi.Truncate(s, max(width, 0), "")
	}
	head := (rest + 1) / 2
	return ansi.Truncate(s, head, "") + gap + ansi.TruncateLeft(s, full-(rest-head), "")
}

// padRight and padLeft fill up to a width. Colours count nothing.
func padRight(s string, width int) string {
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}

func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(width-ansi.StringWidth(s), 0)) + s
}

// spread writes two texts at both ends of a line. Where there is no room for
// both, the right one gives way.
func spread(left, right string, width int) string {
	gap := width - ansi.StringWidth(left) - ansi.StringWidth(right)
	if gap < 2 {
		return ansi.Truncate(left, width, "")
	}
	return left + strings.Repeat(" ", gap) + right
}
