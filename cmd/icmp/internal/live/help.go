package live

import (
	"fmt"

	"github.com/charmbracelet/x/ansi"
)

// hints draws the last line: as many keys as there is room for.
func (m *Model) hints() string {
	if m.asked != nil {
		return m.paint.warn(" " + m.question())
	}
	line := ""
	for _, b := range bindings {
		if b.hint == "" || b.several && len(m.tracks) == 1 {
			continue
		}
		hint := " " + m.paint.head(b.shown) + " " + b.hint + " "
		if ansi.StringWidth(line+hint) > m.width {
			break
		}
		line += hint
	}
	return line
}

// helpLines lists the keys, and the marks of the graphs.
func (m *Model) helpLines() []string {
	lines := []string{m.paint.head("   Keys          columns now: " + m.sets[m.set].name)}
	for _, b := range bindings {
		if b.shown != "" {
			lines = append(lines, "   "+padRight(m.paint.head(b.shown), 17)+b.help)
		}
	}
	bars := m.glyphs().bars
	return append(lines,
		fmt.Sprintf("   Graph: %s%s%s fast to slow  %s lost  l late  ? time not known  - not sent",
			m.paint.graph(bars[0]), m.paint.graph(bars[len(bars)/2]), m.paint.graph(bars[len(bars)-1]), m.paint.bad("x")),
		"   Times are milliseconds. Loss in parentheses is none: the router limits how many",
		"   errors it sends, and nothing is lost of what goes on past it.")
}
