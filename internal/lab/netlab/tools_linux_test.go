package netlab_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// The tools that people use see a simulated network as it is described. This is
// a test of the network, by programs that know nothing of it.
//
// A router looks at the TTL before anything else: who counts it up meets a
// router that refuses the packet twice, first because of the TTL.

// described is a path with a bit of everything. Words for the second node, and
// for the target, are put in.
const described = `
	client 192.0.2.1 2001:db8::1
	node r1 10.0.1.1 2001:db8:1::1 delay=2ms
	node r2 10.0.2.1 2001:db8:2::1 delay=3ms %s
	node r3 10.0.3.1 2001:db8:3::1 delay=4ms mpls=16010/3/1
	node t  10.0.9.9 2001:db8:9::9 delay=5ms udp=53 tcp=80 %s
	path 10.0.9.0/24 2001:db8:9::/64 r1 r2 r3 t
`

const (
	lossless = 14 * 2 // ms: there and back
	v4, v6   = "10.0.9.9", "2001:db8:9::9"
)

var toolTests = []struct {
	name    string
	second  string // words of the second router
	target  string // words of the target
	command string
	want    []string // patterns that match the output, one behind the other
}{
	{
		name: "ping sees each reply, and the loss", target: "lose@2", command: "ping -n -c 4 -i 0.2 -W 1 " + v4,
		want: []string{"icmp_seq=1 ttl=61 ", "icmp_seq=3 ", "icmp_seq=4 ", "4 packets transmitted, 3 received, 25% packet loss"},
	}, {
		name: "ping sees each reply over IPv6", target: "lose@2", command: "ping -n -c 4 -i 0.2 -W 1 " + v6,
		want: []string{"icmp_seq=1 ttl=61 ", "icmp_seq=3 ", "icmp_seq=4 ", "4 packets transmitted, 3 received, 25% packet loss"},
	}, {
		name: "ping sees duplicates", target: "answer-duplicate=1@1", command: "ping -n -c 2 -i 0.2 -W 1 " + v4,
		want: []string{"icmp_seq=1 ", `icmp_seq=1 .*\(DUP!\)`, "icmp_seq=2 ", `2 received, \+1 duplicates, 0% packet loss`},
	}, {
		name: "ping meets the first router", command: "ping -n -c 1 -W 1 -t 1 " + v4,
		want: []string{"From 10.0.1.1 icmp_seq=1 Time to live exceeded", `1 packets transmitted, 0 received, \+1 errors`},
	}, {
		name: "ping meets the first router of IPv6", command: "ping -n -c 1 -W 1 -t 1 " + v6,
		want: []string{"From 2001:db8:1::1 icmp_seq=1 Time exceeded: Hop limit", `1 packets transmitted, 0 received, \+1 errors`},
	}, {
		name: "ping is told the MTU", second: "mtu=1300", command: "ping -n -c 1 -W 1 -M do -s 1400 " + v4,
		want: []string{`From 10.0.2.1 icmp_seq=1 Frag needed and DF set \(mtu = 1300\)`},
	}, {
		name: "ping is told the MTU of IPv6", second: "mtu=1300", command: "ping -n -c 1 -W 1 -M do -s 1400 " + v6,
		want: []string{"From 2001:db8:2::1 icmp_seq=1 Packet too big: mtu=1300"},
	}, {
		name: "ping is told what is prohibited", second: "refuse=host-prohibited", command: "ping -n -c 1 -W 1 " + v4,
		want: []string{"From 10.0.2.1 icmp_seq=1 Destination Host Prohibited"},
	}, {
		name: "fping counts the loss", target: "lose@every/2", command: "fping -q -c 4 -p 100 -t 500 " + v4,
		want: []string{v4 + ` : xmt/rcv/%loss = 4/2/50%, min/avg/max = (2[89]|[3-9]\d|\d{3})`},
	}, {
		name: "fping counts the loss of IPv6", target: "lose@every/2", command: "fping -6 -q -c 4 -p 100 -t 500 " + v6,
		want: []string{v6 + ` : xmt/rcv/%loss = 4/2/50%, min/avg/max = (2[89]|[3-9]\d|\d{3})`},
	}, {
		name: "traceroute by ICMP", second: "silent", command: "traceroute -n -I -e -q 1 -w 0.5 " + v4,
		want: []string{`\n 1  10\.0\.1\.1  `, `\n 2  \*`, `\n 3  10\.0\.3\.1 <MPLS:L=16010,E=3,S=1,T=1>  `, `\n 4  10\.0\.9\.9  `},
	}, {
		name: "traceroute by ICMPv6", second: "silent", command: "traceroute -6 -n -I -e -q 1 -w 0.5 " + v6,
		want: []string{`\n 1  2001:db8:1::1  `, `\n 2  \*`, `\n 3  2001:db8:3::1 <MPLS:L=16010,E=3,S=1,T=1>  `, `\n 4  2001:db8:9::9  `},
	}, {
		name: "traceroute by UDP", second: "silent", command: "traceroute -n -U -p 33434 -q 1 -w 0.5 " + v4,
		want: []string{`\n 1  10\.0\.1\.1  `, `\n 2  \*`, `\n 3  10\.0\.3\.1  `, `\n 4  10\.0\.9\.9  `},
	}, {
		name: "traceroute by UDP over IPv6", second: "silent", command: "traceroute -6 -n -U -p 33434 -q 1 -w 0.5 " + v6,
		want: []string{`\n 1  2001:db8:1::1  `, `\n 2  \*`, `\n 3  2001:db8:3::1  `, `\n 4  2001:db8:9::9  `},
	}, {
		name: "traceroute by TCP to an open port", second: "silent", command: "traceroute -n -T -p 80 -O info -q 1 -w 0.5 " + v4,
		want: []string{`\n 1  10\.0\.1\.1  `, `\n 2  \*`, `\n 3  10\.0\.3\.1  `, `\n 4  10\.0\.9\.9 <syn,ack`},
	}, {
		name: "traceroute by TCP to a closed port", second: "silent", command: "traceroute -n -T -p 81 -O info -q 1 -w 0.5 " + v4,
		want: []string{`\n 1  10\.0\.1\.1  `, `\n 2  \*`, `\n 3  10\.0\.3\.1  `, `\n 4  10\.0\.9\.9 <rst,ack`},
	}, {
		name: "traceroute by TCP over IPv6", command: "traceroute -6 -n -T -p 80 -O info -q 1 -w 0.5 " + v6,
		want: []string{`\n 1  2001:db8:1::1  `, `\n 2  2001:db8:2::1  `, `\n 3  2001:db8:3::1  `, `\n 4  2001:db8:9::9 <syn,ack`},
	}, {
		name: "traceroute is told what is prohibited", second: "refuse=prohibited", command: "traceroute -n -I -q 1 -w 0.5 " + v4,
		want: []string{`\n 1  10\.0\.1\.1  `, `\n 2  10\.0\.2\.1  `, `\n 3  10\.0\.2\.1  .* !X`},
	}, {
		name: "traceroute finds the MTU", second: "mtu=1300", command: "traceroute -n --mtu -q 1 -w 0.5 " + v4,
		want: []string{`\n 1  10\.0\.1\.1  `, `\n 2  10\.0\.2\.1  `, `\n 3  10\.0\.3\.1  .* F=1300\n`, `\n 4  10\.0\.9\.9  `},
	}, {
		name: "tracepath finds the MTU", second: "mtu=1300", command: "tracepath -n " + v4,
		want: []string{`\n 1:  10\.0\.1\.1 `, `\n 2:  10\.0\.2\.1 `, `\n 3:  10\.0\.2\.1 .* pmtu 1300\n`, `\n 3:  10\.0\.3\.1 `, `\n 4:  10\.0\.9\.9 .* reached\n`, "Resume: pmtu 1300 hops 4 back 4"},
	}, {
		name: "tracepath finds the MTU of IPv6", second: "mtu=1300", command: "tracepath -n " + v6,
		want: []string{`\n 1:  2001:db8:1::1 `, `\n 2:  2001:db8:2::1 `, `\n 3:  2001:db8:2::1 .* pmtu 1300\n`, `\n 3:  2001:db8:3::1 `, `\n 4:  2001:db8:9::9 .* reached\n`, "Resume: pmtu 1300 hops 4 back 4"},
	},
}

