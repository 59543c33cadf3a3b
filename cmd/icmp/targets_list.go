package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/bits"
	"os"
	"sort"
	"strconv"
	"strings"
)

// targetList yields the targets: the arguments of the command line, then the lines of
// the lists. It neither expands prefixes and ranges nor keeps lists, so it needs memory
// only for the arguments.
//
//  1. Arguments, and files that can be read twice, are checked before anything is sent.
//  2. A pipe, such as standard input, is read line by line. A malformed line ends it: see
//     err.
//  3. A random order needs all targets, so lists are then read whole.
type targetList struct {
	words targets // with a random order, those of the lists, too
	files []string
	stdin io.Reader
	all   bool // network and broadcast addresses, too
	order order

	known   bool   // how many targets there are
	checked counts // of the words and the files
	err     error  // what ended the drawing before its time
}

// open takes the words and checks the lists. Who is tired of waiting for a list
// that has to be read whole interrupts.
func (l *targetList) open(ctx context.Context, words, files []string) error {
	l.files, l.known = files, true
	for _, word := range words {
		s, err := parseSpan(word, l.all)
		if err != nil {
			return fmt.Errorf("TARGET %w", err)
		}
		if err := l.words.add(s); err != nil {
			return fmt.Errorf("TARGET %q: %w", word, err)
		}
		l.checked.add(s)
	}
	for _, file := range files {
		if err := l.check(ctx, file); err != nil {
			if ctx.Err() != nil {
				return errInterrupted
			}
			return err
		}
	}
	if l.order.shuffle {
		l.files = nil // they are among the words
	}
	return nil
}

// check reads a list that can be read again, or has to be read whole.
func (l *targetList) check(ctx context.Context, file string) error {
	again, err := canBeReadAgain(file)
	if err != nil {
		return err
	}
	if !again && !l.order.shuffle {
		l.known = false
		return nil
	}
	in, err := l.reader(ctx, file)
	if err != nil {
		return err
	}
	defer in.Close()
	for s, err := range spansOf(in, listName(file), l.all) {
		if err != nil {
			return err
		}
		l.checked.add(s)
		if !l.order.shuffle {
			continue
		}
		if err := l.words.add(s); err != nil {
			return fmt.Errorf("--file %s: %w", listName(file), err)
		}
	}
	return nil
}

// canBeReadAgain reports whether a list is a file and no pipe.
func canBeReadAgain(file string) (bool, error) {
	if file == "-" {
		return false, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return false, fileError(file, err)
	}
	return info.Mode().IsRegular() || info.IsDir(), nil
}

// reader opens a list; "-" is standard input.
func (l *targetList) reader(ctx context.Context, file string) (io.ReadCloser, error) {
	if file == "-" {
		return interruptible(ctx, l.stdin), nil
	}
	again, err := canBeReadAgain(file)
	if err != nil {
		return nil, err
	}
	if !again {
		return interruptible(ctx, &lateFile{name: file}), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fileError(file, err)
	}
	return f, nil
}

// lateFile is opened by the first read: to open a named pipe waits for its writer.
type lateFile struct {
	name string
	file *os.File
}

func (f *lateFile) Read(b []byte) (n int, err error) {
	if f.file == nil {
		if f.file, err = os.Open(f.name); err != nil {
			return 0, err
		}
	}
	n, err = f.file.Read(b)
	if err != nil {
		f.file.Close()
	}
	return n, err
}

// interruptible reads from in until ctx ends or it is closed, even where a read
// from in waits for ever.
func interruptible(ctx context.Context, in io.Reader) io.ReadCloser {
	if in == nil {
		in = strings.NewReader("")
	}
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, in)
		w.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { w.CloseWithError(context.Cause(ctx)) })
	return r
}

// count returns how many targets the share has, or -1 where that is not known yet
// or beyond an int64.
func (l *targetList) count() int64 {
	switch {
	case !l.known || l.checked.over:
		return -1
	case !l.checked.any:
		return 0
	}
	last, ok := l.order.last(l.checked.last)
	if !ok {
		return 0
	}
	return last.count()
}

// total says how many targets there are, if that is known.
func (l *targetList) total() string {
	if n := l.count(); n >= 0 {
		return strconv.FormatInt(n, 10)
	}
	return "?"
}

// seq yields the targets of the share. Afterwards err says what ended it early.
func (l *targetList) seq(ctx context.Context) iter.Seq[string] {
	return func(yield func(string) bool) {
		if l.order.shuffle {
			l.words.shuffled(l.order)(yield)
			return
		}
		var before uint64 // the number of targets drawn and passed over, modulo the shares
		for s, err := range l.spans(ctx) {
			if err != nil {
				if l.err = err; ctx.Err() != nil {
					l.err = errInterrupted
				}
				return
			}
			if !s.share(l.order, before, yield) {
				if ctx.Err() != nil {
					l.err = errInterrupted // not all of the list was drawn
				}
				return
			}
			before = addModulo(before, s.last.mod(l.order.shards), l.order.shards)
			before = addModulo(before, 1%l.order.shards, l.order.shards)
		}
	}
}

