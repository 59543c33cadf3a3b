package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// output is standard output where it is no terminal: a disk may be full. It keeps
// the first error, after which nothing is worth being measured any more.
type output struct {
	out  io.Writer
	fail func(error) // called once

	mu  sync.Mutex
	err error
}

// Write writes, unless a write failed before: what follows a gap is no output.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.out.Write(b)
	if err != nil {
		o.err = fmt.Errorf("standard output: %w", err)
		o.fail(o.err)
	}
	return n, err
}

// broke notes an error of another file, after which nothing is worth being measured
// any more.
func (o *output) broke(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
		o.fail(err)
	}
}

// outputKey is under which a command's context has its output.
type outputKey struct{}

// failure returns the first error of a write.
func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// printable returns a word as it is shown, wherever that may be: one that would
// move a terminal's cursor, or is no text at all, in the form of a Go string. No
// such word is the name of a host.
func printable(word string) string {
	if strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return strconv.Quote(word)
	}
	return word
}

// printableArgs makes the words of a command line printable. What stands behind a
// hyphen is told by others, who quote it.
func printableArgs(args []string) []string {
	shown := make([]string, len(args))
	for i, a := range args {
		if shown[i] = a; !strings.HasPrefix(a, "-") {
			shown[i] = printable(a)
		}
	}
	return shown
}
