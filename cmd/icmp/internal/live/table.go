package live

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/goicmp/icmplib"
)

// row is a line of a table.
type row struct {
	lead  string // the distance
	label string
	short string       // the label where there is no room for all of it; "": the same
	hop   *icmplib.Hop // whose figures they are; nil: there are none, and the label has the line
	tone  func(string) string
	loss  func(string) string
	limit bool                   // the loss is none: see Limits
	graph func(width int) string // nil: there is none
}

// Widths of a table. What the columns leave is shared by the label and the
// graph.
const (
	leadWidth  = 4
	leastLabel = 15 // an IPv4 address
	fairLabel  = 24 // for a longer one, columns are dropped
	mostLabel  = 72
	leastGraph = 12
)

// fit is how the columns of a table share the width of the screen.
type fit struct {
	width   int
	columns []column
	widths  []int
	label   int
	graph   int
	short   bool // whether labels are the short ones
}

// fitted chooses among the columns what there is room for beside labels. Where
// the full labels do not fit, all are short.
func fitted(columns []column, rows []row, width int) fit {
	f := fit{width: width}
	if want := f.wanted(rows); !f.share(columns, rows, want) {
		f.short = true
		f.share(columns, rows, f.wanted(rows))
	}
	return f
}

// share shares the width, and reports whether labels have what they want.
func (f *fit) share(columns []column, rows []row, want int) bool {
	f.label, f.graph = min(want, fairLabel), leastGraph
	f.columns = telling(columns, rows)
	f.widths = widthsOf(f.columns, rows)
	for f.used() > f.width && f.dropOne() {
	}
	f.squeeze(leastLabel)
	if f.used() > f.width {
		f.graph = 0
	}
	f.squeeze(1)
	spare := max(f.width-f.used(), 0)
	grow := min(want-f.label, spare*2/3)
	f.label += grow
	if f.graph > 0 {
		f.graph += spare - grow
	}
	return f.label >= want
}

// squeeze takes from the labels what is too much, but for the given width.
func (f *fit) squeeze(least int) {
	if over := f.used() - f.width; over > 0 {
		f.label = max(f.label-over, least)
	}
}

// wanted returns the width of the longest label.
func (f *fit) wanted(rows []row) int {
	want := leastLabel
	for _, r := range rows {
		if r.hop != nil {
			want = max(want, ansi.StringWidth(f.labelOf(r)))
		}
	}
	return min(want, mostLabel)
}

func (f *fit) labelOf(r row) string {
	if f.short && r.short != "" {
		return r.short
	}
	return r.label
}

// cell is the text of a column. A loss that is none is in parentheses.
func (r *row) cell(c column) string {
	if r.limit && c.title == lossColumn.title {
		return "(" + c.text(r.hop) + ")"
	}
	return c.text(r.hop)
}

func widthsOf(columns []column, rows []row) []int {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = c.least
		for _, r := range rows {
			if r.hop != nil {
				widths[i] = max(widths[i], len(r.cell(c)))
			}
		}
	}
	return widths
}

func (f *fit) used() int {
	used := leadWidth + f.label
	for _, w := range f.widths {
		used += 1 + w
	}
	if f.graph > 0 {
		used += 1 + f.graph
	}
	return used
}

// dropOne drops the column that matters least. It returns false if only those
// are left that stay.
func (f *fit) dropOne() bool {
	worst := 0
	for i, c := range f.columns {
		if c.drop > f.columns[worst].drop {
			worst = i
		}
	}
	if f.columns[worst].drop == 0 {
		return false
	}
	f.columns = append(f.columns[:worst], f.columns[worst+1:]...)
	f.widths = append(f.widths[:worst], f.widths[worst+1:]...)
	return true
}

// heading writes the titles.
func (m *Model) heading(f fit, lead, label, graph string) string {
	var b strings.Builder
	b.WriteString(padRight(lead, leadWidth) + padRight(label, f.label))
	for i, c := range f.columns {
		b.WriteString(" " + padLeft(c.title, f.widths[i]))
	}
	if f.graph > 0 {
		b.WriteString(" " + padRight(ansi.Truncate(graph, f.graph, ""), f.graph))
	}
	return m.paint.head(b.String())
}

// line writes a row.
func (m *Model) line(f fit, r row) string {
	var b strings.Builder
	b.WriteString(padRight(r.lead, leadWidth))
	if r.hop == nil {
		b.WriteString(r.tone(shorten(r.label, f.width-leadWidth, m.glyphs().gap)))
		return b.String()
	}
	b.WriteString(r.tone(padRight(shorten(f.labelOf(r), f.label, m.glyphs().gap), f.label)))
	for i, c := range f.columns {
		cell := padLeft(r.cell(c), f.widths[i])
		if i == 0 { // the loss
			cell = r.loss(cell)
		}
		b.WriteString(" " + cell)
	}
	if f.graph > 0 && r.graph != nil {
		b.WriteString(" " + r.graph(f.graph))
	}
	return b.String()
}
