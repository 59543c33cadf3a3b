package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxLine is the longest command, without its newline.
const maxLine = 4096

var errTooLong = errors.New("a line of more than 4096 bytes")

// lineReader reads lines of a bounded length. One that is too long is skipped
// whole, and costs no later one.
type lineReader struct{ r *bufio.Reader }

func newLineReader(in io.Reader) *lineReader {
	return &lineReader{bufio.NewReaderSize(in, maxLine+1)}
}

// ready tells whether there is another line that need not be waited for.
func (l *lineReader) ready() bool {
	b, _ := l.r.Peek(l.r.Buffered())
	return bytes.IndexByte(b, '\n') >= 0
}

// next returns the next line without its newline; errTooLong for one that was
// skipped. What stands behind the last newline is no line.
func (l *lineReader) next() (string, error) {
	line, err := l.r.ReadSlice('\n')
	if err == nil {
		return string(line[:len(line)-1]), nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return "", err
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = l.r.ReadSlice('\n')
	}
	if err != nil {
		return "", err
	}
	return "", errTooLong
}
