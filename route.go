package icmplib

import (
	"iter"
	"net/netip"
)

// Route is the way to a target, as far as it is known: the result of Traceroute.
type Route struct {
	// Address is the address that was traced, and Name the target as the caller
	// gave it.
	Address netip.Addr
	Name    string

	// Reached is set where the target answered.
	Reached bool

	// End is why the trace ended where it did.
	End RouteEnd

	// Err is why nothing could be sent to the target, or its address is not
	// known, in a [MultiTraceroute]; nil otherwise.
	Err error

	// Hops are all hops up to the end in order of distance, silent ones too. A
	// trace that did not reach its target ends with the last hop that answered,
	// unless it ended by its gap limit or at MaxHops.
	Hops []Hop

	// Graph is the ways of several flows; nil where one was traced. See
	// [TracerouteOptions].Flows.
	Graph *Graph
}

// Responding yields the hops that answered.
func (r *Route) Responding() iter.Seq[*Hop] {
	return func(yield func(*Hop) bool) {
		for i := range r.Hops {
			if !r.Hops[i].IsSilent() && !yield(&r.Hops[i]) {
				return
			}
		}
	}
}

// RouteEnd says why a trace ended.
type RouteEnd uint8

// The ends of a trace.
const (
	EndUnknown     RouteEnd = iota // it was cut short
	EndReached                     // the target answered
	EndUnreachable                 // somebody refused to forward the packet: see the last hop's Status
	EndLoop                        // routers forward the packet in a circle
	EndGap                         // GapLimit hops in a row were silent
	EndMaxHops                     // MaxHops was not enough
)

var routeEndWords = [...]string{"unknown", "reached", "unreachable", "loop", "gap", "max-hops"}

// String returns the end in a word, such as "reached" or "loop".
func (e RouteEnd) String() string {
	return wordOf(e, routeEndWords[:], routeEndWords[EndUnknown])
}

// MarshalText returns the word, for JSON and its like.
func (e RouteEnd) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText sets e to the end whose word is given. An unknown word is an
// error.
func (e *RouteEnd) UnmarshalText(word []byte) error {
	return setByWord(e, routeEndWords[:], 0, word, "end of a route")
}
