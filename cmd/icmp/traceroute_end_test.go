package main

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
)

func TestHowARouteEnded(t *testing.T) {
	type hops = []*icmplib.Hop
	mixed := aHop(2, icmplib.StatusTTLExpired, nil, router(balancer, 1), barrier)
	for _, tt := range []struct {
		name string
		hops hops
		end  icmplib.RouteEnd
		says string
	}{
		{"interrupted before the first hop", nil, icmplib.EndUnknown,
			"interrupted: the route to www.example (192.0.2.7) is incomplete"},
		{"at the target", hops{routerHop(), silentHop(), finalHop()}, icmplib.EndReached,
			"reached: www.example (192.0.2.7) answers at distance 4"},
		{"at the target, which is the last hop allowed", hops{finalHop()}, icmplib.EndReached,
			"reached: www.example (192.0.2.7) answers at distance 4"},
		{"at somebody who refuses", hops{routerHop(), refusedHop()}, icmplib.EndUnreachable,
			"unreachable: 198.51.100.1 at distance 2 reports Destination Unreachable: Communication Administratively Prohibited"},
		{"at this host itself", hops{ownHop()}, icmplib.EndUnreachable,
			"unreachable: this host itself (198.51.100.1) reports Destination Unreachable: Host Unreachable: no probe was sent"},
		{"at one of two who refuses", hops{routerHop(), mixed}, icmplib.EndUnreachable,
			"unreachable: 198.51.100.1 at distance 2 reports Destination Unreachable: Communication Administratively Prohibited"},
		{"where one flow is refused before another one is silent", hops{refusedHop(), balancedHop()}, icmplib.EndUnreachable,
			"unreachable: 198.51.100.1 at distance 2 reports Destination Unreachable: Communication Administratively Prohibited"},
		{"at a link that is too narrow", hops{narrowHop()}, icmplib.EndUnreachable,
			"unreachable: 2001:db8::1 at distance 2 reports Packet Too Big (MTU 1400)"},
		{"at somebody who may be the target", hops{routerHop(), closedHop()}, icmplib.EndRefused,
			"refused: 198.51.100.1 at distance 2 reports a closed port: www.example (192.0.2.7) under another address, or a firewall"},
		{"in a circle", hops{routerHop(), balancedHop()}, icmplib.EndLoop,
			"loop: routers forward the packet in a circle, up to distance 3"},
		{"in silence", hops{routerHop(), silentHop()}, icmplib.EndGap,
			"gap: no more answers, up to distance 2"},
		{"at the last hop allowed", hops{routerHop(), balancedHop()}, icmplib.EndMaxHops,
			"max-hops: www.example (192.0.2.7) is farther than 3 hops, or silent"},
		{"at the last hop allowed, in silence", hops{routerHop(), silentHop()}, icmplib.EndMaxHops,
			"max-hops: www.example (192.0.2.7) is farther than 2 hops, or silent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := describeEnd(aRoute(tt.end, tt.hops...)); got != tt.says {
				t.Errorf("got  %q\nwant %q", got, tt.says)
			}
		})
	}
}

func TestTheVerdictOnARoute(t *testing.T) {
	refused := &notSentError{os.NewSyscallError("sendmsg", syscall.ENETUNREACH)}
	forbidden := &notSentError{os.NewSyscallError("sendmsg", syscall.EPERM)}
	for _, tt := range []struct {
		name string
		end  icmplib.RouteEnd
		err  error
		want int
	}{
		{"reached", icmplib.EndReached, nil, exitAlive},
		{"unreachable", icmplib.EndUnreachable, nil, exitDead},
		{"refused by who may be the target", icmplib.EndRefused, nil, exitDead},
		{"interrupted", icmplib.EndUnknown, nil, exitDead},
		{"a target that has no route is dead", icmplib.EndUnknown, refused, exitDead},
		{"what a firewall forbids is a missing permission", icmplib.EndUnknown, forbidden, exitFailure},
		{"a name that is not found", icmplib.EndUnknown, errNoName, exitNoName},
		{"a socket that may not be opened", icmplib.EndUnknown, errDenied, exitFailure},
		{"a flag that cannot be used", icmplib.EndUnknown, errors.New("--source ::1"), exitUsage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := exitCode(routeVerdict(aRoute(tt.end), tt.err)); got != tt.want {
				t.Errorf("the exit code is %d, want %d", got, tt.want)
			}
		})
	}
}

func TestATimeOfNoticingIsMarked(t *testing.T) {
	hop := finalHop()
	hop.Responders[0].RTTSource = icmplib.RTTNoticed
	r := aRoute(icmplib.EndReached, hop)
	text, out := &textRoute{}, &strings.Builder{}
	if line := text.lines(r, hop); !strings.Contains(line, "(timed when noticed)") {
		t.Errorf("the line of the hop is %q", line)
	}
	csvRoute{newCSVHops(out, nil)}.end(r, nil)
	if cell := csvColumns(t, out.String())[0]["rtt_source"]; cell != "noticed" {
		t.Errorf("the cell is %q", cell)
	}
	refused := reply(0, time.Millisecond)
	refused.RTTSource = icmplib.RTTNoticed
	if got := remarks(refused); got != " (timed when noticed)" {
		t.Errorf("a ping's line ends with %q", got)
	}
}
