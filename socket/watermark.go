package socket

import (
	"sync/atomic"
	"time"
)

// watermark is a moment that only ever advances, and that any goroutine may read.
type watermark struct {
	start   time.Time
	elapsed atomic.Int64 // nanoseconds since start
}

func (w *watermark) advance(t time.Time) {
	if w.start.IsZero() {
		w.start = t // before the socket is shared
	}
	w.elapsed.Store(int64(t.Sub(w.start)))
}

func (w *watermark) time() time.Time { return w.start.Add(time.Duration(w.elapsed.Load())) }
