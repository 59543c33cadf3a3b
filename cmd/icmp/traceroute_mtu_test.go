package main

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// mtuPaths is narrow behind a router that says so.
const mtuPaths = `
	client 192.0.2.1 2001:db8::1
	node r1 10.0.1.1 2001:db8:1::1
	node narrow 10.0.2.1 2001:db8:2::1 mtu=1400
	node t 10.0.9.9 2001:db8:9::9
	path 10.0.9.0/24 2001:db8:9::/64 r1 narrow t
`

func TestTracerouteMTU(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(mtuPaths), netlab.Device{}) }
	eachPrivilegeBehind(t, carry, func(t *testing.T) {
		for _, tt := range []struct{ line, want string }{
			{"-n --mtu 10.0.9.9", `path MTU to 10.0.9.9
  1 10.0.1.1  mtu 65535
  2 10.0.2.1  mtu 1400
  3 10.0.9.9
path MTU 1400: the target answers packets of this size; larger ones do not get there
`},
			{"-n --mtu -U 2001:db8:9::9", `path MTU to 2001:db8:9::9
  1 2001:db8:1::1  mtu 65535
  2 2001:db8:2::1  mtu 1400
  3 2001:db8:9::9
path MTU 1400: the target answers packets of this size; larger ones do not get there
`},
		} {
			t.Run(tt.line, func(t *testing.T) {
				got := runLine(t.Context(), append([]string{"traceroute"}, strings.Fields(tt.line)...)...)
				got.check(t, exitAlive)
				if got.stdout != tt.want || got.stderr != "" {
					t.Errorf("got\n%s%s\nwant\n%s", got.stdout, got.stderr, tt.want)
				}
			})
		}
		t.Run("in JSON", func(t *testing.T) {
			got := runLine(t.Context(), "traceroute", "--mtu", "--json", "10.0.9.9")
			got.check(t, exitAlive)
			var p icmplib.MTUReport
			if err := json.Unmarshal([]byte(got.stdout), &p); err != nil {
				t.Fatalf("%v in %s", err, got.stdout)
			}
			if p.MTU != 1400 || !p.Confirmed || !p.Exact || !p.Reached || len(p.Hops) != 3 ||
				p.Hops[1].MTU != 1400 || p.Hops[1].Source != icmplib.MTUReported || p.Hops[1].ReportedBy.String() != "10.0.2.1" {
				t.Errorf("got %s", got.stdout)
			}
		})
	})
}

func TestTracerouteMTURefusesFlags(t *testing.T) {
	for _, line := range []string{"--size 100", "--first-hop 2", "--fast", "--gap 3", "--csv", "-T", "-P sctp"} {
		got := runLine(t.Context(), append([]string{"traceroute", "--mtu", "127.0.0.1"}, strings.Fields(line)...)...)
		got.check(t, exitUsage)
		if !strings.Contains(got.stderr, "--mtu") {
			t.Errorf("%s: %s", line, got.stderr)
		}
	}
}

func TestDescribePathMTU(t *testing.T) {
	r1, r2, target := netip.MustParseAddr("10.0.1.1"), netip.MustParseAddr("10.0.2.1"), netip.MustParseAddr("10.0.9.9")
	for _, tt := range []struct {
		path icmplib.MTUReport
		want string
	}{{
		icmplib.MTUReport{
			Address: target, Name: "t.example", MTU: 1400, LocalMTU: 1500,
			Hops: []icmplib.HopMTU{{Distance: 1, Address: r1, MTU: 1500}, {Distance: 2, MTU: 1400}},
		}, `path MTU to t.example (10.0.9.9), the first link takes 1500 bytes
  1 10.0.1.1
  2 *  mtu 1400
path MTU 1400 or less: nothing shows whether packets of this size get there
`}, {
		icmplib.MTUReport{
			Address: target, Name: "10.0.9.9", MTU: 1300, Reached: true, Confirmed: true, Exact: true,
			Hops: []icmplib.HopMTU{
				{Distance: 1, Address: r1, MTU: 1500}, {Distance: 2, Address: r2, MTU: 1300, Source: icmplib.MTUMeasured},
				{Distance: 3, Address: target, MTU: 1300},
			},
			BlackHoles: []icmplib.BlackHole{{After: 2, Before: 3, Passes: 1300, Fails: 1301}},
		}, `path MTU to 10.0.9.9
  1 10.0.1.1  mtu 1500
  2 10.0.2.1  mtu 1300 (measured)
  3 10.0.9.9
black hole: between distance 2 and 3 packets of 1300 bytes get through; larger ones vanish
path MTU 1300: the target answers packets of this size; larger ones do not get there
`}, {
		icmplib.MTUReport{
			Address: target, Name: "10.0.9.9", MTU: 9000, Confirmed: true,
			Hops: []icmplib.HopMTU{{Distance: 1, Address: r1, MTU: 9000}},
		}, `path MTU to 10.0.9.9
  1 10.0.1.1  mtu 9000
path MTU 9000 or more: the farthest router (the target is silent) answers packets of this size
`}, {
		icmplib.MTUReport{Address: target, Name: "10.0.9.9"},
		"path MTU to 10.0.9.9\npath MTU unknown: only the smallest size was sent, or no answer came in time\n",
	}} {
		if got := describePathMTU(&tt.path, nil); got != tt.want {
			t.Errorf("got\n%s\nwant\n%s", got, tt.want)
		}
	}
}