// spans yields the words, then the lines of the lists.
func (l *targetList) spans(ctx context.Context) iter.Seq2[span, error] {
	return func(yield func(span, error) bool) {
		for _, s := range l.words.spans {
			if !yield(s, nil) {
				return
			}
		}
		for _, file := range l.files {
			if !l.file(ctx, file, yield) {
				return
			}
		}
	}
}

// file yields the lines of a list and reports whether more are wanted.
func (l *targetList) file(ctx context.Context, file string, yield func(span, error) bool) bool {
	in, err := l.reader(ctx, file)
	if err != nil {
		return yield(span{}, err)
	}
	defer in.Close()
	for s, err := range spansOf(in, listName(file), l.all) {
		if !yield(s, err) {
			return false
		}
	}
	return true
}

// counts adds up how many targets there are: the number of the last.
type counts struct {
	last number
	any  bool
	over bool // more than a number can say
}

func (c *counts) add(s span) {
	if !c.any {
		c.last, c.any = s.last, true
		return
	}
	begin, over := c.last.add(number{0, 1})
	end, overflow := begin.add(s.last)
	c.last, c.over = end, c.over || over || overflow
}

// addModulo returns a+b modulo n, for a and b below n.
func addModulo(a, b, n uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 || sum >= n {
		sum -= n
	}
	return sum
}

// spansOf reads one target per line. What follows a # is a comment. It ends with
// the first error.
func spansOf(in io.Reader, name string, all bool) iter.Seq2[span, error] {
	return func(yield func(span, error) bool) {
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
			s, err := parseSpan(line, all)
			if err != nil {
				yield(span{}, fmt.Errorf("--file %s, line %d: %w", name, number, err))
				return
			}
			if !yield(s, nil) {
				return
			}
		}
		switch err := lines.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(span{}, fmt.Errorf("--file %s, line %d is too long: %w", name, number+1, errWord))
		case err != nil:
			yield(span{}, fileError(name, err))
		}
	}
}

const standardInput = "standard input"

// listName is what messages call a list.
func listName(file string) string {
	if file == "-" {
		return standardInput
	}
	return file
}

// fileError says which list cannot be read. The cause names it again.
func fileError(name string, err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("--file %q: %w: a file of targets, or - for standard input, is allowed", name, err)
}

// targets is what is to be pinged: spans, and the numbers that their targets
// have throughout. Its memory is that of the words that were given.
type targets struct {
	spans []span
	ends  []number // the number of the last target of each span
}

var errTooMany = errors.New("more than 2^128 targets in all: fewer are allowed")

// add appends a span.
func (t *targets) add(s span) error {
	end := s.last
	if n := len(t.ends); n > 0 {
		begin, over := t.ends[n-1].add(number{0, 1})
		sum, overflow := begin.add(s.last)
		if over || overflow {
			return errTooMany
		}
		end = sum
	}
	t.spans, t.ends = append(t.spans, s), append(t.ends, end)
	return nil
}

// at returns the target of a number.
func (t *targets) at(n number) string {
	i := sort.Search(len(t.ends), func(i int) bool { return n.cmp(t.ends[i]) <= 0 })
	if i > 0 {
		begin, _ := t.ends[i-1].add(number{0, 1})
		n = n.sub(begin)
	}
	return t.spans[i].at(n)
}

// order is which of the targets are drawn, and in which order.
type order struct {
	shard, shards uint64 // the numbers that leave this rest; shards is 1 or more
	shuffle       bool
	seed          uint64
}

// last returns which the last target of the share is, of those up to end; there
// may be none.
func (o order) last(end number) (last number, ok bool) {
	first := number{0, o.shard}
	if end.cmp(first) < 0 {
		return last, false
	}
	return end.sub(first).over(o.shards), true
}

// last returns which the last target of the share is; there may be none.
func (t *targets) last(o order) (last number, ok bool) {
	if len(t.ends) == 0 {
		return last, false
	}
	return o.last(t.ends[len(t.ends)-1])
}

// shuffled yields the targets of the share in a random order.
func (t *targets) shuffled(o order) iter.Seq[string] {
	return func(yield func(string) bool) {
		last, ok := t.last(o)
		if !ok {
			return
		}
		shuffle := newShuffle(last, o.seed)
		for n := (number{}); ; n, _ = n.add(number{0, 1}) {
			// It is no more than the number of the last target: no overflow.
			at, _ := shuffle.at(n).times(o.shards).add(number{0, o.shard})
			if !yield(t.at(at)) || n == last {
				return
			}
		}
	}
}
