package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/icmp/internal/live"
)

// pingRow is what the table knows of a target.
type pingRow struct {
	name  string // as nameOf has it
	stats icmplib.Stats
	trail trail
	fault error // why nothing could be sent
}

// pingTable is the table of several targets: what it draws depends on nothing
// but its fields and the size of the terminal.
type pingTable struct {
	rows  []pingRow
	looks looks
}

// Widths of the two columns that give way.
const (
	leastName  = 12
	leastSpark = 8
)

// lines draws the table in so many columns and rows; 0 rows are as many as it
// takes. The last line says what there is no room for.
func (t *pingTable) lines(width, height int) []string {
	rows := t.rows
	hidden := 0
	if height > 0 && len(rows)+1 > height {
		hidden = len(rows) - max(height-2, 0)
		rows = rows[:len(rows)-hidden]
	}
	shape := t.shape(width)
	lines := make([]string, 0, len(rows)+2)
	lines = append(lines, t.paint(t.header(shape), lipgloss.NewStyle().Bold(true)))
	for i := range rows {
		lines = append(lines, t.row(&rows[i], shape))
	}
	if hidden > 0 {
		lines = append(lines, ansi.Truncate(t.rest(t.rows[len(rows):]), width, ""))
	}
	return lines
}

// rest sums up the targets that are not shown.
func (t *pingTable) rest(rows []pingRow) string {
	alive := 0
	for i := range rows {
		if rows[i].stats.IsAlive() {
			alive++
		}
	}
	return fmt.Sprintf("and %d more, %d alive: all are shown at the end", len(rows), alive)
}

// tableShape is how the width is shared out.
type tableShape struct {
	name, spark int
	columns     []int // the width of each of pingColumns; 0: left out
}

// shape shares the width out: to the figures what they need, to the names what
// they need within reason, and the rest to the graph.
func (t *pingTable) shape(width int) tableShape {
	s := tableShape{columns: make([]int, len(pingColumns))}
	need := 0
	anyUnsent := slices.ContainsFunc(t.rows, func(r pingRow) bool { return r.stats.SendErrors > 0 })
	for i, c := range pingColumns {
		if c.title == unsentTitle && !anyUnsent {
			continue
		}
		s.columns[i] = max(len(c.title), 5)
		for r := range t.rows {
			s.columns[i] = max(s.columns[i], len(c.cell(&t.rows[r].stats)))
		}
		need += 1 + s.columns[i]
	}
	for rank := len(pingColumns); rank > 0 && width < leastName+need; rank-- {
		for i, c := range pingColumns {
			if c.rank == rank {
				need -= 1 + s.columns[i]
				s.columns[i] = 0
			}
		}
	}
	s.name = leastName
	for r := range t.rows {
		s.name = max(s.name, lipgloss.Width(t.rows[r].name))
	}
	s.name = max(min(s.name, width-need-2-leastSpark, max(width/4, leastName)), min(leastName, width-need))
	if s.spark = width - need - s.name - 2; s.spark < leastSpark {
		s.spark = 0
		s.name = width - need
	}
	s.spark = min(s.spark, trailLength)
	return s
}

func (t *pingTable) header(shape tableShape) string {
	var b strings.Builder
	b.WriteString(t.fit("HOST", shape.name))
	for i, c := range pingColumns {
		if shape.columns[i] > 0 {
			fmt.Fprintf(&b, " %*s", shape.columns[i], c.title)
		}
	}
	if shape.spark > 0 {
		b.WriteString("  RTT in ms"[:min(2+shape.spark, len("  RTT in ms"))])
	}
	return b.String()
}

// row draws a target: in red if it is not alive, its loss in yellow if there is
// one.
func (t *pingTable) row(r *pingRow, shape tableShape) string {
	if r.fault != nil && r.stats.PacketsSent == 0 && r.stats.SendErrors == 0 {
		fault := t.fit(r.name, shape.name) + "  " + shortFault(r.fault)
		return t.paint(strings.TrimRight(t.fit(fault, shape.width()), " "), lipgloss.NewStyle().Foreground(lipgloss.Red))
	}
	s := &r.stats
	style := lipgloss.NewStyle()
	if settled := s.PacketsSent - s.Unsettled + s.SendErrors; settled > 0 && !s.IsAlive() {
		style = style.Foreground(lipgloss.Red)
	}
	var b strings.Builder
	b.WriteString(t.paint(t.fit(r.name, shape.name), style))
	for i, c := range pingColumns {
		if shape.columns[i] == 0 {
			continue
		}
		cell := style
		if c.title == "LOSS" && s.IsAlive() && s.PacketLoss() > 0 {
			cell = cell.Foreground(lipgloss.Yellow)
		}
		b.WriteString(t.paint(fmt.Sprintf(" %*s", shape.columns[i], c.cell(s)), cell))
	}
	if shape.spark > 0 {
		b.WriteString("  " + sparkline(r.trail.last(shape.spark), shape.spark, t.looks.unicode))
	}
	return strings.TrimRight(b.String(), " ")
}

