package plan

import "time"

// What the strategies that follow a path to a target share: when it ends, how far
// ahead they probe, and how they stop and wait.

// End is why a path ends at a hop.
type End uint8

// The ends, in the order of icmplib.RouteEnd.
const (
	EndUnknown     End = iota
	EndReached         // the target answered
	EndUnreachable     // somebody refused to forward the packet
	EndRefused         // another address than the target's says that the UDP port is closed
	EndLoop            // routers forward the packet in a circle
	EndGap             // too many silent hops in a row
	EndMaxHops         // the farthest hop that may be probed
)

// Answers is a set of what the answers to the probes of a hop mean for the path.
type Answers uint8

// The meanings.
const (
	Passes  Answers = 1 << iota // a router forwards: time exceeded
	Refuses                     // somebody refuses to forward
	Closes                      // another address than the target's says that the UDP port is closed
	Arrives                     // the target answered, or refuses by itself
)

// Answer returns what an answer that settles its probe, or might have, means for
// the path.
func (o *Observation) Answer() Answers {
	switch {
	case o.Kind == Reply || o.FromTarget:
		return Arrives
	case o.Kind == TimeExceeded:
		return Passes
	case o.Kind == Refused:
		return Closes
	}
	return Refuses
}

// IsAnswer reports whether somebody answered the probe, with more than advice.
func (o *Observation) IsAnswer() bool {
	return o.Kind != Silent && o.Kind != Advice && o.Kind != Unclear && o.Responder.IsValid()
}

// End returns which end of the path the answers to all probes of a hop stand for:
//
//  1. the target's answer is the end, whatever else was answered;
//  2. a refusal is the end, unless another probe of the hop passed;
//  3. so is a closed port that another address tells of, if nobody refused to forward;
//  4. anything else is none.
func (a Answers) End() End {
	switch {
	case a&Arrives != 0:
		return EndReached
	case a&Passes != 0:
		return EndUnknown
	case a&Refuses != 0:
		return EndUnreachable
	case a&Closes != 0:
		return EndRefused
	}
	return EndUnknown
}

// ClosesLoop reports whether the hops up to index, from 0, end with the same circle
// twice. A single router that answers at every hop has to come three times, for one
// that forwards with a TTL of 0 is seen twice.
func ClosesLoop(index int, alike func(i, j int) bool) bool {
	for size := 1; size <= (index+1)/2; size++ {
		rounds := 2
		if size == 1 {
			rounds = 3
		}
		same := size*rounds <= index+1
		for i := index; same && i > index-size*(rounds-1); i-- {
			same = alike(i, i-size)
		}
		if same {
			return true
		}
	}
	return false
}

// Ahead is how many hops are probed ahead of the farthest that answered.
const Ahead = 8

// Window is how many hops may be probed. It opens with each answer, and with time,
// so that a stretch of silent hops does not stop a trace.
type Window struct {
	Hops  int           // that may be probed
	Grows time.Time     // when it opens by itself
	every time.Duration // how long after that again
}

// leastGrowth keeps a trace without an interval from probing all hops at once.
const leastGrowth = 10 * time.Millisecond

// NewWindow returns the window of a trace whose probes to a hop leave an interval
// apart.
func NewWindow(now time.Time, interval time.Duration) Window {
	every := max(interval, leastGrowth)
	return Window{Hops: Ahead, Grows: now.Add(every), every: every}
}

// Grow opens the window if it is time, and reports whether it was.
func (w *Window) Grow(now time.Time) bool {
	if now.Before(w.Grows) {
		return false
	}
	w.Hops += Ahead
	w.Grows = now.Add(w.every)
	return true
}

// Answered opens the window behind a hop, from 0, that answered.
func (w *Window) Answered(hop int) { w.Hops = max(w.Hops, hop+1+Ahead) }

// Holdoff is until when another answer to a probe may come, which would be taken
// for one to the next probe where answers do not say which one they are to.
type Holdoff struct {
	Forgotten time.Duration // after the sending of a silent probe: its answer may be late
	Repeated  time.Duration // after any other answer: it may come twice
	Until     time.Time
}

// Note takes account of what became known of a probe.
func (h *Holdoff) Note(o *Observation) {
	switch {
	case o.Kind == Silent:
		h.Extend(o.Sent.Add(h.Forgotten))
	case o.Responder.IsValid():
		h.Extend(o.Answered().Add(h.Repeated))
	}
}

// Extend makes the holdoff last until a moment at least.
func (h *Holdoff) Extend(until time.Time) {
	if until.After(h.Until) {
		h.Until = until
	}
}

// Hold reports whether a probe has to wait where one at a time may be in flight,
// and until when; the zero time if only the fate of the one in flight can tell.
func (h *Holdoff) Hold(inFlight int, now time.Time) (wake time.Time, wait bool) {
	if inFlight > 0 {
		return time.Time{}, true
	}
	return h.Until, now.Before(h.Until)
}
