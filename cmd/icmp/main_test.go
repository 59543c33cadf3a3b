package main

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
)

func TestHelp(t *testing.T) {
	for _, tt := range []struct {
		name string
		line []string
		says []string
	}{
		{"of the command", nil, []string{"Usage:", "ping"}},
		{"of the command, asked for", []string{"--help"}, []string{"Usage:", "ping"}},
		{"of traceroute", []string{"trace", "--help"}, []string{"--max-hops", "!H", "Exit codes: 0 the targets were reached"}},
		{"of probe", []string{"probe", "--help"}, []string{"--protocol", "mtr-packet", "Exit codes: 0 the target answered"}},
		{"of ping", []string{"ping", "--help"}, []string{"--count", "Exit codes: 0 all targets answered"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := runLine(t.Context(), tt.line...)
			got.check(t, exitAlive)
			for _, want := range tt.says {
				if !strings.Contains(got.stdout, want) {
					t.Errorf("it does not say %q:\n%s", want, got.stdout)
				}
			}
		})
	}
}

// pings are command lines whose hosts all answer, and what they print.
var pings = []struct {
	name string
	line string
	want string // a pattern for the whole output
}{
	{
		"an IPv4 address", "ping -c 2 -i 0 127.0.0.1",
		`^PING 127\.0\.0\.1 56 data bytes
64 bytes from 127\.0\.0\.1: seq=0 ttl=64 time=[0-9.]+ ms
64 bytes from 127\.0\.0\.1: seq=1 ttl=64 time=[0-9.]+ ms

--- 127\.0\.0\.1 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss
rtt min/avg/max/stddev = [0-9./]+ ms, jitter = [0-9.]+ ms
$`,
	},
	{
		"an IPv6 address", "ping -c 1 -s 8 ::1",
		`^PING ::1 8 data bytes
16 bytes from ::1: seq=0 ttl=64 time=[0-9.]+ ms

--- ::1 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss
rtt `,
	},
	{
		"a name, by which its replies go from the first on", "ping -c 2 -i 0 localhost",
		`^PING localhost \(127\.0\.0\.1\) 56 data bytes
64 bytes from localhost \(127\.0\.0\.1\): seq=0 .*
64 bytes from localhost \(127\.0\.0\.1\): seq=1 .*

--- localhost ping`,
	},
	{"a name, IPv6 only", "ping -6 -c 1 localhost", `^PING localhost \(::1\) 56 .*\n64 bytes from localhost \(::1\): seq=0 `},
	{"a name, numbers only", "ping -n -c 1 localhost", `^PING localhost \(127\.0\.0\.1\) 56 .*\n64 bytes from 127\.0\.0\.1: seq=0 `},
	{"the summary only", "ping -q -c 1 127.0.0.1", `^PING 127\.0\.0\.1 56 data bytes\n\n--- 127\.0\.0\.1 ping`},
	{
		"several targets, summed up in their order", "ping -q -c 1 ::1 127.0.0.1",
		`(?s)--- ::1 ping statistics.* 1 received.*--- 127\.0\.0\.1 ping statistics.* 1 received`,
	},
	{"the first reply ends it", "ping --replies 1 127.0.0.1", `1 packets transmitted, 1 received, 0% packet loss\n`},
	{"a name that is followed", "ping --resolve-every 1 --new-id-after 3 -i 100ms --replies 15 localhost", `15 packets transmitted, 15 received, 0% packet loss\n`},
	{"a pattern", "ping -p ff00 -s 5 -c 1 127.0.0.1", `^PING 127\.0\.0\.1 5 data bytes\n13 bytes from .* ms\n\n`},
	{"a traffic class that comes back", "ping -Q 0xb9 -c 1 ::1", `seq=0 ttl=64 dscp=46 ecn=1 time=`},
	{"the time of each line", "ping -D -c 1 127.0.0.1", `\n\[[0-9]{10}\.[0-9]{6}\] 64 bytes from `},
	{"a deadline", "ping -w 2 -i 10m 127.0.0.1", `1 packets transmitted, 1 received, 0% packet loss`},
	{"so many replies before a deadline", "ping -c 2 -w 60 -i 50ms 127.0.0.1", `2 packets transmitted, 2 received, 0% packet loss`},
	{"a byte of payload, from another source", "ping -c 1 -s 1 --source 127.0.0.9 127.0.0.1", `(?m)^9 bytes from 127\.0\.0\.1: seq=0 .* ms$`},
}

