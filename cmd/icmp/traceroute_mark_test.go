package main

import (
	"net/netip"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

func TestResponderMark(t *testing.T) {
	type responder = icmplib.Responder
	refused := func(addr netip.Addr, typ, code uint8) responder {
		return responder{Address: addr, Status: icmplib.StatusUnreachable, Type: icmp.MakeType(icmp.VersionOf(addr), typ), Code: code}
	}
	for _, tt := range []struct {
		name string
		by   responder
		mtu  int
		want string
	}{
		{"the target", responder{Address: target4, Status: icmplib.StatusReply}, 0, ""},
		{"the target of a UDP probe, with port unreachable", responder{Address: target4, Status: icmplib.StatusReply, Type: icmp.V4DestinationUnreachable, Code: 3}, 0, ""},
		{"a router", responder{Address: router4, Status: icmplib.StatusTTLExpired, Type: icmp.V4TimeExceeded}, 0, ""},
		{"a router, IPv6", responder{Address: router6, Status: icmplib.StatusTTLExpired, Type: icmp.V6TimeExceeded}, 0, ""},
		{"fragments that were not reassembled in time", responder{Address: router4, Status: icmplib.StatusTTLExpired, Type: icmp.V4TimeExceeded, Code: 1}, 0, "!<11-1>"},
		{"network unreachable", refused(router4, 3, 0), 0, "!N"},
		{"host unreachable", refused(router4, 3, 1), 0, "!H"},
		{"protocol unreachable", refused(router4, 3, 2), 0, "!P"},
		{"a port of somebody else", refused(router4, 3, 3), 0, "!<3>"},
		{"source route failed", refused(router4, 3, 5), 0, "!S"},
		{"network unknown", refused(router4, 3, 6), 0, "!N"},
		{"host unknown", refused(router4, 3, 7), 0, "!H"},
		{"network prohibited", refused(router4, 3, 9), 0, "!X"},
		{"host prohibited", refused(router4, 3, 10), 0, "!X"},
		{"prohibited", refused(router4, 3, 13), 0, "!X"},
		{"precedence violation", refused(router4, 3, 14), 0, "!V"},
		{"precedence cutoff", refused(router4, 3, 15), 0, "!C"},
		{"a code that nobody assigned", refused(router4, 3, 16), 0, "!<16>"},
		{"too big", responder{Address: router4, Status: icmplib.StatusPacketTooBig, Type: icmp.V4DestinationUnreachable, Code: 4}, 1400, "!F-1400"},
		{"too big, of a router that tells no MTU", responder{Address: router4, Status: icmplib.StatusPacketTooBig, Type: icmp.V4DestinationUnreachable, Code: 4}, 0, "!F"},
		{"too big, IPv6", responder{Address: router6, Status: icmplib.StatusPacketTooBig, Type: icmp.V6PacketTooBig}, 1280, "!F-1280"},
		{"no route, IPv6", refused(router6, 1, 0), 0, "!N"},
		{"prohibited, IPv6", refused(router6, 1, 1), 0, "!X"},
		{"beyond the scope of the source", refused(router6, 1, 2), 0, "!H"},
		{"address unreachable", refused(router6, 1, 3), 0, "!H"},
		{"a port of somebody else, IPv6", refused(router6, 1, 4), 0, "!<4>"},
		{"source refused by policy", refused(router6, 1, 5), 0, "!X"},
		{"reject route", refused(router6, 1, 6), 0, "!X"},
		{"source routing header", refused(router6, 1, 7), 0, "!S"},
		{"a code without a mark, IPv6", refused(router6, 1, 8), 0, "!<8>"},
		{"a protocol that the target does not know, IPv6", responder{Address: router6, Status: icmplib.StatusParameterProblem, Type: icmp.V6ParameterProblem, Code: 1}, 0, "!P"},
		{"a header that makes no sense", responder{Address: router4, Status: icmplib.StatusParameterProblem, Type: icmp.V4ParameterProblem, Code: 2}, 0, "!<12-2>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := responderMark(&tt.by, tt.mtu); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
