package engine

import "time"

// lossWindow is the last stretch of time in which the socket lost messages for
// want of room. The kernel only counts them, so a stretch reaches from one look
// at the counter to the next.
type lossWindow struct {
	drops    uint64
	looked   time.Duration
	from, to time.Duration
	any      bool
}

// look takes a reading of the counter.
func (w *lossWindow) look(drops uint64, now time.Duration) {
	if drops > w.drops {
		w.from, w.to, w.any = w.looked, now, true
	}
	w.drops, w.looked = drops, now
}

// touches tells whether messages were lost while a probe was in flight.
func (w *lossWindow) touches(sent, deadline time.Duration) bool {
	return w.any && sent <= w.to && deadline >= w.from
}
