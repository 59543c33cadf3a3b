package main

import (
	"encoding/csv"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/netlab"
	"github.com/goicmp/icmplib/internal/netsim"
)

// eachPrivilegeBehind runs f where pinging is allowed, before a network.
func eachPrivilegeBehind(t *testing.T, setup func(t *testing.T), f func(t *testing.T)) {
	for _, tt := range []struct {
		name string
		lab  netlab.Config
	}{
		{"as root", netlab.Config{Setup: setup}},
		{"without privileges", netlab.Config{Unprivileged: true, PingGroups: true, Setup: setup}},
	} {
		t.Run(tt.name, func(t *testing.T) { netlab.Test(t, tt.lab, f) })
	}
}

// paths are those of a simulated network.
const paths = `
	client 192.0.2.1 2001:db8::1
	node r1 10.0.1.1 2001:db8:1::1
	node r2 10.0.2.1 2001:db8:2::1
	node wall 10.0.3.1 2001:db8:3::1 refuse=prohibited
	node dark 10.0.4.1 2001:db8:4::1 silent
	node narrow 10.0.5.1 2001:db8:5::1 mtu=1300
	node t 10.0.9.9 2001:db8:9::9 udp-echo=7
	node a 10.0.6.1 2001:db8:6::1 mpls=16001/5/1
	node b 10.0.7.1 2001:db8:7::1
	path 10.0.9.0/24 2001:db8:9::/64 r1 r2 t
	path 10.0.10.0/24 2001:db8:10::/64 r1 wall t
	path 10.0.11.0/24 2001:db8:11::/64 r1 dark dark dark dark t
	path 10.0.12.0/24 2001:db8:12::/64 r1 loop( r2 r1 )
	path 10.0.13.0/24 2001:db8:13::/64 r1 narrow t
	path 10.0.14.0/24 2001:db8:14::/64 r1 turn( a | b ) t
	path 10.0.15.0/24 2001:db8:15::/64 r1 a t
`

// routes are command lines, and what they print and return behind that network.
var routes = []struct {
	name string
	line string
	code int
	want string // a pattern for the whole output
}{
	{"a route to its end", "-n 10.0.9.9", exitAlive, `^traceroute to 10\.0\.9\.9, 30 hops max, icmp, 56 data bytes
  1 10\.0\.1\.1(  [0-9.]+ ms){3}, jitter [0-9.]+ ms
  2 10\.0\.2\.1(  [0-9.]+ ms){3}, jitter [0-9.]+ ms
  3 10\.0\.9\.9(  [0-9.]+ ms){3}, jitter [0-9.]+ ms
reached: 10\.0\.9\.9 answers at distance 3
$`},
	{"IPv6, one probe each", "-n -q 1 2001:db8:9::9", exitAlive, `^traceroute to 2001:db8:9::9, 30 hops max, icmp, 56 data bytes
  1 2001:db8:1::1  [0-9.]+ ms
  2 2001:db8:2::1  [0-9.]+ ms
  3 2001:db8:9::9  [0-9.]+ ms
reached: 2001:db8:9::9 answers at distance 3
$`},
	{"by UDP", "-n -q 1 -U 10.0.9.9", exitAlive, `, udp, 56 data bytes
  1 10\.0\.1\.1 .*
  2 10\.0\.2\.1 .*
  3 10\.0\.9\.9  [0-9.]+ ms
reached: `},
	{"from the second hop on", "-n -q 1 -f 2 10.0.9.9", exitAlive, `bytes
  2 10\.0\.2\.1 .*
  3 10\.0\.9\.9 .*
reached: `},
	{"to the second hop only", "-n -q 1 -m 2 10.0.9.9", exitDead, `bytes
  1 10\.0\.1\.1 .*
  2 10\.0\.2\.1 .*
max-hops: 10\.0\.9\.9 is farther than 2 hops, or silent
$`},
	{"to a wall", "-n -q 1 10.0.10.1", exitDead, `bytes
  1 10\.0\.1\.1 .*
  2 10\.0\.3\.1  [0-9.]+ ms
  3 10\.0\.3\.1  [0-9.]+ ms  !X
unreachable: 10\.0\.3\.1 at distance 3 says Destination Unreachable: Communication Administratively Prohibited
$`},
	{"in a circle", "-n -q 1 10.0.12.1", exitDead, `(?s)bytes
  1 10\.0\.1\.1 .*
loop: routers forward the packet in a circle`},
	{"to a narrow link", "-n -q 1 -F --size 1400 10.0.13.1", exitDead, `
  3 10\.0\.5\.1  [0-9.]+ ms  !F-1300
unreachable: 10\.0\.5\.1 at distance 3 says .* \(MTU 1300\)
$`},
	{"over two routers in turn, one of them behind a tunnel", "-n -f 2 -m 2 10.0.14.1", exitDead, `
  2 10\.0\.[67]\.1(  [0-9.]+ ms){3}, jitter [0-9.]+ ms  \([12] of 3\)(  \[MPLS 16001 tc=5 ttl=1\])?
    10\.0\.[67]\.1  \([12] of 3\)(  \[MPLS 16001 tc=5 ttl=1\])?
max-hops: `},
	{"through a tunnel", "-n -q 1 10.0.15.1", exitAlive, `
  2 10\.0\.6\.1  [0-9.]+ ms  \[MPLS 16001 tc=5 ttl=1\]
  3 `},
	{"into the dark", "-n -q 1 -w 0.5 --gap 3 10.0.11.1", exitDead, `
  1 10\.0\.1\.1 .*
  2 \*
  3 \*
  4 \*
gap: nobody answers any more, as far as distance 4
$`},
}

