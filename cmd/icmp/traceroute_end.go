package main

import (
	"fmt"

	"github.com/goicmp/icmplib"
)

// routeEnd says why a trace that has run its course ended with these hops,
// which a sequence of hops does not tell.
func routeEnd(hops []icmplib.Hop, maxHops int) icmplib.RouteEnd {
	if len(hops) == 0 {
		return icmplib.EndUnknown
	}
	last := &hops[len(hops)-1]
	switch {
	case last.Status == icmplib.StatusReply:
		return icmplib.EndReached
	case refuser(last) != nil:
		return icmplib.EndUnreachable
	case last.Distance >= maxHops:
		return icmplib.EndMaxHops
	case last.IsSilent():
		return icmplib.EndGap
	}
	return icmplib.EndLoop // nothing else ends a trace at a router that forwards
}

// refuser returns who refuses at a hop to forward the packet, or nil.
func refuser(h *icmplib.Hop) *icmplib.Responder {
	for i := range h.Responders {
		r := &h.Responders[i]
		if r.Status != icmplib.StatusReply && r.Status != icmplib.StatusTTLExpired {
			return r
		}
	}
	return nil
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
		by := refuser(last)
		return fmt.Sprintf("unreachable: %s at distance %d says %s", by.Address, last.Distance,
			describe(icmplib.Result{Dst: by.Address, Type: by.Type, Code: by.Code, MTU: last.MTU}))
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
