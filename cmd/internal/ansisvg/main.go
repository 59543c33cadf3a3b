// Command ansisvg draws a terminal's screen. It reads what the screen shows, as
// tmux capture-pane -e prints it, and writes an SVG:
//
//	tmux capture-pane -e -N -p | go run ./internal/ansisvg > screen.svg
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	screen, err := io.ReadAll(os.Stdin)
	if err == nil {
		_, err = io.WriteString(os.Stdout, draw(parse(string(screen))))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ansisvg:", err)
		os.Exit(1)
	}
}
