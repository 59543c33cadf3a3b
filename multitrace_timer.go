package icmplib

import "time"

// traceTimers is a heap of what is to be looked at again, the next first. A
// trace that is gone, or a hop that needs nothing any more, is found out then.
type traceTimers []traceTimer

type traceTimer struct {
	at    time.Time
	trace traceRef
	index int // of the hop; wakeTrace: the trace as a whole
}

const wakeTrace = -1

func (h traceTimers) first() (at time.Time, ok bool) {
	if len(h) == 0 {
		return at, false
	}
	return h[0].at, true
}

func (h *traceTimers) push(t traceTimer) {
	*h = append(*h, t)
	all := *h
	for i := len(all) - 1; i > 0; {
		parent := (i - 1) / 2
		if !all[i].at.Before(all[parent].at) {
			return
		}
		all[i], all[parent] = all[parent], all[i]
		i = parent
	}
}

// pop takes out the first if it is due.
func (h *traceTimers) pop(now time.Time) (t traceTimer, ok bool) {
	all := *h
	if len(all) == 0 || all[0].at.After(now) {
		return t, false
	}
	t = all[0]
	last := len(all) - 1
	all[0] = all[last]
	all = all[:last]
	*h = all
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return t, true
		}
		if child+1 < last && all[child+1].at.Before(all[child].at) {
			child++
		}
		if !all[child].at.Before(all[i].at) {
			return t, true
		}
		all[i], all[child] = all[child], all[i]
		i = child
	}
}
