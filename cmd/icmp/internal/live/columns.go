package live

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goicmp/icmplib"
)

// column is a figure of a hop, or of a target.
type column struct {
	title string
	least int // columns on the screen, without the space before
	drop  int // where there is no room: the greatest goes first; 0 never
	text  func(h *icmplib.Hop) string
}

// columnSet is what the columns are chosen from.
type columnSet struct {
	name    string
	columns []column
}

// columnSets are what the key steps through. The last one leaves most room to
// the graph.
var columnSets = []columnSet{
	{"usual", []column{
		lossColumn,
		count("Sent", 6, func(h *icmplib.Hop) int { return h.PacketsSent }),
		count("Recv", 9, func(h *icmplib.Hop) int { return h.PacketsReceived }),
		unsentColumn,
		timeOf("Last", 3, (*icmplib.Stats).LastRTT),
		timeOf("Avg", 0, (*icmplib.Stats).AvgRTT),
		timeOf("Best", 4, (*icmplib.Stats).MinRTT),
		timeOf("Worst", 5, (*icmplib.Stats).MaxRTT),
		timeOf("StDev", 7, (*icmplib.Stats).StdDev),
		timeOf("Jttr", 8, (*icmplib.Stats).Jitter),
	}},
	{"loss", []column{
		lossColumn,
		count("Sent", 1, func(h *icmplib.Hop) int { return h.PacketsSent }),
		count("Recv", 2, func(h *icmplib.Hop) int { return h.PacketsReceived }),
		count("Silent", 3, func(h *icmplib.Hop) int { return h.Silent }),
		count("Late", 4, func(h *icmplib.Hop) int { return h.Late }),
		count("Error", 5, func(h *icmplib.Hop) int { return h.ICMPErrors }),
		count("Dupl", 7, func(h *icmplib.Hop) int { return h.Duplicates }),
		count("Unsent", 6, unsent),
	}},
	{"times", []column{
		lossColumn,
		timeOf("Last", 1, (*icmplib.Stats).LastRTT),
		timeOf("Best", 5, (*icmplib.Stats).MinRTT),
		timeOf("Median", 0, percentile(0.5)),
		timeOf("95%", 2, percentile(0.95)),
		timeOf("99%", 4, percentile(0.99)),
		timeOf("Worst", 3, (*icmplib.Stats).MaxRTT),
	}},
	{"jitter", []column{
		lossColumn,
		timeOf("Last", 1, (*icmplib.Stats).LastRTT),
		timeOf("Avg", 0, (*icmplib.Stats).AvgRTT),
		timeOf("StDev", 3, (*icmplib.Stats).StdDev),
		timeOf("Jttr", 2, (*icmplib.Stats).Jitter),
		timeOf("Jint", 4, (*icmplib.Stats).InterarrivalJitter),
	}},
	{"graph", []column{
		lossColumn,
		timeOf("Last", 1, (*icmplib.Stats).LastRTT),
	}},
}

// FieldLetters are the letters of the columns that [Fields] knows.
const FieldLetters = "LDRSNBAWVMI"

// Field is a column of a report.
type Field struct {
	Title string
	Width int
	Text  func(h *icmplib.Hop) string
}

// fieldColumns are the columns by the letters of mtr's --order.
var fieldColumns = map[rune]column{
	'L': lossColumn,
	'D': count("Drop", 0, func(h *icmplib.Hop) int { return h.PacketsSent - h.PacketsReceived - h.Unsettled }),
	'R': count("Rcv", 0, func(h *icmplib.Hop) int { return h.PacketsReceived }),
	'S': count("Snt", 0, func(h *icmplib.Hop) int { return h.PacketsSent }),
	'N': timeOf("Last", 0, (*icmplib.Stats).LastRTT),
	'B': timeOf("Best", 0, (*icmplib.Stats).MinRTT),
	'A': timeOf("Avg", 0, (*icmplib.Stats).AvgRTT),
	'W': timeOf("Wrst", 0, (*icmplib.Stats).MaxRTT),
	'V': timeOf("StDev", 0, (*icmplib.Stats).StdDev),
	'M': timeOf("Javg", 0, (*icmplib.Stats).Jitter),
	'I': timeOf("Jint", 0, (*icmplib.Stats).InterarrivalJitter),
}

