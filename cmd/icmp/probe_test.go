package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// probes are command lines, and what they print and return behind the network
// of the routes.
var probes = []struct {
	name string
	line string
	code int
	want string // a pattern for the whole output
}{
	{"a reply", "-n 10.0.9.9", exitAlive, `^reply from 10\.0\.9\.9 ttl=62 time=[0-9.]+ ms\n$`},
	{"several", "-n -c 3 -i 0 2001:db8:9::9", exitAlive,
		`^(reply from 2001:db8:9::9 seq=[012] ttl=[0-9]+ time=[0-9.]+ ms\n){3}$`},
	{"a router", "-n -t 2 10.0.9.9", exitDead, `^ttl-expired from 10\.0\.2\.1 ttl=[0-9]+ time=[0-9.]+ ms: Time Exceeded: .*\n$`},
	{"a router, of UDP over IPv6", "-n -U -t 2 2001:db8:9::9", exitDead, `^ttl-expired from 2001:db8:2::1 .*time=[0-9.]+ ms: Time Exceeded: .*\n$`},
	{"a tunnel", "-n -t 2 10.0.15.1", exitDead, `^ttl-expired from 10\.0\.6\.1 .*  \[MPLS 16001 tc=5 ttl=1\]\n$`},
	{"a closed port", "-n -U 10.0.9.9", exitAlive, `^reply from 10\.0\.9\.9 .*time=[0-9.]+ ms\n$`},
	{"a server of DNS", "-n --service dns 10.0.16.9", exitAlive, `^reply from 10\.0\.16\.9 .*time=[0-9.]+ ms\n$`},
	{"one asked for a name", "-n -U --service dns --service-name example.net 2001:db8:16::9", exitAlive, `^reply from 2001:db8:16::9 .*time=[0-9.]+ ms\n$`},
	{"a server of NTP", "-n --service ntp 10.0.16.9", exitAlive, `^reply from 10\.0\.16\.9 .*time=[0-9.]+ ms\n$`},
	{"a server of QUIC", "-n --service quic 10.0.16.9", exitAlive, `^reply from 10\.0\.16\.9 .*time=[0-9.]+ ms\n$`},
	{"a router before it", "-n --service quic -t 1 10.0.16.9", exitDead, `^ttl-expired from 10\.0\.1\.1 .*: Time Exceeded: .*\n$`},
	{"another service there", "-n --service dns -p 123 -W 0.2 10.0.16.9", exitDead, `^no-reply to 10\.0\.16\.9\n$`},
	{"a wall", "-n 10.0.10.1", exitDead, `^no-route-host from 10\.0\.3\.1 .*: Destination Unreachable: Communication Administratively Prohibited\n$`},
	{"a narrow link", "-n -M do -s 1400 2001:db8:13::1", exitDead, `^packet-too-big from 2001:db8:5::1 .*: Packet Too Big \(MTU 1300\)\n$`},
	{"the dark", "-n -t 2 -W 0.1 10.0.11.1", exitDead, `^no-reply to 10\.0\.11\.1\n$`},
}

func TestProbe(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(paths), netlab.Device{}) }
	eachPrivilegeBehind(t, carry, func(t *testing.T) {
		for _, tt := range probes {
			t.Run(tt.name, func(t *testing.T) {
				got := runLine(t.Context(), append([]string{"probe"}, strings.Fields(tt.line)...)...)
				got.checkOutput(t, tt.code, tt.want)
			})
		}
		t.Run("in JSON", func(t *testing.T) {
			got := runLine(t.Context(), "probe", "--json", "-c", "2", "-i", "0", "-t", "2", "10.0.15.1")
			got.check(t, exitDead)
			n := 0
			for line := range strings.Lines(got.stdout) {
				var p icmplib.Result
				if err := json.Unmarshal([]byte(line), &p); err != nil {
					t.Fatalf("%v in %s", err, line)
				}
				if p.Status != icmplib.StatusTTLExpired || p.Responder.String() != "10.0.6.1" || p.Type != icmp.V4TimeExceeded || p.Code != 0 ||
					p.TTL != 2 || p.Seq != n || len(p.MPLS) != 1 || p.MPLS[0].Label != 16001 {
					t.Errorf("got %s", line)
				}
				n++
			}
			if n != 2 {
				t.Errorf("got %s", got.stdout)
			}
		})
	})
}

func TestProbeOfThisHost(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		for _, line := range []string{"localhost", "-6 localhost", "-T localhost", "-T -p 9 ::1", "-U 127.0.0.1", "--source 127.0.0.9 127.0.0.1"} {
			got := runLine(t.Context(), append([]string{"probe", "-n"}, strings.Fields(line)...)...)
			got.check(t, exitAlive)
			if !strings.HasPrefix(got.stdout, "reply from ") || got.stderr != "" {
				t.Errorf("%s prints\n%s%s", line, got.stdout, got.stderr)
			}
		}
	})
}

func TestProbeOfAnInterface(t *testing.T) {
	answer := func(t *testing.T) {
		if err := os.WriteFile("/proc/sys/net/ipv4/icmp_echo_enable_probe", []byte("1"), 0); err != nil {
			t.Skip(err)
		}
	}
	netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: true, Setup: answer}, func(t *testing.T) {
		got := runLine(t.Context(), "probe", "-n", "--type", "extended-echo", "--interface-name", "lo", "::1")
		got.checkOutput(t, exitAlive, `^reply from ::1 ttl=64 time=[0-9.]+ ms: active, IPv4, IPv6 \(unproven\)\n$`)
		got = runLine(t.Context(), "probe", "-n", "--type", "extended-echo", "--interface-name", "no0", "127.0.0.1")
		got.checkOutput(t, exitDead, `^reply from 127\.0\.0\.1 .*: No Such Interface`)
		got = runLine(t.Context(), "probe", "--type", "timestamp", "127.0.0.1")
		got.check(t, exitFailure)
	})
}

func TestProbeOfATargetThatHasNoRoute(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		got := runLine(t.Context(), "probe", "-n", "192.0.2.1")
		got.check(t, exitDead)
		if !strings.HasPrefix(got.stdout, "no-route-network to 192.0.2.1: ") || got.stderr != "" {
			t.Errorf("got\n%s%s", got.stdout, got.stderr)
		}
	})
}

func TestProbeWithoutPermission(t *testing.T) {
	netlab.Test(t, netlab.Config{Unprivileged: true}, func(t *testing.T) {
		for _, line := range []string{"127.0.0.1", "-P sctp 127.0.0.1"} {
			got := runLine(t.Context(), append([]string{"probe"}, strings.Fields(line)...)...)
			got.check(t, exitFailure)
			if !strings.Contains(got.stderr, "CAP_NET_RAW is missing") || got.stdout != "" {
				t.Errorf("%s: got\n%s%s", line, got.stdout, got.stderr)
			}
		}
	})
}

func TestAnInterruptedProbe(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		got := runLine(interrupted(t), "probe", "127.0.0.1")
		got.check(t, exitDead)
		if got.stdout != "" || got.stderr != "" {
			t.Errorf("got\n%s%s", got.stdout, got.stderr)
		}
	})
}
