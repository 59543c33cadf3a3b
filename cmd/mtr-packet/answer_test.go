package main

import (
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
)

// The words are those of mtr-packet(8), which takes a closed port for an answer of the
// target whoever tells of it.
func TestAnswersAreInTheWordsOfTheProtocol(t *testing.T) {
	target, other := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("198.51.100.1")
	for want, r := range map[string]icmplib.Result{
		"7 reply ip-4 192.0.2.7 round-trip-time 1500\n":            {Dst: target, Responder: target, Status: icmplib.StatusReply, RTT: 1500 * time.Microsecond},
		"7 reply ip-4 198.51.100.1 round-trip-time 1500\n":         {Dst: target, Responder: other, Status: icmplib.StatusRefused, Type: 3, Code: 3, RTT: 1500 * time.Microsecond},
		"7 no-route-host ip-4 198.51.100.1 round-trip-time 1500\n": {Dst: target, Responder: other, Status: icmplib.StatusUnreachable, Type: 3, Code: 1, RTT: 1500 * time.Microsecond},
		"7 no-route-host ip-4 198.51.100.1 round-trip-time 0\n":    {Dst: target, Responder: other, Status: icmplib.StatusPacketTooBig, Type: 3, Code: 4},
		"7 no-reply\n": {Dst: target, Status: icmplib.StatusNoReply},
	} {
		if got := string(appendAnswer(nil, 7, &r)); got != want {
			t.Errorf("%v is answered %q, want %q", r, got, want)
		}
	}
}
