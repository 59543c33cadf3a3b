package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// targetReader reads what is to be pinged: all of it before anything is sent, so
// that a line that cannot be meant is refused in time. Prefixes and ranges are
// not expanded.
type targetReader struct {
	targets
	stdin io.Reader
	all   bool // network and broadcast addresses, too
}

// read takes the words of the command line, then the lists in their order.
func (r *targetReader) read(words, files []string) error {
	for _, word := range words {
		if err := r.word(word); err != nil {
			return fmt.Errorf("TARGET %w", err)
		}
	}
	for _, file := range files {
		if err := r.file(file); err != nil {
			return err
		}
	}
	if len(r.spans) == 0 {
		return fmt.Errorf("no target in %s: one or more names, addresses, prefixes or ranges are allowed", strings.Join(listNames(files), ", "))
	}
	return nil
}

func (r *targetReader) word(word string) error {
	s, err := parseSpan(word, r.all)
	if err != nil {
		return err
	}
	if err := r.add(s); err != nil {
		return fmt.Errorf("%q: %w", word, err)
	}
	return nil
}

// file reads a list; "-" is standard input.
func (r *targetReader) file(name string) error {
	if name == "-" {
		return r.list(r.stdin, standardInput)
	}
	f, err := os.Open(name)
	if err != nil {
		return fileError(name, err)
	}
	defer f.Close()
	return r.list(f, name)
}

const standardInput = "standard input"

// listNames is what messages call the lists.
func listNames(files []string) []string {
	names := make([]string, len(files))
	for i, file := range files {
		if names[i] = file; file == "-" {
			names[i] = standardInput
		}
	}
	return names
}

// list reads one target per line. What follows a # is a comment.
func (r *targetReader) list(in io.Reader, name string) error {
	lines := bufio.NewScanner(in)
	number := 0
	for lines.Scan() {
		number++
		line := lines.Text()
		if number == 1 {
			line = strings.TrimPrefix(line, "\ufeff") // a byte order mark
		}
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := r.word(line); err != nil {
			return fmt.Errorf("--file %s, line %d: %w", name, number, err)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("--file %s, line %d: it is too long: %w", name, number+1, errWord)
	case err != nil:
		return fileError(name, err)
	}
	return nil
}

// fileError says which list cannot be read. The cause names it again.
func fileError(name string, err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("--file %q: %w: a file of targets, or - for standard input, is allowed", name, err)
}
