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

func TestTheLinesOfAHop(t *testing.T) {
	late := aHop(9, icmplib.StatusTTLExpired, inMicroseconds(1000, -1), router(router4, 1))
	late.Add(icmplib.Result{Seq: 1, Late: true, Sent: someTime, Status: icmplib.StatusReply, RTT: time.Second})
	named := aHop(7, icmplib.StatusTTLExpired, inMicroseconds(1000), router(router4, 1))
	named.Responders[0].Interfaces = []icmp.InterfaceInfo{
		{Name: "eth7\x1b[2J", Index: 7, Address: router4, MTU: 1500}, {Role: icmp.RoleOutgoing},
	}
	for _, tt := range []struct {
		name string
		hop  *icmplib.Hop
		want string
	}{
		{"a router", routerHop(), "  1 198.51.100.1  1.23 ms  1.45 ms  0.980 ms, jitter 0.345 ms\n"},
		{"silence", silentHop(), "  2 *\n"},
		{"two responders, labels, loss and what was done to the probe", balancedHop(),
			"  3 198.51.100.1  12.3 ms  12.5 ms, jitter 0.200 ms, 33.33% loss  (1 of 3)" +
				"  [MPLS 16001 tc=5 ttl=1, 24 tc=0 ttl=2]  [rewritten: source, traffic-class]  [back 2]\n" +
				"    198.51.100.2  (1 of 3)\n"},
		{"the target", finalHop(), "  4 192.0.2.7  20.0 ms  22.0 ms, jitter 2.00 ms\n"},
		{"somebody who refuses", refusedHop(), "  2 198.51.100.1  5.00 ms  !X\n"},
		{"a link that is too narrow", narrowHop(), "  2 2001:db8::1  5.00 ms  !F-1400\n"},
		{"many probes", aHop(255, icmplib.StatusTTLExpired, inMicroseconds(1000, 2000, 3000, 4000, 5000, 6000), router(router4, 6)),
			"255 198.51.100.1  min/avg/max 1.000/3.500/6.000 ms, jitter 1.00 ms\n"},
		{"a router that names its interfaces", named,
			"  7 198.51.100.1  1.00 ms  [incoming \"eth7\\x1b[2J\" index=7 198.51.100.1 mtu=1500]  [outgoing]\n"},
		{"a late answer", late, "  9 198.51.100.1  1.00 ms, 50% loss, +1 late\n"},
		{"probes that did not leave", func() *icmplib.Hop {
			h := aHop(5, icmplib.StatusNoReply, inMicroseconds(-1))
			h.Add(icmplib.Result{Seq: 1, Cause: errors.New("no buffer")})
			return h
		}(), "  5 *  +1 not sent\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := (&textRoute{}).lines(aRoute(icmplib.EndUnknown), tt.hop); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestTheTextOfARoute(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		err  error
		want string
	}{
		{
			"with ICMP", nil, nil,
			`traceroute to www.example (192.0.2.7), 30 hops max, icmp, 56 data bytes
  1 198.51.100.1  1.23 ms  1.45 ms  0.980 ms, jitter 0.345 ms
  2 *
  4 192.0.2.7  20.0 ms  22.0 ms, jitter 2.00 ms
reached: www.example (192.0.2.7) answers at distance 4
`,
		},
		{
			"with TCP", []string{"-T", "-p", "443", "-m", "9"}, nil,
			`traceroute to www.example (192.0.2.7), 9 hops max, tcp, port 443
  1 198.51.100.1  1.23 ms  1.45 ms  0.980 ms, jitter 0.345 ms
  2 *
  4 192.0.2.7  20.0 ms  22.0 ms, jitter 2.00 ms
reached: www.example (192.0.2.7) answers at distance 4
`,
		},
		{
			"that breaks off", []string{"-U", "--size", "20"}, errors.New("closed"),
			`traceroute to www.example (192.0.2.7), 30 hops max, udp, 20 data bytes
  1 198.51.100.1  1.23 ms  1.45 ms  0.980 ms, jitter 0.345 ms
  2 *
  4 192.0.2.7  20.0 ms  22.0 ms, jitter 2.00 ms
closed
`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := parseTraceroute(t, append(tt.args, "-n")...)
			opts, _, err := f.options()
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			r := aRoute(icmplib.EndReached, routerHop(), silentHop(), finalHop())
			report, err := f.reporter(&out, opts)
			if err != nil {
				t.Fatal(err)
			}
			report.start(r)
			for i := range r.Hops {
				report.hop(r, &r.Hops[i])
			}
			report.end(r, tt.err)
			if out.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", &out, tt.want)
			}
		})
	}
}

func TestARouteThatNeverBeganIsNotTold(t *testing.T) {
	var out strings.Builder
	(&textRoute{out: &out}).end(aRoute(icmplib.EndUnknown), errNoName)
	if out.Len() > 0 {
		t.Errorf("got %s", &out)
	}
}

// namedRoute prints a route of many hops with a resolver.
func namedRoute(t *testing.T, lookup func(context.Context, string) ([]string, error)) (out string, took time.Duration) {
	var b strings.Builder
	text := &textRoute{out: &b, opts: &icmplib.TracerouteOptions{MaxHops: 30}, names: newNameCache()}
	text.names.lookup = lookup
	r := aRoute(icmplib.EndReached)
	addr := router4
	began := time.Now()
	text.start(r)
	for i := range 20 {
		text.hop(r, aHop(1+i, icmplib.StatusTTLExpired, nil, router(addr, 1)))
		addr = addr.Next()
	}
	text.hop(r, finalHop())
	if waited := time.Since(began); waited > 0 {
		t.Errorf("the trace itself waited for names, %v", waited)
	}
	text.end(r, nil)
	return b.String(), time.Since(began)
}

func TestTheNamesOfAllHopsAreLookedUpAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, took := namedRoute(t, func(_ context.Context, addr string) ([]string, error) {
			time.Sleep(300 * time.Millisecond)
			return []string{"r" + addr[strings.LastIndex(addr, ".")+1:] + ".example."}, nil
		})
		for _, want := range []string{"\n  1 r1.example (198.51.100.1)", "\n 20 r20.example (198.51.100.20)", "\n  4 www.example (192.0.2.7)"} {
			if !strings.Contains(out, want) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
		if took != 300*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAResolverThatIsSilentDelaysARouteOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, took := namedRoute(t, func(ctx context.Context, _ string) ([]string, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		if !strings.Contains(out, "\n 20 198.51.100.20") {
			t.Errorf("got\n%s", out)
		}
		if took != namePatience {
			t.Errorf("it took %v, want %v", took, namePatience)
		}
		time.Sleep(nameTimeout) // for the lookups to end
	})
}

func TestWhoIsLookedUpOnARoute(t *testing.T) {
	literal := &icmplib.Route{Name: "192.0.2.7", Address: target4}
	named := &icmplib.Route{Name: "www.example", Address: target4}
	for _, tt := range []struct {
		name  string
		route *icmplib.Route
		addr  netip.Addr
		want  string
	}{
		{"a router", named, router4, "looked.up (198.51.100.1)"},
		{"not the target, which was given by name", named, target4, "www.example (192.0.2.7)"},
		{"the target that was given by address", literal, target4, "looked.up (192.0.2.7)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := &textRoute{names: newNameCache()}
			text.names.lookup = func(context.Context, string) ([]string, error) { return []string{"looked.up."}, nil }
			if got := text.display(tt.route, tt.addr); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