// usualFields are those of mtr's report.
const usualFields = "LSNABWV"

// columnsOf returns the columns of some letters. Those behind give way first where
// there is no room.
func columnsOf(letters string) ([]column, error) {
	var columns []column
	for i, letter := range strings.ReplaceAll(letters, " ", "") {
		c, ok := fieldColumns[letter]
		if !ok {
			return nil, errors.New("some of the letters " + FieldLetters)
		}
		c.drop = i
		columns = append(columns, c)
	}
	return columns, nil
}

// Fields returns the columns of some letters, those of mtr's report for "". The error
// says which letters there are.
func Fields(letters string) ([]Field, error) {
	if letters == "" {
		letters = usualFields
	}
	columns, err := columnsOf(letters)
	fields := make([]Field, len(columns))
	for i, c := range columns {
		text := c.text
		if c.title == lossColumn.title {
			text = func(h *icmplib.Hop) string {
				if loss := c.text(h); loss != "-" {
					return loss + "%"
				}
				return "-"
			}
		}
		fields[i] = Field{c.title, 5, text}
		if c.title == lossColumn.title || i > 0 && c.title == "Last" {
			fields[i].Width = 6
		}
	}
	return fields, err
}

// Limits reports whether the loss of the first of some hops is none: it limits how
// often it answers, for of enough probes that went on past it none was lost.
func Limits(hops []icmplib.Hop) bool {
	const enough = 10
	if hops[0].IsSilent() || hops[0].PacketLoss() == 0 || hops[0].SendErrors > 0 {
		return false
	}
	for i := range hops[1:] {
		h := &hops[1+i]
		if h.PacketsReceived >= enough && h.PacketLoss() == 0 {
			return true
		}
	}
	return false
}

var lossColumn = column{"Loss%", 5, 0, func(h *icmplib.Hop) string { return Loss(&h.Stats) }}

// unsentColumn is among the usual ones once anything was not sent, and then stays
// however little room there is: it is a part of the loss.
var unsentColumn = count("Unsent", 0, unsent)

func unsent(h *icmplib.Hop) int { return h.SendErrors }

// telling returns the columns that say something of these rows.
func telling(columns []column, rows []row) []column {
	if slices.ContainsFunc(rows, func(r row) bool { return r.hop != nil && unsent(r.hop) > 0 }) {
		return slices.Clone(columns)
	}
	return slices.DeleteFunc(slices.Clone(columns), func(c column) bool {
		return c.title == unsentColumn.title && c.drop == unsentColumn.drop
	})
}

// Loss writes the loss in percent, without the sign: a - as long as the fate of
// no probe is known.
func Loss(s *icmplib.Stats) string {
	if s.PacketsSent+s.SendErrors == s.Unsettled {
		return "-"
	}
	return Percent(s.PacketLoss())
}

func count(title string, drop int, of func(*icmplib.Hop) int) column {
	return column{title, max(len(title), 4), drop, func(h *icmplib.Hop) string { return strconv.Itoa(of(h)) }}
}

// timeOf is a column of milliseconds. It has a - where there was no answer.
func timeOf(title string, drop int, of func(*icmplib.Stats) time.Duration) column {
	return column{title, max(len(title), 5), drop, func(h *icmplib.Hop) string {
		if h.PacketsReceived == 0 {
			return "-"
		}
		return Milliseconds(of(&h.Stats))
	}}
}

func percentile(q float64) func(*icmplib.Stats) time.Duration {
	return func(s *icmplib.Stats) time.Duration { return s.Percentile(q) }
}
