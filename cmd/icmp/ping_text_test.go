package main

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
)

// with returns an answer of target4 that one thing sets apart.
func with(change func(r *icmplib.Result)) icmplib.Result {
	r := reply(3, 12345*time.Microsecond)
	change(&r)
	return r
}

func TestTextLine(t *testing.T) {
	type result = icmplib.Result
	host := &icmplib.Host{Name: "192.0.2.7", Address: target4}
	for _, tt := range []struct {
		name   string
		result result
		want   string
	}{
		{"a reply", reply(0, 12345*time.Microsecond), "64 bytes from 192.0.2.7: seq=0 ttl=57 time=12.3 ms"},
		{"a reply whose TTL is not known", with(func(r *result) { r.ReplyTTL = 0 }), "64 bytes from 192.0.2.7: seq=3 time=12.3 ms"},
		{"a duplicate", with(func(r *result) { r.Duplicate = true }), "64 bytes from 192.0.2.7: seq=3 ttl=57 time=12.3 ms (DUP!)"},
		{"a late reply", with(func(r *result) { r.Late = true }), "64 bytes from 192.0.2.7: seq=3 ttl=57 time=12.3 ms (late)"},
		{"a changed payload", with(func(r *result) { r.Altered = true }), "64 bytes from 192.0.2.7: seq=3 ttl=57 time=12.3 ms (payload changed)"},
		{"somebody else's payload", with(func(r *result) { r.Status = icmplib.StatusAltered }), "64 bytes from 192.0.2.7: seq=3 ttl=57 time=12.3 ms (not our payload)"},
		{"silence", result{Dst: target4, Status: icmplib.StatusNoReply, Seq: 3}, "No reply from 192.0.2.7: seq=3"},
		{"silence that may be our own fault", result{Dst: target4, Status: icmplib.StatusNoReply, Seq: 3, Suspect: true}, "No reply from 192.0.2.7: seq=3 (our own socket lost packets)"},
		{"what is open when the command ends", result{Dst: target4, Status: icmplib.StatusUnsettled, Seq: 3}, ""},
		{"what the system did not send", result{Dst: target4, Seq: 3, Status: icmplib.StatusNetworkUnreachable, Cause: errors.New("network is unreachable")}, "To 192.0.2.7 seq=3: network is unreachable"},
		{
			"an expired TTL",
			result{Dst: target4, Responder: router4, Status: icmplib.StatusTTLExpired, Type: icmp.V4TimeExceeded, Seq: 3},
			"From 198.51.100.1: seq=3 Time Exceeded: Time to Live exceeded in Transit",
		},
		{
			"an expired TTL inside a tunnel",
			result{Dst: target4, Responder: router4, Status: icmplib.StatusTTLExpired, Type: icmp.V4TimeExceeded, MPLS: []icmp.MPLSLabel{{Label: 16001}, {Label: 24}}},
			"From 198.51.100.1: seq=0 Time Exceeded: Time to Live exceeded in Transit [MPLS 16001] [MPLS 24]",
		},
		{
			"a packet too big for the path",
			result{Dst: target4, Responder: router4, Status: icmplib.StatusPacketTooBig, Type: icmp.V4DestinationUnreachable, Code: 4, MTU: 1400},
			"From 198.51.100.1: seq=0 Destination Unreachable: Fragmentation Needed and Don't Fragment was Set (MTU 1400)",
		},
		{
			"the same of IPv6, whose message has no codes",
			result{Dst: target6, Responder: router6, Status: icmplib.StatusPacketTooBig, Type: icmp.V6PacketTooBig, MTU: 1400},
			"From 2001:db8::1: seq=0 Packet Too Big (MTU 1400)",
		},
		{
			"a host unreachable, told late",
			result{Dst: target4, Responder: router4, Status: icmplib.StatusUnreachable, Type: icmp.V4DestinationUnreachable, Code: 1, Late: true},
			"From 198.51.100.1: seq=0 Destination Unreachable: Host Unreachable (late)",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := newTextReporter(nil, &pingFlags{}).line(host, tt.result); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestWhoAnsweredIsNamed(t *testing.T) {
	named := &icmplib.Host{Name: "www.example", Address: target4}
	linkLocal := &icmplib.Host{Name: "www.example", Address: netip.MustParseAddr("fe80::7")}
	literal := &icmplib.Host{Name: "192.0.2.7", Address: target4}
	for _, tt := range []struct {
		name      string
		host      *icmplib.Host
		responder netip.Addr
		numeric   bool
		asked     int
		want      []string // of the first line, and of one after the lookup
	}{
		{"the target by the name that was given, from the first line on", named, target4, false, 0, []string{"www.example (192.0.2.7)", "www.example (192.0.2.7)"}},
		{"the target when nobody answered", named, netip.Addr{}, false, 0, []string{"www.example (192.0.2.7)", "www.example (192.0.2.7)"}},
		{"the target on whatever link", linkLocal, netip.MustParseAddr("fe80::7%eth0"), false, 0, []string{"www.example (fe80::7%eth0)", "www.example (fe80::7%eth0)"}},
		{"a router as soon as its name is known", named, router4, false, 1, []string{"198.51.100.1", "router.example (198.51.100.1)"}},
		{"nobody with -n", named, target4, true, 0, []string{"192.0.2.7", "192.0.2.7"}},
		{"no router with -n", named, router4, true, 0, []string{"198.51.100.1", "198.51.100.1"}},
		{"not the target that was given as an address", literal, target4, false, 0, []string{"192.0.2.7", "192.0.2.7"}},
		{"no router to such a target", literal, router4, false, 0, []string{"198.51.100.1", "198.51.100.1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				report := newTextReporter(nil, &pingFlags{numeric: tt.numeric})
				asked := 0
				begin := make(chan struct{}, len(tt.want)) // no lookup ends before the line is written
				if report.names != nil {
					report.names.lookup = func(context.Context, string) ([]string, error) {
						<-begin
						asked++
						return []string{"router.example."}, nil
					}
				}
				for _, want := range tt.want {
					if got := report.display(tt.host, icmplib.Result{Dst: tt.host.Address, Responder: tt.responder}); got != want {
						t.Errorf("got %q, want %q", got, want)
					}
					begin <- struct{}{}
					synctest.Wait()
				}
				if asked != tt.asked {
					t.Errorf("%d lookups, want %d", asked, tt.asked)
				}
			})
		})
	}
}

func TestTextReport(t *testing.T) {
	host := &icmplib.Host{Name: "www.example", Address: target4}
	results := []icmplib.Result{
		reply(0, 10*time.Millisecond),
		{Dst: target4, Status: icmplib.StatusNoReply, Seq: 1, Sent: someTime},
		reply(2, 12*time.Millisecond),
		with(func(r *icmplib.Result) { r.Seq, r.Late = 1, true }),
		with(func(r *icmplib.Result) { r.Seq, r.Duplicate = 2, true }),
	}
	for _, r := range results {
		host.Add(r)
	}
	const summary = `
--- www.example ping statistics ---
3 packets transmitted, 2 received, 33.33% packet loss, +1 late, +1 duplicates
rtt min/avg/max/stddev = 10.000/11.000/12.000/1.414 ms, jitter = 2.000 ms
`
	for _, tt := range []struct {
		name  string
		flags pingFlags
		want  string
	}{
		{"whole", pingFlags{probeFlags: probeFlags{size: 56}}, `PING www.example (192.0.2.7) 56 data bytes
64 bytes from www.example (192.0.2.7): seq=0 ttl=57 time=10.0 ms
No reply from www.example (192.0.2.7): seq=1
64 bytes from www.example (192.0.2.7): seq=2 ttl=57 time=12.0 ms
64 bytes from www.example (192.0.2.7): seq=1 ttl=57 time=12.3 ms (late)
64 bytes from www.example (192.0.2.7): seq=2 ttl=57 time=12.3 ms (DUP!)
` + summary},
		{"quiet", pingFlags{probeFlags: probeFlags{size: 56}, quiet: true}, "PING www.example (192.0.2.7) 56 data bytes\n" + summary},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			report := newTextReporter(&out, &tt.flags)
			report.start(host)
			for _, r := range results {
				report.result(host, r)
			}
			report.summary(host)
			if out.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", &out, tt.want)
			}
		})
	}
}

