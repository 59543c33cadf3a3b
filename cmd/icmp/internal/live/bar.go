package live

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/goicmp/icmplib"
)

// bar draws the first line: what is watched, and how. What matters least is
// left out where there is no room.
func (m *Model) bar(t *track) string {
	left := " " + t.String()
	if a := t.address(); a.IsValid() && a.String() != t.Name {
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
		right = fmt.Sprintf("lines %d-%d of %d ", from+1, from+l.hops, all)
	}
	return spread(left, right, m.width)
}

func (m *Model) stateOf(t *track) string {
	switch outage := t.outage(); {
	case t.err != nil:
		return m.paint.bad(m.problem(t))
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

// problem says that the watching has ended, and why; where there is nothing else
// to see, that stands below in full.
func (m *Model) problem(t *track) string {
	if t.now == nil {
		return "this target cannot be watched:"
	}
	return "ended: " + printable(t.err.Error())
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
