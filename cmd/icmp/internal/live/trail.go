package live

import (
	"slices"
	"time"

	"github.com/goicmp/icmplib"
)

// mark is the result of a probe, as the graphs show it.
type mark struct {
	kind markKind
	rtt  time.Duration // of an answer
}

type markKind uint8

const (
	markOpen     markKind = iota // not sent, or its fate is not known
	markAnswered                 // somebody answered
	markUntimed                  // the same, and nobody knows which packet was answered
	markLate                     // the answer came after its timeout: it counts as lost
	markLost                     // nobody answered
	markUnsent                   // this system did not send it
)

// maxTrail is how many rounds are kept: more than a screen has columns.
const maxTrail = 512

// trail is the results of the last probes to a hop, one mark a round.
type trail struct {
	last  int    // the round of the last mark
	marks []mark // of the rounds up to last
}

// note takes a result. Answers may come rounds later than those that followed.
func (t *trail) note(r *icmplib.Result) {
	m := markOf(r)
	if m.kind == markOpen {
		return
	}
	round := r.Seq + 1
	t.reach(round)
	if at := len(t.marks) - 1 - (t.last - round); at >= 0 {
		t.marks[at] = m
	}
}

// reach extends the trail to a round.
func (t *trail) reach(round int) {
	if round <= t.last {
		return
	}
	t.marks = append(t.marks, make([]mark, min(round-t.last, maxTrail))...)
	if excess := len(t.marks) - maxTrail; excess > 0 {
		t.marks = slices.Delete(t.marks, 0, excess)
	}
	t.last = round
}

// tail returns the marks of so many rounds up to the given one, open ones where
// nothing is known.
func (t *trail) tail(round, count int) []mark {
	tail := make([]mark, count)
	for i := range tail {
		at := len(t.marks) - 1 - (t.last - (round - count + 1 + i))
		if at >= 0 && at < len(t.marks) {
			tail[i] = t.marks[at]
		}
	}
	return tail
}

func (t *trail) clone() *trail {
	return &trail{t.last, slices.Clone(t.marks)}
}

// markOf returns what a result says of its probe; an open one where it says
// nothing. What counts as an answer is what counts as one in a hop's Stats.
func markOf(r *icmplib.Result) mark {
	switch {
	case r.Sent.IsZero():
		return mark{kind: markUnsent}
	case r.Status == icmplib.StatusUnsettled, r.Corrects, !r.Settles() && !r.Late:
		return mark{}
	case r.Late:
		return mark{kind: markLate}
	case r.Status != icmplib.StatusReply && !r.Responder.IsValid():
		return mark{kind: markLost}
	case r.Retransmitted:
		return mark{kind: markUntimed}
	}
	return mark{markAnswered, r.RTT}
}
