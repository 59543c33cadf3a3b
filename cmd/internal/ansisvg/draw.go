package main

import (
	"fmt"
	"html"
	"strings"
)

// Sizes in pixels.
const (
	cellWidth  = 8.4
	cellHeight = 18.0
	fontSize   = 14
	margin     = 12.0
)

// Colours of the screen, and the first 16 of the palette.
const (
	ground = "#16181d"
	ink    = "#d5d8de"
)

var palette = [...]string{
	"#2b2f38", "#f0616d", "#84c98b", "#e6c07b", "#6cb2f0", "#c792ea", "#5cc8d7", "#d5d8de",
	"#6b7280", "#ff8a93", "#a5e0ab", "#ffd98f", "#94cbff", "#dcb3ff", "#8be4f0", "#ffffff",
}

// draw writes the screen as an SVG. Each word has its place and its width
// written down, so that it stays in its columns whatever the font; bars are drawn,
// for fonts differ in them most.
func draw(lines [][]cell) string {
	columns := 0
	for _, line := range lines {
		columns = max(columns, len(line))
	}
	width, height := float64(columns)*cellWidth+2*margin, float64(len(lines))*cellHeight+2*margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.1f %.1f" width="%.0f" height="%.0f" `+
		`font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="%d" fill="%s">`+"\n",
		width, height, width, height, fontSize, ink)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", ground)
	for row, line := range lines {
		for from := 0; from < len(line); {
			to := from + 1
			for to < len(line) && line[to].style == line[from].style && isBar(line[to].char) == isBar(line[from].char) {
				to++
			}
			drawRun(&b, line[from:to], margin+float64(from)*cellWidth, margin+float64(row)*cellHeight)
			from = to
		}
	}
	return b.String() + "</svg>\n"
}

// drawRun draws characters of one style. Its place is the upper left corner.
func drawRun(b *strings.Builder, run []cell, x, y float64) {
	fore, back := run[0].colours()
	if back != ground {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n",
			x, y, float64(len(run))*cellWidth, cellHeight, back)
	}
	if isBar(run[0].char) {
		drawBars(b, run, x, y, fore)
		return
	}
	drawWords(b, run, x, y+cellHeight*0.73, attributes(run[0].style, fore))
}

// drawWords draws each word in its place, so that none of them drifts where the
// font is wider or narrower than the cells.
func drawWords(b *strings.Builder, run []cell, x, y float64, attributes string) {
	for from := 0; from < len(run); from++ {
		if run[from].char == ' ' {
			continue
		}
		word := ""
		to := from
		for ; to < len(run) && run[to].char != ' '; to++ {
			word += string(run[to].char)
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
			x+float64(from)*cellWidth, y, float64(to-from)*cellWidth, attributes, html.EscapeString(word))
		from = to
	}
}

func attributes(s style, fore string) string {
	a := ""
	if fore != ink {
		a += fmt.Sprintf(` fill="%s"`, fore)
	}
	if s.bold {
		a += ` font-weight="bold"`
	}
	if s.faint {
		a += ` opacity="0.6"`
	}
	return a
}

// Bars from one eighth of a cell to all of it.
const lowestBar, highestBar = '▁', '█'

func isBar(char rune) bool { return char >= lowestBar && char <= highestBar }

// drawBars draws a run of bars as one path.
func drawBars(b *strings.Builder, run []cell, x, y float64, colour string) {
	fmt.Fprintf(b, `<path fill="%s" d="`, colour)
	for i, c := range run {
		const room = cellHeight - 3 // a gap between the lines
		high := room * float64(c.char-lowestBar+1) / float64(highestBar-lowestBar+1)
		fmt.Fprintf(b, "M%.1f %.1fh%.1fv%.1fh-%.1fz", x+float64(i)*cellWidth, y+cellHeight-1, cellWidth-1, -high, cellWidth-1)
	}
	b.WriteString(`"/>` + "\n")
}

// colours returns those of the characters and of what is behind them.
func (s style) colours() (fore, back string) {
	fore, back = colour(s.fore, ink), colour(s.back, ground)
	if s.reverse {
		return back, fore
	}
	return fore, back
}

// colour returns a colour of the palette: the first 16, the cube of 216 and the
// 24 shades of grey.
func colour(number int, own string) string {
	switch {
	case number < 0:
		return own
	case number < 16:
		return palette[number]
	case number < 232:
		n := number - 16
		return fmt.Sprintf("#%02x%02x%02x", cube(n/36), cube(n/6%6), cube(n%6))
	}
	grey := 8 + 10*(number-232)
	return fmt.Sprintf("#%02x%02x%02x", grey, grey, grey)
}

func cube(level int) int {
	if level == 0 {
		return 0
	}
	return 55 + 40*level
}
