package main

import (
	"strconv"
	"strings"
)

// style is the looks of a cell. Colours are numbers of the palette of 256, -1
// for the terminal's own.
type style struct {
	fore, back           int
	bold, faint, reverse bool
}

var plain = style{fore: -1, back: -1}

// cell is a character on the screen.
type cell struct {
	char rune
	style
}

// parse reads a screen, line by line. A style goes on beyond the end of a line.
// Sequences other than those of styles are left out.
func parse(screen string) [][]cell {
	var lines [][]cell
	now := plain
	for line := range strings.SplitSeq(strings.TrimRight(screen, "\n"), "\n") {
		var cells []cell
		for line != "" {
			if rest, ok := strings.CutPrefix(line, "\x1b["); ok {
				parameters, final, after := sequence(rest)
				if final == 'm' {
					now = now.with(parameters)
				}
				line = after
				continue
			}
			char := []rune(line[:min(len(line), 4)])[0]
			cells = append(cells, cell{char, now})
			line = line[len(string(char)):]
		}
		lines = append(lines, cells)
	}
	return lines
}

// sequence splits a control sequence, without its introducer, from what follows.
func sequence(s string) (parameters string, final byte, after string) {
	for i := range len(s) {
		if s[i] >= 0x40 && s[i] <= 0x7e {
			return s[:i], s[i], s[i+1:]
		}
	}
	return s, 0, ""
}

// with returns the style after a sequence that selects graphic renditions (ECMA-48
// section 8.3.117).
func (s style) with(parameters string) style {
	codes := strings.Split(parameters, ";")
	for i := 0; i < len(codes); i++ {
		code, _ := strconv.Atoi(codes[i]) // none is 0
		switch {
		case code == 0:
			s = plain
		case code == 1:
			s.bold = true
		case code == 2:
			s.faint = true
		case code == 7:
			s.reverse = true
		case code == 22:
			s.bold, s.faint = false, false
		case code == 27:
			s.reverse = false
		case code >= 30 && code <= 37:
			s.fore = code - 30
		case code >= 90 && code <= 97:
			s.fore = code - 90 + 8
		case code >= 40 && code <= 47:
			s.back = code - 40
		case code == 39:
			s.fore = -1
		case code == 49:
			s.back = -1
		case (code == 38 || code == 48) && i+2 < len(codes) && codes[i+1] == "5":
			colour, _ := strconv.Atoi(codes[i+2])
			if code == 38 {
				s.fore = colour
			} else {
				s.back = colour
			}
			i += 2
		}
	}
	return s
}
