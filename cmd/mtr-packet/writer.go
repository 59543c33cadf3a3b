package main

import (
	"io"
	"strconv"
)

// writer gathers whole lines and writes them together, in the order in which they
// come. While nobody reads them no further command is read: who neither reads answers
// nor stops to give commands gets as far as two pipes hold.
type writer struct {
	out     io.Writer
	pending []byte
	err     error // why nothing can be written any more
}

// writeFrom is how many bytes are written before there is time for it.
const writeFrom = 32 << 10

// answer adds the answer to a command.
func (w *writer) answer(token int, words string) {
	w.pending = strconv.AppendInt(w.pending, int64(token), 10)
	w.line(" " + words)
}

// line adds a line, or what is left of one.
func (w *writer) line(text string) {
	w.pending = append(append(w.pending, text...), '\n')
	if len(w.pending) >= writeFrom {
		_ = w.flush() // which is told by the next
	}
}

// flush writes what there is, and returns why that, or anything before it, could not
// be written.
func (w *writer) flush() error {
	if w.err == nil && len(w.pending) > 0 {
		_, w.err = w.out.Write(w.pending)
	}
	w.pending = w.pending[:0]
	return w.err
}
