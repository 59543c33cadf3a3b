package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// status is a line on standard error that says how far a command has come, where
// somebody looks at it: nothing is written where standard error is no terminal.
type status struct {
	mu    sync.Mutex
	out   io.Writer // nil: nobody looks
	last  string
	stop  chan struct{}
	ended sync.WaitGroup
}

// clearLine takes back what stands in the line of the cursor (ECMA-48: EL).
const clearLine = "\r\x1b[K"

// newStatus returns the status of a terminal, and the terminal whose output takes the
// status away before it writes.
func newStatus(t terminal) (*status, terminal) {
	if !isTerminal(t.err) {
		return &status{}, t
	}
	s := &status{out: t.err}
	if isTerminal(t.out) {
		t.out = &beside{t.out, s}
	}
	return s, t
}

// set shows a text, in place of the one before.
func (s *status) set(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out == nil {
		return
	}
	if text = oneRow(text, columnsOf(s.out)); text == s.last {
		return
	}
	fmt.Fprint(s.out, clearLine, text)
	s.last = text
}

// hide takes the text away.
func (s *status) hide() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}

func (s *status) clear() {
	if s.last != "" {
		fmt.Fprint(s.out, clearLine)
		s.last = ""
	}
}

// follow shows what text returns, time and again, until end is called. text is told
// how long that has been.
func (s *status) follow(text func(elapsed time.Duration) string) {
	if s.out == nil {
		return
	}
	s.stop = make(chan struct{})
	began := time.Now()
	s.ended.Go(func() {
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		for {
			select {
			case <-s.stop:
				return
			case now := <-tick.C:
				if elapsed := now.Sub(began); elapsed >= liveAfter {
					s.set(text(elapsed))
				}
			}
		}
	})
}

// end takes the text away for good.
func (s *status) end() {
	if s.stop != nil {
		close(s.stop)
		s.ended.Wait()
		s.stop = nil
	}
	s.hide()
}

// beside writes to the terminal on which a status is.
type beside struct {
	out    io.Writer
	status *status
}

func (b *beside) Write(p []byte) (int, error) {
	b.status.mu.Lock()
	defer b.status.mu.Unlock()
	b.status.clear()
	return b.out.Write(p)
}

// seconds writes a time as people read it while it passes.
func seconds(d time.Duration) string { return d.Truncate(time.Second).String() }
