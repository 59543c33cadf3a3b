package plan

// What the strategies that follow a path to a target share: when it ends, and how far
// ahead they probe.

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
