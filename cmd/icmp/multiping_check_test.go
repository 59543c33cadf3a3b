package main

import (
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// badSweeps are command lines that cannot be used.
var badSweeps = []struct {
	name  string
	line  string
	stdin string
	says  []string
}{
	{"a prefix with too many bits", "127.0.0.1 127.0.0.0/33", "", []string{"TARGET", `"127.0.0.0/33"`, "0 to 32 bits"}},
	{"a list that there is not", "-f /nosuch 127.0.0.1", "", []string{"--file", `"/nosuch"`, "no such file"}},
	{"a count of 0", "-c 0 127.0.0.1", "", []string{"--count", "0", "1 to 16777215"}},
	{"a count over the maximum", "-c 16777216 127.0.0.1", "", []string{"--count", "16777216", "1 to 16777215"}},
	{"a negative rate", "--rate -1 127.0.0.1", "", []string{"--rate", "-1", "0 or more"}},
	{"a rate that is no number", "--rate fast 127.0.0.1", "", []string{"--rate", `"fast"`, "a whole number"}},
	{"a timeout of 0", "-t 0 127.0.0.1", "", []string{"--timeout", "0s", "more than 0"}},
	{"a TTL of 0", "-H 0 127.0.0.1", "", []string{"--ttl", "0", "1 to 255"}},
	{"no such mode", "--mode tcp 127.0.0.1", "", []string{"--mode", `"tcp"`, "auto, datagram or raw"}},
	{"a source that is not ours", "--source 192.0.2.99 127.0.0.1", "", []string{"--source", "192.0.2.99", "an address of this host"}},
	{"a source of the other family", "--source ::1 127.0.0.0/8", "", []string{"--source", "::1", "an address of the family of the target 127.0.0.1"}},
	{"a share beyond the last", "--shard 4/4 127.0.0.1", "", []string{"--shard", `"4/4"`, "from 0/4 to 3/4"}},
	{"a share of nothing", "--shard 1 127.0.0.1", "", []string{"--shard", `"1"`, "a share such as 0/4"}},
	{"a seed that shuffles nothing", "--seed 4 127.0.0.1", "", []string{"--seed", "4", "--shuffle"}},
	{"a seed that is no number", "--shuffle --seed x 127.0.0.1", "", []string{"--seed", `"x"`, "a whole number from 0"}},
	{"opposites", "-a -u 127.0.0.1", "", []string{"--alive", "--unreachable", "one of them"}},
	{"retries of a count", "-r 2 -c 2 127.0.0.1", "", []string{"--retries and --count exclude"}},
	{"a backoff below 1", "-r 2 -B 0.5 127.0.0.1", "", []string{"--backoff 0.5", "1 to 5"}},
	{"negative retries", "-r -1 127.0.0.1", "", []string{"--retries -1", "0 to 100"}},
	{"too many results", "-C 10001 127.0.0.1", "", []string{"--results 10001", "1 to 10000"}},
	{"a loop that counts", "-l -c 2 127.0.0.1", "", []string{"--loop and --results exclude --count"}},
	{"a loop and results", "-l -C 2 127.0.0.1", "", []string{"--loop and --results exclude each other"}},
	{"sums without a loop", "-Q 5 127.0.0.1", "", []string{"--summary-every", "need --loop"}},
	{"no results", "-C 0 127.0.0.1", "", []string{"--results 0", "1 to 10000"}},
	{"no hosts that are alive", "-x 0 127.0.0.1", "", []string{"--reachable 0", "1 or more"}},
	{"sums of no time", "-l -Q 0 127.0.0.1", "", []string{"--summary-every 0s", "more than 0"}},
	{"an outage without a loop", "-o 127.0.0.1", "", []string{"--outage", "needs --loop or --results"}},
	{"traces without a loop", "--trace-on-loss 127.0.0.1", "", []string{"--trace-on-loss", "needs --loop"}},
	{"sums in milliseconds", "-l -Q soon 127.0.0.1", "", []string{"--summary-every", `"soon"`}},
	{"two formats", "--json --csv 127.0.0.1", "", []string{"--json", "--csv", "one of them"}},
	{"objects and nothing but the summary", "--json -q 127.0.0.1", "", []string{"--quiet", "--json", "one of them"}},
}

func TestABadSweepIsRefusedBeforeAnythingIsSent(t *testing.T) {
	netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
		for _, tt := range badSweeps {
			t.Run(tt.name, func(t *testing.T) {
				got := runLineWith(t.Context(), tt.stdin, append([]string{"multiping"}, strings.Fields(tt.line)...)...)
				got.check(t, exitUsage)
				if got.stdout != "" || strings.Contains(got.stderr, "statistics") {
					t.Errorf("it began all the same:\n%s%s", got.stdout, got.stderr)
				}
				for _, want := range append(tt.says, "Try 'icmp multiping --help'.") {
					if !strings.Contains(got.stderr, want) {
						t.Errorf("the message does not say %q:\n%s", want, got.stderr)
					}
				}
			})
		}
		if n := packetsSent(t); n != 0 {
			t.Errorf("%d packets were sent", n)
		}
	})
}
