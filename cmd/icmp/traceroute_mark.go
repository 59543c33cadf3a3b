package main

import (
	"fmt"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// Marks of destination unreachable by code, as traceroute has them.
var (
	unreachableMarks4 = [...]string{
		icmp.V4CodeNetUnreachable:             "!N",
		icmp.V4CodeHostUnreachable:            "!H",
		icmp.V4CodeProtocolUnreachable:        "!P",
		icmp.V4CodePortUnreachable:            "!<3>",
		icmp.V4CodeFragmentationNeeded:        "!F",
		icmp.V4CodeSourceRouteFailed:          "!S",
		icmp.V4CodeNetUnknown:                 "!N",
		icmp.V4CodeHostUnknown:                "!H",
		icmp.V4CodeSourceHostIsolated:         "!N",
		icmp.V4CodeNetProhibited:              "!X",
		icmp.V4CodeHostProhibited:             "!X",
		icmp.V4CodeNetUnreachableForTOS:       "!N",
		icmp.V4CodeHostUnreachableForTOS:      "!H",
		icmp.V4CodeAdministrativelyProhibited: "!X",
		icmp.V4CodeHostPrecedenceViolation:    "!V",
		icmp.V4CodePrecedenceCutoffInEffect:   "!C",
	}
	unreachableMarks6 = [...]string{
		icmp.V6CodeNoRoute:                    "!N",
		icmp.V6CodeAdministrativelyProhibited: "!X",
		icmp.V6CodeBeyondScopeOfSource:        "!H",
		icmp.V6CodeAddressUnreachable:         "!H",
		icmp.V6CodePortUnreachable:            "!<4>",
		icmp.V6CodeSourcePolicyFailed:         "!X",
		icmp.V6CodeRejectRoute:                "!X",
		icmp.V6CodeSourceRoutingHeader:        "!S",
	}
)

// responderMark returns the mark of somebody who refused to forward a probe,
// and "" for the target and for a router that forwards. The MTU is the hop's.
func responderMark(r *icmplib.Responder, mtu int) string {
	if r.Status == icmplib.StatusReply {
		return ""
	}
	switch typ := icmp.MakeType(icmp.VersionOf(r.Address), r.Type); {
	case r.Status == icmplib.StatusTTLExpired && r.Code == icmp.V4CodeTTLExceeded:
		return ""
	case r.Status == icmplib.StatusPacketTooBig && mtu > 0:
		return fmt.Sprintf("!F-%d", mtu)
	case r.Status == icmplib.StatusPacketTooBig:
		return "!F"
	case typ == icmp.V4DestinationUnreachable:
		return markOf(unreachableMarks4[:], r.Code)
	case typ == icmp.V6DestinationUnreachable:
		return markOf(unreachableMarks6[:], r.Code)
	case typ == icmp.V6ParameterProblem && r.Code == icmp.V6CodeUnrecognizedNextHeader:
		return "!P"
	}
	return fmt.Sprintf("!<%d-%d>", r.Type, r.Code)
}

func markOf(marks []string, code uint8) string {
	if int(code) < len(marks) {
		return marks[code]
	}
	return fmt.Sprintf("!<%d>", code)
}
