package waiting

import (
	"sync/atomic"
	"time"
)

// Watermark is a moment that only ever advances, and that any goroutine may read.
type Watermark struct {
	start   time.Time
	elapsed atomic.Int64 // nanoseconds since start
}

// Advance moves the mark to t. The first call has to come before the mark is shared.
func (w *Watermark) Advance(t time.Time) {
	if w.start.IsZero() {
		w.start = t // before the socket is shared
	}
	w.elapsed.Store(int64(t.Sub(w.start)))
}

// Time returns the moment that the mark has reached.
func (w *Watermark) Time() time.Time { return w.start.Add(time.Duration(w.elapsed.Load())) }