func TestToolsSeeTheNetworkAsItIsDescribed(t *testing.T) {
	for _, kind := range devices {
		for _, tt := range toolTests {
			t.Run(kind.String()+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				inDescribed(t, kind, tt.second, tt.target, func(t *testing.T) {
					checkOutput(t, toolMatching(t, tt.command, tt.want), tt.want)
				})
			})
		}
	}
}

// inDescribed runs f as the owner of a namespace with the described path.
func inDescribed(t *testing.T, kind netlab.DeviceKind, second, target string, f func(t *testing.T)) {
	netlab.Test(t, netlab.Config{PingGroups: true, Tries: 3}, func(t *testing.T) { // the tools wait in real time
		netlab.Carry(t, netsim.MustParse(fmt.Sprintf(described, second, target)), netlab.Device{Kind: kind})
		f(t)
	})
}

// tool runs a program, which may say with its exit status that it did not reach
// its target.
func tool(t *testing.T, command string) string {
	t.Helper()
	words := strings.Fields(command)
	if _, err := exec.LookPath(words[0]); err != nil {
		t.Skipf("%s is not installed", words[0])
	}
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out)
}

// toolMatching runs a program again whose output does not match, and returns
// the last output: one run of traceroute -T in a hundred overlooks what has been
// delivered to its socket.
func toolMatching(t *testing.T, command string, patterns []string) (output string) {
	t.Helper()
	for range 3 {
		output = tool(t, command)
		if missing(output, patterns) == "" || !strings.HasPrefix(command, "traceroute") {
			break
		}
	}
	return output
}