func TestPing(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		for _, tt := range pings {
			t.Run(tt.name, func(t *testing.T) {
				got := runLine(t.Context(), strings.Fields(tt.line)...)
				got.check(t, exitAlive)
				if !regexp.MustCompile(tt.want).MatchString(got.stdout) {
					t.Errorf("got\n%s\nwant\n%s", got.stdout, tt.want)
				}
				if got.stderr != "" {
					t.Errorf("it complains: %s", got.stderr)
				}
			})
		}
	})
}

func TestPingJSON(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		got := runLine(t.Context(), "ping", "--json", "-c", "3", "-i", "0", "localhost", "::1")
		got.check(t, exitAlive)
		var hosts []icmplib.Host
		for line := range strings.Lines(got.stdout) {
			var h icmplib.Host
			if err := json.Unmarshal([]byte(line), &h); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			if h.PacketsReceived != 3 || !h.IsAlive() || len(h.RTTs()) != 3 || h.MinRTT() <= 0 || h.Err != nil {
				t.Errorf("got %s", line)
			}
			hosts = append(hosts, h)
		}
		if len(hosts) != 2 || hosts[0].Name != "localhost" || hosts[0].Address.String() != "127.0.0.1" || hosts[1].Address.String() != "::1" {
			t.Errorf("got\n%s\nwant both targets in their order", got.stdout)
		}
	})
}

func TestPingJSONVerbosePrintsEachReplyOnALine(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		got := runLine(t.Context(), "ping", "--json", "-v", "-c", "2", "-i", "0", "127.0.0.1")
		got.check(t, exitAlive)
		lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
		if len(lines) != 3 {
			t.Fatalf("got %d lines, want two replies and the host:\n%s", len(lines), got.stdout)
		}
		for seq, line := range lines[:2] {
			var r icmplib.Result
			if err := json.Unmarshal([]byte(line), &r); err != nil || r.Seq != seq || r.Status != icmplib.StatusReply {
				t.Errorf("line %d, %v: %s", seq, err, line)
			}
		}
		checkObjects(t, "Result", lines[0]+"\n"+lines[1])
		checkObjects(t, "Host", lines[2])
	})
}

func TestPingOfATargetThatIsSilent(t *testing.T) {
	netlab.Test(t, netlab.Config{Setup: silence}, func(t *testing.T) {
		got := runLine(t.Context(), "ping", "-c", "1", "-W", "2", "127.0.0.1", "::1")
		got.check(t, exitDead)
		for _, want := range []string{
			"No reply from 127.0.0.1: seq=0", "1 packets transmitted, 0 received, 100% packet loss", "64 bytes from ::1",
		} {
			if !strings.Contains(got.stdout, want) {
				t.Errorf("it does not say %q:\n%s", want, got.stdout)
			}
		}
		if got.stderr != "" {
			t.Errorf("silence is no error: %s", got.stderr)
		}
	})
}

func TestRequestsWithoutAnAnswerYetAreTold(t *testing.T) {
	netlab.Test(t, netlab.Config{Setup: silence}, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		out, stderr := &interrupter{at: "no answer yet", interrupt: cancel}, &strings.Builder{}
		code := run(ctx, strings.Fields("ping -O -c 2 -i 50ms -W 1m 127.0.0.1"), strings.NewReader(""), out, stderr)
		command{code, out.String(), stderr.String()}.check(t, exitDead)
		if strings.Count(out.String(), "no answer yet from 127.0.0.1: seq=0\n") != 1 {
			t.Errorf("got\n%s", out)
		}
	})
}

