package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/goicmp/icmplib"
)

// terminal is where the command reads and writes; any of the three may be one.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

// width returns how many columns the terminal has.
func (t terminal) width() int {
	const usual = 80
	if f, ok := t.out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return usual
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// progress is a bar on standard error, or nothing at all.
type progress struct {
	bar   *progressbar.ProgressBar // nil: nothing
	shown bool
}

// bar returns the bar of a sweep of so many targets, -1 where nobody can count
// them. There is one if somebody looks at it, and it does not stand in the way
// of what a program reads.
func (f *multipingFlags) bar(t terminal, targets int64) *progress {
	if !isTerminal(t.err) || f.quiet || !f.sumsUp() && isTerminal(t.out) {
		return &progress{}
	}
	return newProgress(t.err, targets)
}

func newProgress(out io.Writer, targets int64) *progress {
	return &progress{bar: progressbar.NewOptions64(targets,
		progressbar.OptionSetWriter(out),
		progressbar.OptionSetSpinnerChangeInterval(0), // it moves when something does
		progressbar.OptionSetWidth(20),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
	)}
}

// update shows how far the sweep has come. The library calls it ten times a
// second, at most.
func (p *progress) update(now icmplib.Progress) {
	if p.bar == nil {
		return
	}
	p.shown = true
	p.bar.Describe(fmt.Sprintf("%d alive", now.Alive))
	_ = p.bar.Set(now.Completed)
}

// hide clears the line for something else.
func (p *progress) hide() {
	if p.shown {
		_ = p.bar.Clear()
		p.shown = false
	}
}