func checkOutput(t *testing.T, output string, patterns []string) {
	t.Helper()
	if pattern := missing(output, patterns); pattern != "" {
		t.Errorf("no %q in\n%s", pattern, output)
	}
}

// missing looks for patterns, each behind the match of the one before, and
// returns the first that is not there.
func missing(output string, patterns []string) string {
	rest := "\n" + output
	for _, pattern := range patterns {
		at := regexp.MustCompile(pattern).FindStringIndex(rest)
		if at == nil {
			return pattern
		}
		// The end of a line may be the beginning of the next match.
		rest = "\n" + strings.TrimPrefix(rest[at[1]:], "\n")
	}
	return ""
}

// mtrReport is what mtr --json prints.
type mtrReport struct {
	Report struct {
		Hubs []struct {
			Host string
			Loss float64 `json:"Loss%"`
			Sent int     `json:"Snt"`
			Best float64 // ms
		}
	}
}

func TestMTRSeesTheHopsTheirLossAndTheirTimes(t *testing.T) {
	for _, kind := range devices {
		for _, tt := range []struct {
			name, target string
			hosts        []string
		}{
			{"IPv4", v4, []string{"10.0.1.1", "???", "10.0.3.1", v4}},
			{"IPv6", v6, []string{"2001:db8:1::1", "???", "2001:db8:3::1", v6}},
		} {
			t.Run(kind.String()+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				inDescribed(t, kind, "silent", "lose@every/2", func(t *testing.T) {
					var r mtrReport
					out := tool(t, "mtr -j -n -c 4 -i 0.2 -G 1 "+tt.target)
					if err := json.Unmarshal([]byte(out), &r); err != nil {
						t.Fatalf("%v in\n%s", err, out)
					}
					checkMTR(t, &r, tt.hosts)
				})
			})
		}
	}
}

func checkMTR(t *testing.T, r *mtrReport, hosts []string) {
	t.Helper()
	// Before it knows the target, mtr sends it what was to go further. The
	// packets of one hop are then not all that are counted there.
	loss := [][2]float64{{0, 0}, {100, 100}, {0, 0}, {25, 75}}
	best := []float64{4, 0, 18, lossless}
	if len(r.Report.Hubs) != len(hosts) {
		t.Fatalf("%d hops, want %d: %+v", len(r.Report.Hubs), len(hosts), r.Report.Hubs)
	}
	for i, hub := range r.Report.Hubs {
		if hub.Host != hosts[i] || hub.Loss < loss[i][0] || hub.Loss > loss[i][1] || hub.Best < best[i] || hub.Sent != 4 {
			t.Errorf("hop %d is %+v, want %s, 4 packets, a loss in %v %%, at least %v ms", i+1, hub, hosts[i], loss[i], best[i])
		}
	}
}

func TestPingSeesTheTimes(t *testing.T) {
	for _, kind := range devices {
		t.Run(kind.String(), func(t *testing.T) {
			inDescribed(t, kind, "", "", func(t *testing.T) {
				out := tool(t, "ping -n -c 3 -i 0.2 "+v4)
				times := regexp.MustCompile(`time=([0-9.]+) ms`).FindAllStringSubmatch(out, -1)
				if len(times) != 3 {
					t.Fatalf("%d times in\n%s", len(times), out)
				}
				for _, match := range times {
					if ms, err := strconv.ParseFloat(match[1], 64); err != nil || ms < lossless {
						t.Errorf("%v ms, which is before the network answers: after %v ms (%v)", ms, lossless, err)
					}
				}
			})
		})
	}
}
