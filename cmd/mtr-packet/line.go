package main

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// maxLine is the longest command, without its newline.
const maxLine = 4096

var (
	errTooLong = errors.New("a line of more than 4096 bytes")
	errNoLine  = errors.New("no whole line is there")
)

// pieceSize is how much is read at once: what a pipe holds.
const pieceSize = 64 << 10

// commands reads in a goroutine of its own, one piece ahead.
type commands struct {
	pieces chan []byte // closed at the end of what there is to read
	taken  chan []byte // what was a piece and may be one again
	lines  lines
}

// newCommands reads until ctx ends, or there is no more.
func newCommands(ctx context.Context, in io.Reader) *commands {
	c := &commands{pieces: make(chan []byte), taken: make(chan []byte, 1)}
	c.taken <- make([]byte, pieceSize)
	go func() {
		defer close(c.pieces)
		for {
			var buf []byte
			select {
			case buf = <-c.taken:
			case <-ctx.Done():
				return
			}
			n, err := in.Read(buf[:pieceSize])
			if n > 0 {
				select {
				case c.pieces <- buf[:n]:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				return
			}
			if n == 0 {
				c.taken <- buf
			}
		}
	}()
	return c
}

// lines are what has come of the lines, whose length is bounded. One that is too long
// is skipped whole, and costs no later one.
type lines struct {
	rest     []byte
	begin    int  // of rest: where the next line does
	skipping bool // in the middle of a line that is too long
}

// add appends a piece.
func (l *lines) add(piece []byte) {
	l.rest = append(l.rest[:copy(l.rest, l.rest[l.begin:])], piece...)
	l.begin = 0
}

// next returns the next line without its newline; errTooLong for one that was
// skipped, and errNoLine where there is none. What stands behind the last newline is
// no line yet.
func (l *lines) next() (string, error) {
	rest := l.rest[l.begin:]
	end := bytes.IndexByte(rest, '\n')
	if end < 0 {
		if l.skipping || len(rest) > maxLine {
			l.skipping = true
			l.rest, l.begin = l.rest[:0], 0
		}
		return "", errNoLine
	}
	l.begin += end + 1
	if l.skipping || end > maxLine {
		l.skipping = false
		return "", errTooLong
	}
	return string(rest[:end]), nil
}
