package main

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// aHop is a made-up hop, whose probes had these round-trip times; a negative one
// stands for silence.
func aHop(distance int, status icmplib.Status, rtts []time.Duration, by ...icmplib.Responder) *icmplib.Hop {
	h := &icmplib.Hop{Distance: distance, Status: status, Responders: by}
	if len(by) > 0 {
		h.Address, h.MPLS = by[0].Address, by[0].MPLS
	}
	for i, rtt := range rtts {
		r := reply(i, rtt)
		if rtt < 0 {
			r.Status, r.RTT = icmplib.StatusNoReply, 0
		}
		h.Stats.Add(r)
	}
	return h
}

func inMicroseconds(rtts ...int) []time.Duration {
	d := make([]time.Duration, len(rtts))
	for i := range rtts {
		d[i] = time.Duration(rtts[i]) * time.Microsecond
	}
	return d
}

// router returns a responder that forwards.
func router(addr netip.Addr, answers int) icmplib.Responder {
	r := icmplib.Responder{Address: addr, PacketsReceived: answers, Status: icmplib.StatusTTLExpired, Type: icmp.V4TimeExceeded, ReplyTTL: 254}
	if addr.Is6() {
		r.Type = icmp.V4DestinationUnreachable
	}
	return r
}

// Who is met on made-up routes.
var (
	balancer = netip.MustParseAddr("198.51.100.2")
	finish   = icmplib.Responder{Address: target4, PacketsReceived: 2, Status: icmplib.StatusReply, ReplyTTL: 61}
	barrier  = icmplib.Responder{Address: router4, PacketsReceived: 1, Status: icmplib.StatusUnreachable, Type: icmp.V4DestinationUnreachable, Code: 13}
)

func routerHop() *icmplib.Hop {
	return aHop(1, icmplib.StatusTTLExpired, inMicroseconds(1230, 1450, 980), router(router4, 3))
}

func silentHop() *icmplib.Hop {
	return aHop(2, icmplib.StatusNoReply, inMicroseconds(-1, -1, -1))
}

// balancedHop has two responders, one of them behind a tunnel, and a translator
// before it.
func balancedHop() *icmplib.Hop {
	first := router(router4, 1)
	first.MPLS = []icmp.MPLSLabel{{Label: 16001, TrafficClass: 5, TTL: 1}, {Label: 24, BottomOfStack: true, TTL: 2}}
	h := aHop(3, icmplib.StatusTTLExpired, inMicroseconds(12300, -1, 12500), first, router(balancer, 1))
	h.Rewritten, h.ReturnDistance = icmplib.RewriteSource|icmplib.RewriteTrafficClass, 2
	return h
}

func finalHop() *icmplib.Hop {
	return aHop(4, icmplib.StatusReply, inMicroseconds(20000, 22000), finish)
}

func refusedHop() *icmplib.Hop {
	return aHop(2, icmplib.StatusUnreachable, inMicroseconds(5000), barrier)
}

// closedHop says that the port is closed, and is not the target as far as is known.
func closedHop() *icmplib.Hop {
	by := icmplib.Responder{Address: router4, PacketsReceived: 1, Status: icmplib.StatusRefused, Type: 3, Code: 3}
	return aHop(2, icmplib.StatusRefused, inMicroseconds(5000), by)
}

// ownHop is this host's own word that nobody has the next hop's address.
func ownHop() *icmplib.Hop {
	by := icmplib.Responder{Address: router4, Local: true, Status: icmplib.StatusUnreachable, Type: icmp.V4DestinationUnreachable, Code: 1}
	return aHop(1, icmplib.StatusUnreachable, nil, by)
}

// narrowHop says that the packet is too big, by IPv6.
func narrowHop() *icmplib.Hop {
	by := icmplib.Responder{Address: router6, PacketsReceived: 1, Status: icmplib.StatusPacketTooBig, Type: icmp.V6PacketTooBig}
	h := aHop(2, icmplib.StatusPacketTooBig, inMicroseconds(5000), by)
	h.MTU = 1400
	return h
}

// aRoute is made up of hops.
func aRoute(end icmplib.RouteEnd, hops ...*icmplib.Hop) *icmplib.Route {
	r := &icmplib.Route{Address: target4, Name: "www.example", End: end, Reached: end == icmplib.EndReached}
	for _, h := range hops {
		r.Hops = append(r.Hops, *h)
	}
	return r
}
