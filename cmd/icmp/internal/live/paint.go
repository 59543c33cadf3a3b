package live

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// paint gives texts their looks. Nothing is said by colour alone.
type paint struct {
	bar   func(string) string // the first line
	head  func(string) string // of a table
	faint func(string) string
	good  func(string) string
	warn  func(string) string
	bad   func(string) string
	pick  func(string) string // the target that is looked at
	graph func(string) string
}

// newPaint returns the looks for a dark or a light terminal. They are taken from
// the 16 colours that its user has chosen, save that yellow and cyan are hard to
// see on white.
func newPaint(colours, dark bool) paint {
	if !colours {
		return paint{same, same, same, same, same, same, same, same}
	}
	var warn, graph color.Color = lipgloss.Yellow, lipgloss.Cyan
	if !dark {
		warn, graph = lipgloss.Color("130"), lipgloss.Color("25")
	}
	style := lipgloss.NewStyle
	return paint{
		bar:   look(style().Bold(true).Reverse(true)),
		head:  look(style().Bold(true)),
		faint: look(style().Faint(true)),
		good:  look(style().Foreground(lipgloss.Green)),
		warn:  look(style().Foreground(warn)),
		bad:   look(style().Bold(true).Foreground(lipgloss.Red)),
		pick:  look(style().Bold(true)),
		graph: look(style().Foreground(graph)),
	}
}

func same(s string) string { return s }

func look(s lipgloss.Style) func(string) string {
	s = s.Inline(true)
	return func(text string) string {
		if text == "" {
			return ""
		}
		return s.Render(text)
	}
}