func TestPingOfATargetThatHasNoRoute(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		got := runLine(t.Context(), "ping", "-c", "1", "192.0.2.1")
		got.check(t, exitDead)
		for _, want := range []string{"To 192.0.2.1 seq=0: ", "network is unreachable", "0 packets transmitted", "+1 not sent"} {
			if !strings.Contains(got.stdout, want) {
				t.Errorf("it does not say %q:\n%s", want, got.stdout)
			}
		}
	})
}

func TestPingOfNamesThatThereAreNot(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		got := runLine(t.Context(), "ping", "-c", "1", "no..name", "127.0.0.1", "other..name")
		got.check(t, exitNoName)
		if !strings.Contains(got.stdout, "64 bytes from 127.0.0.1") {
			t.Errorf("the good target was not pinged:\n%s", got.stdout)
		}
		for _, name := range []string{"no..name", "other..name"} {
			if !strings.Contains(got.stderr, name) {
				t.Errorf("it does not tell of %q: %s", name, got.stderr)
			}
		}
	})
}

func TestPingWithoutPermission(t *testing.T) {
	netlab.Test(t, netlab.Config{Unprivileged: true}, func(t *testing.T) {
		setting := `net.ipv4.ping_group_range is "1 0"`
		if !seesAllGroups(t) {
			setting = `net.ipv4.ping_group_range is "`
		}
		for _, target := range []string{"127.0.0.1", "::1"} {
			t.Run("says what stands in the way to "+target, func(t *testing.T) {
				got := runLine(t.Context(), "ping", "-c", "1", target)
				got.check(t, exitFailure)
				for _, want := range []string{
					setting, `sysctl -w net.ipv4.ping_group_range="0 2147483647"`,
					"CAP_NET_RAW is missing", "setcap cap_net_raw+ep",
				} {
					if !strings.Contains(got.stderr, want) {
						t.Errorf("the error does not say %q:\n%s", want, got.stderr)
					}
				}
				if got.stdout != "" {
					t.Errorf("it began all the same:\n%s", got.stdout)
				}
			})
		}
		t.Run("is told in JSON, too", func(t *testing.T) {
			got := runLine(t.Context(), "ping", "--json", "-c", "1", "127.0.0.1")
			got.check(t, exitFailure)
			var h icmplib.Host
			if err := json.Unmarshal([]byte(got.stdout), &h); err != nil || h.Err == nil || !strings.Contains(h.Err.Error(), "CAP_NET_RAW") {
				t.Errorf("got %v, %s", err, got.stdout)
			}
		})
	})
}

// interrupter is an output that ends the command at a text.
type interrupter struct {
	strings.Builder
	at        string
	interrupt func()
}

func (i *interrupter) Write(b []byte) (int, error) {
	if strings.Contains(string(b), i.at) {
		i.interrupt()
	}
	return i.Builder.Write(b)
}

func TestAnInterruptEndsWithTheSummary(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		t.Run("after a reply the target is alive", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			out := &interrupter{at: "bytes from", interrupt: cancel}
			var stderr strings.Builder
			code := run(ctx, []string{"ping", "127.0.0.1"}, nil, out, &stderr)
			command{code, out.String(), stderr.String()}.check(t, exitAlive)
			if !strings.Contains(out.String(), "1 packets transmitted, 1 received, 0% packet loss") || stderr.Len() > 0 {
				t.Errorf("got\n%s%s", out, &stderr)
			}
		})
		t.Run("before the first it is not", func(t *testing.T) {
			got := runLine(interrupted(t), "ping", "127.0.0.1")
			got.check(t, exitDead)
			if !strings.Contains(got.stdout, "0 packets transmitted") || got.stderr != "" {
				t.Errorf("got\n%s%s", got.stdout, got.stderr)
			}
		})
	})
}

func TestFewerRepliesThanAreWaitedForAreAFailure(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		runLine(t.Context(), "ping", "-c", "3", "-w", "200ms", "-i", "150ms", "127.0.0.1").check(t, exitDead)
		runLine(t.Context(), "ping", "-c", "1", "-w", "60", "127.0.0.1").check(t, exitAlive)
	})
}
