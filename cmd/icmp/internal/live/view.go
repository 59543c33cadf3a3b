package live

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/goicmp/icmplib"
)

// View draws the screen: at most as many lines, and as many columns, as it has.
func (m *Model) View() string {
	t, _ := m.current()
	l := m.layout()
	lines := []string{m.bar(t), m.state(t, l)}
	if m.help {
		lines = append(lines, m.helpLines()...)
	} else {
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
	set := columnSets[m.set]
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

// bar draws the first line: what is watched, and how. What matters least is
// left out where there is no room.
func (m *Model) bar(t *track) string {
	left := " " + t.name
	if a := t.address(); a.IsValid() && a.String() != t.name {
		left += " (" + a.String() + ")"
	}
	words := m.words(t)
	right := strings.Join(words, "  ") + " "
	for len(words) > 1 && ansi.StringWidth(left+right)+2 > m.width {
		words = words[1:]
		right = strings.Join(words, "  ") + " "
	}
	left = shorten(left, max(m.width-ansi.StringWidth(right)-2, 0), m.glyphs().gap)
	return m.paint.bar(padRight(spread(left, right, m.width), m.width))
}

// words are what the bar says on its right, the least important first.
func (m *Model) words(t *track) []string {
	words := []string{"every " + m.cfg.Interval}
	if t.now != nil {
		words = append(words, t.now.Time.Format(clock))
	}
	if m.settings.Family != icmplib.AnyFamily {
		words = append(words, m.settings.Family.String()+" only")
	}
	words = append(words, m.probes(), fmt.Sprintf("round %d", t.round()))
	if m.frozen != nil {
		words = append(words, "PAUSED")
	}
	return words
}

func (m *Model) probes() string {
	if m.cfg.Probes != nil {
		return m.cfg.Probes(m.settings)
	}
	return m.settings.Protocol.String()
}

// state draws the second line: how it goes.
func (m *Model) state(t *track, l layout) string {
	left := " " + m.stateOf(t)
	right := ""
	if m.set != 0 {
		right = "columns: " + columnSets[m.set].name + " "
	}
	if all := len(m.hopRows(t)); all > l.hops && !m.help {
		from := min(m.scroll, max(all-l.hops, 0))
		right = fmt.Sprintf("lines %d-%d of %d: up, down ", from+1, from+l.hops, all)
	}
	return spread(left, right, m.width)
}

func (m *Model) stateOf(t *track) string {
	switch outage := t.outage(); {
	case t.err != nil:
		return m.paint.bad("error: " + printable(t.err.Error()))
	case t.now == nil:
		return "waiting for the first round"
	case t.unsent != nil:
		return m.paint.bad("not sent: " + printable(t.unsent.Error()))
	case outage != nil:
		return m.paint.bad("OUTAGE since " + outage.Time.Format(clock) + ": the target does not answer")
	}
	state := reachedWords(m, t)
	if t.ended {
		state += ", finished"
	}
	return state
}

func reachedWords(m *Model, t *track) string {
	hop := t.target()
	if hop == nil {
		words := "the target has not answered"
		if end := t.now.End; end != icmplib.EndUnknown && end != icmplib.EndReached {
			words += ": " + end.String()
		}
		return m.paint.warn(words)
	}
	words := fmt.Sprintf("%d hops", hop.Distance)
	if hop.Distance == 1 {
		words = "1 hop"
	}
	if loss := hop.PacketLoss(); loss > 0 {
		return words + ", " + m.paint.bad(Percent(loss)+"% loss")
	}
	return words + ", " + m.paint.good("no loss")
}

// hints draws the last line: as many keys as there is room for.
func (m *Model) hints() string {
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
	lines := []string{m.paint.head("   Keys          columns now: " + columnSets[m.set].name)}
	for _, b := range bindings {
		if b.shown != "" {
			lines = append(lines, "   "+padRight(m.paint.head(b.shown), 17)+b.help)
		}
	}
	bars := m.glyphs().bars
	return append(lines,
		fmt.Sprintf("   Graph: %s%s%s fast to slow  %s lost  l late  ? time not known  - not sent",
			m.paint.graph(bars[0]), m.paint.graph(bars[len(bars)/2]), m.paint.graph(bars[len(bars)-1]), m.paint.bad("x")),
		"   Times are milliseconds. Loss that does not go on behind a hop is mostly a",
		"   router that limits how many errors it sends, and no loss of packets.")
}
