package live

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// View draws the screen: at most as many lines, and as many columns, as it has.
func (m *Model) View() string {
	t, _ := m.current()
	l := m.layout()
	lines := []string{m.bar(t), m.state(t, l)}
	switch {
	case m.help:
		lines = append(lines, m.helpLines()...)
	case m.detail && len(t.hops()) > 0:
		lines = append(lines, m.detailLines(t)...)
	default:
		lines = append(lines, m.body(t, l)...)
	}
	if last := m.height - 1; last >= 0 {
		for len(lines) < last {
			lines = append(lines, "")
		}
		lines = append(lines[:last], m.hints())
	}
	for i := range lines {
		lines[i] = strings.TrimRight(ansi.Truncate(lines[i], m.width, ""), " ")
	}
	return strings.Join(lines, "\n")
}

// body draws the tables. They share their columns, so that the figures of the
// targets stand above those of the hops.
func (m *Model) body(t *track, l layout) []string {
	set := m.sets[m.set]
	hops := m.hopRows(t)
	var targets []row
	if l.targets > 0 {
		targets = m.targetRows(m.shown())
	}
	f := fitted(set.columns, append(hops[:len(hops):len(hops)], targets...), m.width)
	var lines []string
	if l.targets > 0 {
		lines = append(lines, m.heading(f, "", "Target, "+m.order.String(), ""))
		_, at := m.current()
		for _, r := range window(targets, at-l.targets/2, l.targets) {
			lines = append(lines, m.line(f, r))
		}
		lines = append(lines, "")
	}
	if t.now == nil && t.err != nil {
		return append(lines, m.errorLines(t.err)...)
	}
	lines = append(lines, m.heading(f, "", "Hop", m.graphTitle(t, f)))
	visible := window(hops, m.scroll, l.hops)
	for _, r := range visible {
		lines = append(lines, m.line(f, r))
	}
	if l.events > 0 {
		lines = append(lines, make([]string, l.hops-len(visible))...)
		lines = append(lines, m.eventRows(t, l.events)...)
	}
	return lines
}

// errorLines writes an error in full, because it says what to do.
func (m *Model) errorLines(err error) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(err.Error(), "\n") {
		wrapped := ansi.Wrap(printable(paragraph), max(m.width-2, 1), "")
		for line := range strings.SplitSeq(wrapped, "\n") {
			lines = append(lines, " "+line)
		}
	}
	return lines
}

// window returns so many rows from the given one on, or as many as there are.
func window(rows []row, from, count int) []row {
	from = min(max(from, 0), max(len(rows)-count, 0))
	return rows[from:min(from+count, len(rows))]
}

// graphTitle says what the height of the bars means.
func (m *Model) graphTitle(t *track, f fit) string {
	if !m.shared {
		return "Graph"
	}
	return "0 to " + Milliseconds(commonScale(t, f.graph).high)
}
