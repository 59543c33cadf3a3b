package main

import (
	"fmt"
	"slices"

	"github.com/goicmp/icmplib"
)

// refuser returns the farthest hop where somebody refuses to forward the packet,
// and who that is: the last hop, save where several flows end at different ones.
func refuser(r *icmplib.Route) (*icmplib.Hop, *icmplib.Responder) {
	for _, h := range slices.Backward(r.Hops) {
		for i := range h.Responders {
			if by := &h.Responders[i]; by.Status != icmplib.StatusReply && by.Status != icmplib.StatusTTLExpired {
				return &h, by
			}
		}
	}
	return nil, nil
}

// describeEnd says in a sentence how a trace ended that took place. It begins
// with the word of the end, where that has one.
func describeEnd(r *icmplib.Route) string {
	if len(r.Hops) == 0 || r.End == icmplib.EndUnknown {
		return "interrupted: the route to " + routeName(r) + " is not known to its end"
	}
	last := &r.Hops[len(r.Hops)-1]
	switch r.End {
	case icmplib.EndReached:
		return fmt.Sprintf("reached: %s answers at distance %d", routeName(r), last.Distance)
	case icmplib.EndUnreachable:
		if h, by := refuser(r); by != nil {
			return fmt.Sprintf("unreachable: %s at distance %d says %s", by.Address, h.Distance,
				describe(icmplib.Result{Dst: by.Address, Type: by.Type, Code: by.Code, MTU: h.MTU}))
		}
		return fmt.Sprintf("unreachable: the path to %s ends at distance %d", routeName(r), last.Distance)
	case icmplib.EndLoop:
		return fmt.Sprintf("loop: routers forward the packet in a circle, as far as distance %d", last.Distance)
	case icmplib.EndGap:
		return fmt.Sprintf("gap: nobody answers any more, as far as distance %d", last.Distance)
	}
	return fmt.Sprintf("max-hops: %s is farther than %d hops, or silent", routeName(r), last.Distance)
}

// routeName returns the target as it was given, and its address if that says
// more.
func routeName(r *icmplib.Route) string {
	return nameOf(&icmplib.Host{Name: r.Name, Address: r.Address})
}
