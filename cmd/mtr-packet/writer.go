package main

import (
	"io"
	"strconv"
	"sync"
)

// maxPending is how many bytes of answers wait for a reader that does not read.
const maxPending = 1 << 20

// writer writes whole lines, in the order in which they come. Those that come
// while others are being written wait in memory, so that a slow reader keeps no
// probe waiting, and are then written together. Beyond maxPending whoever has
// answers waits, so that no further commands are read.
type writer struct {
	out    io.Writer
	failed func() // called when nothing can be written any more

	mu      sync.Mutex
	room    sync.Cond // of mu: pending was taken, or nothing can be written any more
	pending []byte
	closed  bool
	err     error
	wake    chan struct{} // holds a token while there is something to do
	done    chan struct{}
}

func newWriter(out io.Writer, failed func()) *writer {
	w := &writer{out: out, failed: failed, wake: make(chan struct{}, 1), done: make(chan struct{})}
	w.room.L = &w.mu
	go w.run()
	return w
}

// answer writes the answer to a command.
func (w *writer) answer(token int, words string) { w.line(strconv.Itoa(token) + " " + words) }

// line writes a line.
func (w *writer) line(text string) { w.write([]byte(text + "\n")) }

// write writes whole lines.
func (w *writer) write(lines []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.pending) > maxPending && w.err == nil {
		w.room.Wait()
	}
	if w.err != nil {
		return // and nobody is there to read it
	}
	w.pending = append(w.pending, lines...)
	w.signal()
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) run() {
	defer close(w.done)
	var spare []byte
	for range w.wake {
		w.mu.Lock()
		lines, closed := w.pending, w.closed
		w.pending = spare[:0]
		w.room.Broadcast()
		w.mu.Unlock()
		if len(lines) > 0 {
			if _, err := w.out.Write(lines); err != nil {
				w.mu.Lock()
				w.err = err
				w.room.Broadcast()
				w.mu.Unlock()
				w.failed()
				return
			}
		}
		spare = lines
		if closed {
			return
		}
	}
}

// close writes what is left and returns why that, or anything before it, could
// not be written.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.signal()
	w.mu.Unlock()
	<-w.done
	return w.err
}