// width returns that of a whole line.
func (s tableShape) width() int {
	width := s.name
	for _, column := range s.columns {
		if column > 0 {
			width += 1 + column
		}
	}
	if s.spark > 0 {
		width += 2 + s.spark
	}
	return width
}

func (t *pingTable) paint(text string, style lipgloss.Style) string {
	if !t.looks.color {
		return text
	}
	return style.Render(text)
}

// fit pads a text to a width, or cuts it and says so.
func (t *pingTable) fit(text string, width int) string {
	more := "~"
	if t.looks.unicode {
		more = "…"
	}
	text = ansi.Truncate(text, max(width, 0), more)
	return text + strings.Repeat(" ", max(width-lipgloss.Width(text), 0))
}

// pingColumns are the figures, in their order. The first to be left out where
// there is no room is that with the highest rank. What was not sent has a column
// once there is any.
var pingColumns = []struct {
	title string
	rank  int
	cell  func(s *icmplib.Stats) string
}{
	{"SENT", 1, func(s *icmplib.Stats) string { return strconv.Itoa(s.PacketsSent) }},
	{"RECV", 5, func(s *icmplib.Stats) string { return strconv.Itoa(s.PacketsReceived) }},
	{"LOSS", 0, func(s *icmplib.Stats) string { return lossCell(s) }},
	{unsentTitle, 0, func(s *icmplib.Stats) string { return strconv.Itoa(s.SendErrors) }},
	{"LAST", 2, rttCell((*icmplib.Stats).LastRTT)},
	{"AVG", 0, rttCell((*icmplib.Stats).AvgRTT)},
	{"BEST", 4, rttCell((*icmplib.Stats).MinRTT)},
	{"WORST", 3, rttCell((*icmplib.Stats).MaxRTT)},
}

const unsentTitle = "UNSENT"

// lossCell writes the loss, once anything is known to be received or lost.
func lossCell(s *icmplib.Stats) string {
	if s.PacketsSent-s.Unsettled+s.SendErrors == 0 {
		return "-"
	}
	return percent(roundLoss(s.PacketLoss()))
}

// roundLoss leaves three digits, but makes neither none nor all of a loss that
// is neither.
func roundLoss(loss float64) float64 {
	if loss < 0.0005 || loss > 0.9995 {
		return loss
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(loss, 'f', 3, 64), 64)
	return rounded
}

func rttCell(figure func(*icmplib.Stats) time.Duration) func(*icmplib.Stats) string {
	return func(s *icmplib.Stats) string {
		if s.PacketsReceived == 0 {
			return "-"
		}
		return strings.TrimSuffix(milliseconds(figure(s)), " ms")
	}
}

// shortFault is what there is room for; the whole is told at the end.
func shortFault(err error) string {
	if errors.Is(err, icmplib.ErrNameLookup) {
		return "name not found"
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

// trailLength is how many of the last probes a trail knows.
const trailLength = 512

// trail is the results of the last probes to a host, in sending order, in
// whatever order that became known.
type trail struct {
	rtts [trailLength]time.Duration
	end  int // the ordinal after the last
}

// add takes the result of a probe. Silence stays silence when an answer comes
// late; an error gives way to a reply in time.
func (t *trail) add(r icmplib.Result) {
	if !r.Settles() && (r.Late || !r.Corrects) || r.Seq < t.end-trailLength {
		return
	}
	for ; t.end <= r.Seq; t.end++ {
		t.rtts[t.end%trailLength] = sparkOpen
	}
	at := &t.rtts[r.Seq%trailLength]
	switch r.Status {
	case icmplib.StatusReply:
		*at = r.RTT
	case icmplib.StatusNoReply:
		*at = sparkLost
	case icmplib.StatusUnsettled:
	default:
		*at = sparkError
	}
}

// last returns the last n, or as many as there are, in a list of its own.
func (t *trail) last(n int) []time.Duration {
	n = min(n, t.end, trailLength)
	last := make([]time.Duration, n)
	for i := range last {
		last[i] = t.rtts[(t.end-n+i)%trailLength]
	}
	return last
}

// What a sparkline has in place of a round-trip time.
const (
	sparkLost  time.Duration = -1 - iota // nothing came back
	sparkError                           // an ICMP error did
	sparkOpen                            // not known yet, or not sent
)

// sparkline draws one character for each of the last width round-trip times: the
// higher, the longer. The lowest stands for the least time drawn. If the times spread by
// less than an eighth of the greatest, they do not use the whole height, so that noise
// does not look important.
//
// An x is a probe without an answer, a ! one with an ICMP error, a space one in flight.
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
