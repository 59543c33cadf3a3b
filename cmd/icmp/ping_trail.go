package main

import (
	"time"

	"github.com/goicmp/icmplib"
)

// trailLength is how many of the last probes a trail knows.
const trailLength = 512

// trail is what became of the last probes to a host, in sending order, in
// whatever order that became known.
type trail struct {
	rtts [trailLength]time.Duration
	end  int // the ordinal after the last
}

// add takes the result of a probe. Silence stays silence when an answer comes
// late; an error gives way to a reply in time.
func (t *trail) add(r icmplib.Result) {
	if !r.Settles() && (r.Late || !r.Corrects) || r.Seq < t.end-trailLength {
		return
	}
	for ; t.end <= r.Seq; t.end++ {
		t.rtts[t.end%trailLength] = sparkOpen
	}
	at := &t.rtts[r.Seq%trailLength]
	switch r.Status {
	case icmplib.StatusReply:
		*at = r.RTT
	case icmplib.StatusNoReply:
		*at = sparkLost
	case icmplib.StatusUnsettled:
	default:
		*at = sparkError
	}
}

// last returns the last n, or as many as there are, in a list of its own.
func (t *trail) last(n int) []time.Duration {
	n = min(n, t.end, trailLength)
	last := make([]time.Duration, n)
	for i := range last {
		last[i] = t.rtts[(t.end-n+i)%trailLength]
	}
	return last
}
