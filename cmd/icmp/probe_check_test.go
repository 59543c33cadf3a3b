package main

import (
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// badProbes are command lines of traceroute and probe that cannot be used.
var badProbes = []struct {
	name string
	line string
	says []string
}{
	{"no target", "traceroute", []string{"traceroute: a TARGET is missing", "one or more names"}},
	{"a range that is none", "trace ::1 10.0.0.9-10.0.0.1", []string{`TARGET "10.0.0.9-10.0.0.1"`, "a range such as"}},
	{"a list that there is not", "trace --file /none", []string{`--file "/none"`, "a file of targets"}},
	{"a negative rate", "trace --rate -1 ::1", []string{"--rate -1", "0 or more"}},
	{"a negative rate of a router", "trace --hop-rate -1 ::1", []string{"--hop-rate -1", "0 or more"}},
	{"no trace at a time", "trace --parallel 0 ::1", []string{"--parallel 0", "1 to 65536"}},
	{"a first hop of 0", "trace -f 0 ::1", []string{"--first-hop 0", "1 to 255"}},
	{"a first hop that is no number", "trace -f x ::1", []string{"--first-hop", `"x"`, "a whole number"}},
	{"a last hop before the first", "trace -f 5 -m 4 ::1", []string{"--max-hops 4", "5 (the first hop) to 255"}},
	{"a last hop over 255", "trace -m 256 ::1", []string{"--max-hops 256", "to 255"}},
	{"no queries", "trace -q 0 ::1", []string{"--count 0", "1 to 1000"}},
	{"too many queries", "trace --count 1001 ::1", []string{"--count 1001", "1 to 1000"}},
	{"no time to wait", "trace -w 0 ::1", []string{"--timeout 0s", "more than 0 and up to 1h"}},
	{"too long a wait", "trace -w 3601 ::1", []string{"--timeout 1h0m1s", "up to 1h"}},
	{"a time that is none", "trace -z soon ::1", []string{"--interval", `"soon"`, "such as 0.2"}},
	{"a negative gap", "trace --gap -1 ::1", []string{"--gap -1", "0 or more"}},
	{"no such protocol", "trace -P gre ::1", []string{"--protocol", `"gre"`, "icmp, udp, tcp or sctp"}},
	{"two protocols", "trace -U -T ::1", []string{"--udp and --tcp exclude each other"}},
	{"two protocols, one by its name", "trace -P sctp -I ::1", []string{"--protocol sctp and --icmp exclude each other"}},
	{"a port of ICMP", "trace -p 80 ::1", []string{"--port 80", "none with icmp"}},
	{"a port that there is not", "trace -U -p 65536 ::1", []string{"--port 65536", "1 to 65535", "33434"}},
	{"a source port of ICMP", "trace --source-port 80 ::1", []string{"--source-port 80", "none with icmp"}},
	{"a source port that there is not", "trace -T --source-port -1 ::1", []string{"--source-port -1", "1 to 65535"}},
	{"a flow label of ICMP", "trace -l 1 ::1", []string{"--flow-label 1", "none with icmp"}},
	{"a flow label over 20 bits", "trace -U -l 1048576 ::1", []string{"--flow-label 1048576", "0 to 1048575"}},
	{"a flow label of IPv4", "trace -4 -U -l 1 localhost", []string{"--flow-label and --ipv4 exclude each other"}},
	{"a flow label to an IPv4 address", "trace -U -l 1 127.0.0.1", []string{"--flow-label 1", "none to 127.0.0.1"}},
	{"the same of a probe", "probe -U -l 1 127.0.0.1", []string{"--flow-label 1", "none to 127.0.0.1"}},
	{"no such service", "trace --service http ::1", []string{"--service", `"http"`, "dns, ntp or quic"}},
	{"a service by TCP", "trace -T --service quic ::1", []string{"--service quic and --tcp exclude each other", "needs udp"}},
	{"a service by ICMP", "probe -P icmp --service quic ::1", []string{"--service quic and --protocol icmp exclude each other"}},
	{"the size of a service", "mtr --service quic --size 100 ::1", []string{"--size 100", "none with --service"}},
	{"the MTU by a service", "trace --mtu --service quic ::1", []string{"--mtu and --service exclude each other"}},
	{"a name for QUIC", "trace --service quic --service-name example.net ::1", []string{"--service-name example.net", "none but with --service dns"}},
	{"a name that there cannot be", "probe --service dns --service-name a..b ::1", []string{`--service-name "a..b"`, "labels of 1 to 63 bytes"}},
	{"a payload of TCP", "trace -T --size 100 ::1", []string{"--size 100", "none with tcp"}},
	{"a payload of UDP that is too small", "trace -U --size 11 ::1", []string{"--size 11", "12 to 65507 with udp"}},
	{"a size over the maximum", "trace --size 65508 ::1", []string{"--size 65508", "0 to 65507"}},
	{"a traffic class over 255", "trace --tos 256 ::1", []string{"--traffic-class 256", "0 to 255"}},
	{"both families", "trace -4 -6 ::1", []string{"--ipv4", "--ipv6", "one of them"}},
	{"an interface that there is not", "trace -i nosuch0 ::1", []string{"--interface", `"nosuch0"`, "an interface of this host"}},
	{"a source that is no address", "trace -s lo ::1", []string{"--source", `"lo"`, "an address of this host"}},
	{"a source of the other family", "trace -s 127.0.0.1 ::1", []string{"--source 127.0.0.1", "an address of the family of the target ::1"}},
	{"a source that is not ours", "trace -s 192.0.2.99 127.0.0.1", []string{"--source 192.0.2.99", "an address of this host"}},
	{"no such mode", "trace --mode tcp ::1", []string{"--mode", `"tcp"`, "auto, datagram or raw"}},
	{"two formats", "trace --json --csv ::1", []string{"--json and --csv exclude each other"}},
	{"no target of a probe", "probe", []string{"probe: a TARGET is missing"}},
	{"two targets of a probe", "probe ::1 ::2", []string{"probe ::1 ::2: one TARGET is allowed"}},
	{"no probe", "probe -c 0 ::1", []string{"--count 0", "1 or more"}},
	{"a TTL of 0", "probe -t 0 ::1", []string{"--ttl 0", "1 to 255"}},
	{"no timeout", "probe -W 0 ::1", []string{"--timeout 0s", "more than 0"}},
	{"a probe in two formats", "probe --json --csv ::1", []string{"--json and --csv exclude each other"}},
	{"a probe of two protocols", "probe --icmp -T ::1", []string{"--icmp and --tcp exclude each other"}},
	{"a probe with a port that there is not", "probe -T -p 65536 ::1", []string{"--port 65536", "1 to 65535"}},
	{"a probe from the other family", "probe -I 127.0.0.1 ::1", []string{"--via 127.0.0.1", "an address of the family of the target ::1"}},
	{"no such type", "probe --type mask ::1", []string{"--type", `"mask"`, "echo, extended-echo or timestamp"}},
	{"a type of UDP", "probe -U --type timestamp ::1", []string{"--type timestamp", "with udp"}},
	{"an interface that is not asked about", "probe --interface-name eth0 ::1", []string{"--type extended-echo"}},
	{"a question about no interface", "probe --type extended-echo ::1", []string{"--interface-name", "--neighbor"}},
	{"two interfaces", "probe --type extended-echo --interface-name a --interface-index 1 ::1", []string{"one of them"}},
	{"an address that is none", "probe --type extended-echo --neighbor x ::1", []string{"--neighbor", `"x"`, "an address"}},
	{"the time of ICMPv6", "probe --type timestamp ::1", []string{"a target of IPv4"}},
	{"a probe from somebody else", "probe --source 192.0.2.99 127.0.0.1", []string{"--source 192.0.2.99", "an address of this host"}},
}

func TestABadProbeIsRefusedBeforeAnythingIsSent(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		for _, tt := range badProbes {
			t.Run(tt.name, func(t *testing.T) {
				got := runLine(t.Context(), strings.Fields(tt.line)...)
				got.checkRefusal(t, tt.says)
				if got.stdout != "" {
					t.Errorf("it began all the same:\n%s", got.stdout)
				}
			})
		}
		if n := packetsSent(t); n != 0 {
			t.Errorf("%d packets were sent", n)
		}
	})
}
