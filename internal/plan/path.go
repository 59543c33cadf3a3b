package plan

// This file has the rules that all strategies of tracing a path share: when the path ends,
// and how far ahead they probe.

// End is why a path ends at a hop.
type End uint8

// The ends, in the order of icmplib.RouteEnd.
const (
	EndUnknown     End = iota
	EndReached         // the target answered
	EndUnreachable     // a node refused to forward the packet
	EndRefused         // an address other than the target's reports a closed UDP port
	EndLoop            // routers forward the packet in a circle
	EndGap             // too many silent hops in a row
	EndMaxHops         // the farthest hop that may be probed
)

// Answers is the set of meanings that the answers to the probes of a hop have for the path.
type Answers uint8

// The meanings.
const (
	Passes  Answers = 1 << iota // a router forwards: time exceeded
	Refuses                     // a node refuses to forward
	Closes                      // an address other than the target's reports a closed UDP port
	Arrives                     // the target answered, or itself refuses
)

// Answer returns the meaning for the path of an answer that settles its probe, or could
// have settled it.
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

// IsAnswer reports whether the probe was answered, with more than advice.
func (o *Observation) IsAnswer() bool {
	return o.Kind != Silent && o.Kind != Advice && o.Kind != Unclear && o.Responder.IsValid()
}

// End returns the end of the path that the answers to all probes of a hop mean:
//
//  1. an answer of the target is the end, whatever other answers there are;
//  2. a refusal is the end, unless another probe of the hop passed;
//  3. a closed port that another address reports is the end, unless another probe passed or
//     a node refused to forward;
//  4. otherwise the path does not end here.
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

// ClosesLoop reports whether the hops up to index, from 0, end with the same circle twice.
// A circle of a single router must appear three times, because a router that forwards
// packets with a TTL of 0 appears twice.
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