func TestTextHeaderTellsTheAddressWhereItIsNews(t *testing.T) {
	for _, tt := range []struct{ name, target, want string }{
		{"a name", "www.example", "PING www.example (2001:db8::7) 56 data bytes\n"},
		{"an address", "2001:db8::7", "PING 2001:db8::7 56 data bytes\n"},
		{"an address in capitals", "2001:DB8::7", "PING 2001:DB8::7 56 data bytes\n"},
		{"an address written out", "2001:db8:0:0::7", "PING 2001:db8:0:0::7 (2001:db8::7) 56 data bytes\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			newTextReporter(&out, &pingFlags{probeFlags: probeFlags{size: 56}}).start(&icmplib.Host{Name: tt.target, Address: target6})
			if out.String() != tt.want {
				t.Errorf("got %q, want %q", &out, tt.want)
			}
		})
	}
}

func TestTextSummary(t *testing.T) {
	type result = icmplib.Result
	for _, tt := range []struct {
		name    string
		err     error
		results []result
		want    string
	}{
		{"a host that could not be tried has none", errNoName, nil, ""},
		{"interrupted before the first packet", nil, nil, "0 packets transmitted, 0 received, 0% packet loss\n"},
		{
			"one reply", nil, []result{reply(0, 12345*time.Microsecond)},
			"1 packets transmitted, 1 received, 0% packet loss\n" +
				"rtt min/avg/max/stddev = 12.345/12.345/12.345/0.000 ms, jitter = 0.000 ms\n",
		},
		{
			"nothing but what is out of the ordinary", nil,
			[]result{
				{Dst: target4, Status: icmplib.StatusUnreachable, Type: icmp.V4DestinationUnreachable, Sent: someTime},
				{Dst: target4, Status: icmplib.StatusNoReply, Seq: 1, Sent: someTime, Suspect: true},
				{Dst: target4, Status: icmplib.StatusUnsettled, Seq: 2, Sent: someTime},
				{Dst: target4, Status: icmplib.StatusAltered, Seq: 2, Sent: someTime},
				{Dst: target4, Status: icmplib.StatusSendError, Seq: 3},
			},
			"3 packets transmitted, 0 received, 100% packet loss" +
				", +1 errors, +1 altered, +1 not sent, +1 still open, +1 perhaps lost by this host\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host := &icmplib.Host{Name: "www.example", Err: tt.err}
			for _, r := range tt.results {
				host.Add(r)
			}
			want := tt.want
			if want != "" {
				want = "\n--- www.example ping statistics ---\n" + want
			}
			var out strings.Builder
			newTextReporter(&out, &pingFlags{}).summary(host)
			if out.String() != want {
				t.Errorf("got\n%s\nwant\n%s", &out, want)
			}
		})
	}
}

func TestPercentTellsSomeFromNoneAndAll(t *testing.T) {
	for _, tt := range []struct {
		name  string
		share float64
		want  string
	}{
		{"none", 0, "0%"},
		{"one in a million", 1e-6, "0.0001%"},
		{"one in three", 1. / 3, "33.33%"},
		{"half", 0.5, "50%"},
		{"all but one in a million", 1 - 1e-6, "99.9999%"},
		{"all", 1, "100%"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := percent(tt.share); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestMillisecondsHaveThreeDigits(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0.000 ms"},
		{12345 * time.Nanosecond, "0.012 ms"},
		{1234567 * time.Nanosecond, "1.23 ms"},
		{12345678 * time.Nanosecond, "12.3 ms"},
		{123456789 * time.Nanosecond, "123 ms"},
		{12 * time.Second, "12000 ms"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			if got := milliseconds(tt.d); got != tt.want {
				t.Errorf("%v is %s, want %s", tt.d, got, tt.want)
			}
		})
	}
}
