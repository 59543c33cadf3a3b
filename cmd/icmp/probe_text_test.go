package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// probed are results, and how they are told.
var probed = []struct {
	name   string
	result icmplib.Result
	text   string
}{
	{
		"a reply", reply(0, 12345*time.Microsecond),
		"reply from 192.0.2.7 ttl=57 time=12.3 ms",
	},
	{
		"an answer that is no ICMP message",
		icmplib.Result{Dst: target4, Responder: target4, Status: icmplib.StatusReply, TTL: 64, RTT: time.Second, Retransmitted: true},
		"reply from 192.0.2.7 time=1000 ms (sent again by the system)",
	},
	{
		"silence", icmplib.Result{Dst: target4, Status: icmplib.StatusNoReply, TTL: 9, Suspect: true},
		"no-reply to 192.0.2.7 (our own socket lost packets)",
	},
	{
		"a router inside a tunnel",
		icmplib.Result{
			Dst: target4, Responder: router4, Status: icmplib.StatusTTLExpired, Type: icmp.V4TimeExceeded, TTL: 3, ReplyTTL: 253, RTT: time.Millisecond, Size: 36,
			MPLS: []icmp.MPLSLabel{{Label: 16001, TrafficClass: 5, BottomOfStack: true, TTL: 1}},
		},
		"ttl-expired from 198.51.100.1 ttl=253 time=1.00 ms: Time Exceeded: Time to Live exceeded in Transit  [MPLS 16001 tc=5 ttl=1]",
	},
	{
		"a link that is too narrow",
		icmplib.Result{Dst: target6, Responder: router6, Status: icmplib.StatusPacketTooBig, Type: icmp.V6PacketTooBig, MTU: 1400, TTL: 64, RTT: time.Millisecond, Size: 48},
		"packet-too-big from 2001:db8::1 time=1.00 ms: Packet Too Big (MTU 1400)",
	},
	{
		"a probe that did not leave",
		icmplib.Result{Dst: target4, Status: icmplib.StatusNetworkUnreachable, TTL: 64, Cause: errors.New("network is unreachable")},
		"no-route-network to 192.0.2.7: network is unreachable",
	},
}

func TestWhatAQueryIsAnsweredWith(t *testing.T) {
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	stamped := func(receive uint32) icmplib.Result {
		return icmplib.Result{Type: icmp.V4TimestampReply, Sent: noon, Timestamp: &icmp.Timestamp{Receive: receive, Transmit: receive}}
	}
	told := func(code uint8, e icmp.ExtendedEcho) icmplib.Result {
		return icmplib.Result{Type: icmp.V6ExtendedEchoReply, Code: code, ExtendedEcho: &e}
	}
	for _, tt := range []struct {
		r    icmplib.Result
		want string
	}{
		{icmplib.Result{Type: icmp.V4EchoReply}, ""},
		{told(0, icmp.ExtendedEcho{Active: true, IPv4: true, IPv6: true}), ": active, IPv4, IPv6"},
		{told(0, icmp.ExtendedEcho{}), ": not active"},
		{told(0, icmp.ExtendedEcho{Active: true, State: icmp.NeighborStale}), ": active, stale"},
		{told(2, icmp.ExtendedEcho{}), ": No Such Interface"},
		{stamped(43_200_123), ": 12:00:00.123 UT, +123 ms from ours"},
		{stamped(1 << 31), ": a time in a unit of its own"},
	} {
		if got := answered(&tt.r); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.r, got, tt.want)
		}
	}
}

func TestProbeText(t *testing.T) {
	for _, tt := range probed {
		t.Run(tt.name, func(t *testing.T) {
			if got := (textProbes{}).line(tt.result.Dst.String(), tt.result); got != tt.text {
				t.Errorf("got  %q\nwant %q", got, tt.text)
			}
		})
	}
}

func TestProbesAreNumberedIfThereAreSeveral(t *testing.T) {
	if got, want := (textProbes{several: true}).line("192.0.2.7", reply(3, time.Second)), "reply from 192.0.2.7 seq=3 ttl=57 time=1000 ms"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhoAnsweredAProbeIsNamed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		target string
		want   string
	}{
		{"the target by the name that was given", "www.example", "reply from www.example (192.0.2.7) "},
		{"a target that was given as an address by its own", "192.0.2.7", "reply from looked.up (192.0.2.7) "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := textProbes{names: newNameCache()}
			text.names.lookup = func(context.Context, string) ([]string, error) { return []string{"looked.up."}, nil }
			if got := text.line(tt.target, reply(0, time.Second)); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