func TestTraceroute(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(paths), netlab.Device{}) }
	eachPrivilegeBehind(t, carry, func(t *testing.T) {
		for _, tt := range routes {
			t.Run(tt.name, func(t *testing.T) {
				got := runLine(t.Context(), append([]string{"traceroute"}, strings.Fields(tt.line)...)...)
				got.check(t, tt.code)
				if !regexp.MustCompile(tt.want).MatchString(got.stdout) {
					t.Errorf("got\n%s\nwant\n%s", got.stdout, tt.want)
				}
				if got.stderr != "" {
					t.Errorf("it complains: %s", got.stderr)
				}
			})
		}
		t.Run("in JSON", func(t *testing.T) {
			got := runLine(t.Context(), "trace", "--json", "10.0.9.9")
			got.check(t, exitAlive)
			var r jsonTrace
			if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
				t.Fatalf("%v in %s", err, got.stdout)
			}
			if r.Target != "10.0.9.9" || !r.Reached || r.End != "reached" || len(r.Hops) != 3 ||
				r.Hops[0].Status != "ttl-expired" || r.Hops[2].Status != "reply" || r.Hops[2].PacketsReceived != 3 {
				t.Errorf("got %s", got.stdout)
			}
		})
		t.Run("in CSV", func(t *testing.T) {
			got := runLine(t.Context(), "trace", "--csv", "10.0.9.9")
			got.check(t, exitAlive)
			rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
			if err != nil || len(rows) != 4 || !slices.Equal(rows[0], csvRouteHeader) || rows[2][3] != "10.0.2.1" {
				t.Errorf("%v in\n%s", err, got.stdout)
			}
		})
	})
}

func TestTracerouteThroughKernels(t *testing.T) {
	chain := netlab.ChainOf(2)
	eachPrivilegeBehind(t, func(t *testing.T) { chain.Build(t) }, func(t *testing.T) {
		for family, flag := range []string{"-4", "-6"} {
			target := chain.Target[family].String()
			got := runLine(t.Context(), "traceroute", "-n", flag, "-q", "1", target)
			got.check(t, exitAlive)
			want := "\n  1 " + chain.Routers[0][family].String() + "  .* ms\n  2 " + chain.Routers[1][family].String() +
				"  .* ms\n  3 " + target + "  .* ms\nreached: "
			if !regexp.MustCompile(want).MatchString(got.stdout) {
				t.Errorf("got\n%s\nwant\n%s", got.stdout, want)
			}
		}
	})
}

func TestTracerouteOfThisHost(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		for _, line := range []string{"localhost", "-6 localhost", "-T localhost", "-U -6 localhost", "-p 7 -P udp --fast 127.0.0.1"} {
			got := runLine(t.Context(), append([]string{"traceroute", "-n"}, strings.Fields(line)...)...)
			got.check(t, exitAlive)
			if !strings.Contains(got.stdout, "answers at distance 1\n") {
				t.Errorf("%s prints\n%s", line, got.stdout)
			}
		}
	})
}

func TestTracerouteOfATargetThatHasNoRoute(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		got := runLine(t.Context(), "traceroute", "192.0.2.1")
		got.check(t, exitDead)
		if lines := strings.Count(got.stdout, "\n"); lines != 2 || !strings.Contains(got.stdout, "\nnot sent: ") ||
			!strings.Contains(got.stdout, "network is unreachable") || got.stderr != "" {
			t.Errorf("got\n%s%s", got.stdout, got.stderr)
		}
	})
}

func TestTracerouteWithoutPermission(t *testing.T) {
	netlab.Test(t, netlab.Config{Unprivileged: true}, func(t *testing.T) {
		got := runLine(t.Context(), "traceroute", "127.0.0.1")
		got.check(t, exitFailure)
		if !strings.Contains(got.stderr, "CAP_NET_RAW is missing") || got.stdout != "" {
			t.Errorf("got\n%s%s", got.stdout, got.stderr)
		}
	})
}

func TestTracerouteOfANameThatThereIsNot(t *testing.T) {
	for _, line := range [][]string{{"traceroute", "no..name"}, {"traceroute", "--json", "no..name"}, {"probe", "no..name"}} {
		got := runLine(t.Context(), line...)
		got.check(t, exitNoName)
		if !strings.Contains(got.stderr, `"no..name"`) {
			t.Errorf("it says %s", got.stderr)
		}
		if json := slices.Contains(line, "--json"); json != strings.Contains(got.stdout, `"hops":[],"error":"cannot resolve`) {
			t.Errorf("%q prints %s", line, got.stdout)
		}
	}
}

func TestAnInterruptedTraceroute(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		got := runLine(interrupted(t), "traceroute", "127.0.0.1")
		got.check(t, exitDead)
		if !strings.Contains(got.stdout, "interrupted: 127.0.0.1 was not reached so far") || got.stderr != "" {
			t.Errorf("got\n%s%s", got.stdout, got.stderr)
		}
	})
}
