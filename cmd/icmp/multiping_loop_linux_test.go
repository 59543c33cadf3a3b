package main

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// echoIgnored has the IPv4 addresses of the namespace answer, or not.
func echoIgnored(t *testing.T, ignored bool) {
	t.Helper()
	value := "0"
	if ignored {
		value = "1"
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/icmp_echo_ignore_all", []byte(value), 0); err != nil {
		t.Fatal(err)
	}
}

func TestHostsThatDoNotAnswerAreAskedAgain(t *testing.T) {
	netlab.Test(t, netlab.Config{Setup: silence}, func(t *testing.T) {
		got := runLine(t.Context(), "multiping", "-r", "2", "-t", "50ms", "-B", "1", "127.0.0.1", "127.0.0.1", "::1", "no..name")
		got.check(t, exitNoName)
		for _, want := range []string{"127.0.0.1 is unreachable (no reply)\n127.0.0.1 is unreachable (no reply)\n"} {
			if !strings.Contains(got.stdout, want) {
				t.Errorf("it does not say %q:\n%s", want, got.stdout)
			}
		}
		if want := "4 targets, 1 alive, 3 unreachable (names not found: 1)\n7 packets transmitted, 1 received"; !strings.Contains(got.stderr, want) {
			t.Errorf("the summary does not say %q:\n%s", want, got.stderr)
		}
	})
}

func TestAHostThatAnswersAtTheSecondTryIsAlive(t *testing.T) {
	netlab.Test(t, netlab.Config{Setup: silence}, func(t *testing.T) {
		stdout := &watcher{want: "::1", do: func() { echoIgnored(t, false) }} // it answers in the first round
		var stderr strings.Builder
		code := run(t.Context(), strings.Fields("multiping -r 5 -t 200ms -B 1 127.0.0.1 ::1"), nil, stdout, &stderr)
		out := stdout.text.String()
		if code != exitAlive || !regexp.MustCompile(`127\.0\.0\.1 is alive \([0-9.]+ ms, (50|66\.67)% loss\)`).MatchString(out) {
			t.Errorf("it ends with %d:\n%s%s", code, out, &stderr)
		}
	})
}

func TestSoManyHostsAreReachable(t *testing.T) {
	netlab.Test(t, netlab.Config{Setup: silence}, func(t *testing.T) {
		got := runLine(t.Context(), "multiping", "-a", "-x", "1", "-c", "1", "-t", "100ms", "127.0.0.1", "::1")
		got.check(t, exitAlive)
		if got.stdout != "::1\nenough hosts are alive: 1 of 1\n" {
			t.Errorf("got %s", got.stdout)
		}
		got = runLine(t.Context(), "multiping", "-q", "-x", "2", "-c", "1", "-t", "100ms", "127.0.0.1", "::1")
		got.check(t, exitDead)
		if got.stdout != "not enough hosts are alive: 1 of 2\n" {
			t.Errorf("got %s", got.stdout)
		}
	})
}

func TestEveryAddressOfANameIsPinged(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		got := runLine(t.Context(), "multiping", "-m", "-c", "1", "localhost", "127.0.0.9", "no..name")
		got.check(t, exitNoName)
		lines := sortedLines(got.stdout)
		for i, want := range []string{"127.0.0.9 is alive", "localhost (127.0.0.1) is alive", "localhost (::1) is alive", "no..name is unreachable"} {
			if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
				t.Errorf("no %q in\n%s", want, got.stdout)
			}
		}
	})
}

func TestTheSummaryForPrograms(t *testing.T) {
	netlab.Test(t, netlab.Config{Setup: silence}, func(t *testing.T) {
		line := []string{"multiping", "--json", "-s", "-c", "1", "-t", "100ms", "--shuffle", "--seed", "7", "127.0.0.1", "::1"}
		got := runLine(t.Context(), line...)
		got.check(t, exitDead)
		checkObjects(t, "Sweep", got.stderr)
		o := object(t, got.stderr)
		for field, want := range map[string]any{"targets": 2.0, "alive": 1.0, "unreachable": 1.0, "packets_sent": 2.0, "silent": 1.0, "packet_loss": 0.5, "seed": 7.0, "interrupted": false} {
			if o[field] != want {
				t.Errorf("%s is %v, want %v", field, o[field], want)
			}
		}
		line[1] = "--csv"
		got = runLine(t.Context(), line...)
		checkColumns(t, csvColumns(t, got.stderr)[0], map[string]string{"targets": "2", "alive": "1", "packet_loss": "0.5", "seed": "7", "shard": ""})
	})
}

func TestAllRoundTripTimesInALine(t *testing.T) {
	netlab.Test(t, netlab.Config{Setup: silence}, func(t *testing.T) {
		got := runLine(t.Context(), "multiping", "-C", "3", "-o", "-p", "30ms", "-t", "60ms", "127.0.0.1", "::1")
		got.checkOutput(t, exitDead, `^127\.0\.0\.1 : - - -, outage 90ms
::1       : [0-9.]+ [0-9.]+ [0-9.]+, outage 0s
$`)
		got = runLine(t.Context(), "multiping", "-C", "2", "--json", "-p", "30ms", "127.0.0.1", "::1")
		checkObjects(t, "Host", got.stdout)
	})
}

// loopUntil runs a loop until its output has all of the patterns, whenever that is.
func loopUntil(t *testing.T, patterns []string, line ...string) command {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stdout, wanted := &watcher{}, patterns
	stdout.do = func() {
		for len(wanted) > 0 && regexp.MustCompile(wanted[0]).MatchString(stdout.text.String()) {
			wanted = wanted[1:]
		}
		if len(wanted) == 0 {
			cancel()
		}
	}
	var stderr strings.Builder
	code := run(ctx, append([]string{"multiping"}, line...), strings.NewReader(""), stdout, &stderr)
	if len(wanted) > 0 {
		t.Errorf("no %s in\n%s%s", wanted[0], &stdout.text, &stderr)
	}
	return command{code, stdout.text.String(), stderr.String()}
}

func TestALoopTellsEachReply(t *testing.T) {
	netlab.Test(t, netlab.Config{Setup: silence}, func(t *testing.T) {
		got := loopUntil(t, []string{
			`(?m)^64 bytes from ::1: seq=0 ttl=64 time=[0-9.]+ ms \([0-9.]+ ms avg, 0% loss, outage 0s\)$`,
			`(?m)^No reply from 127\.0\.0\.1: seq=0 \(100% loss, outage 20ms\)$`,
		}, "-l", "-o", "-p", "20ms", "-t", "50ms", "127.0.0.1", "::1")
		got.check(t, exitDead)
		if !regexp.MustCompile(`(?m)^::1: [0-9]+ packets transmitted, [0-9]+ received, 0% packet loss.*, rtt min/avg/max/stddev = .*, outage 0s$`).MatchString(got.stderr) {
			t.Errorf("at the end it says\n%s", got.stderr)
		}
		loopUntil(t, []string{
			`(?m)^\[[0-9:]{8}\]\n127\.0\.0\.1: 0 of [1-9][0-9]* received, 100% loss\n::1: [1-9][0-9]* of [0-9]+ received, 0% loss, rtt min/avg/max = [0-9./]+ ms\n`,
		}, "-l", "-Q", "0.1", "-p", "20ms", "-t", "50ms", "127.0.0.1", "::1")
		got = loopUntil(t, []string{`"name":"::1"`, `"seq":2\D`}, "-l", "--json", "-p", "20ms", "-D=false", "::1")
		lines := slices.Collect(strings.Lines(got.stdout))
		checkObjects(t, "Result", strings.Join(lines[:len(lines)-1], ""))
		checkObjects(t, "Host", lines[len(lines)-1])
		got = loopUntil(t, []string{
			`"name":"127\.0\.0\.1".*"interval_settled":[1-9][0-9]*,"interval_received":0,"interval_min_rtt_ms":null,"interval_avg_rtt_ms":null,"interval_max_rtt_ms":null,"outage_ms":[1-9]`,
			`"name":"::1".*"interval_settled":[1-9][0-9]*,"interval_received":[1-9][0-9]*,"interval_min_rtt_ms":[0-9.]+,"interval_avg_rtt_ms":[0-9.]+,"interval_max_rtt_ms":[0-9.]+,"outage_ms":[0-9]`,
		}, "-l", "--json", "-o", "-Q", "0.1", "-p", "20ms", "-t", "50ms", "127.0.0.1", "::1")
		checkObjects(t, "Host", got.stdout)
	})
}

// CSV has each reply, as text has it, and the hosts where text has their statistics.
func TestALoopInCSV(t *testing.T) {
	netlab.Test(t, netlab.Config{Setup: silence}, func(t *testing.T) {
		got := loopUntil(t, []string{`(?m)^::1,::1,[0-9]+,reply,::1,`, `(?m)^127\.0\.0\.1,127\.0\.0\.1,[0-9]+,no-reply,,,`},
			"-l", "--csv", "-o", "-p", "20ms", "-t", "50ms", "127.0.0.1", "::1")
		hosts := csvColumns(t, got.stderr)
		checkColumns(t, hosts[0], map[string]string{"name": "127.0.0.1", "is_alive": "false"})
		checkColumns(t, hosts[1], map[string]string{"name": "::1", "is_alive": "true"})
		if hosts[0]["outage_ms"] == "0" || hosts[1]["outage_ms"] == "" {
			t.Errorf("silence is no outage:\n%s", got.stderr)
		}
		got = loopUntil(t, []string{`(?m)^127\.0\.0\.1,.*\n::1,.*\n`}, "-l", "--csv", "-Q", "0.1", "-p", "20ms", "-t", "50ms", "127.0.0.1", "::1")
		lines := csvColumns(t, got.stdout)
		checkColumns(t, lines[0], map[string]string{"name": "127.0.0.1", "interval_received": "0", "interval_avg_rtt_ms": ""})
		if lines[1]["interval_settled"] == "" || got.stderr != "" {
			t.Errorf("sums of intervals:\n%s%s", got.stdout, got.stderr)
		}
	})
}

func TestALoopOfTooManyIsRefused(t *testing.T) {
	got := runLine(t.Context(), "multiping", "-l", "10.0.0.0/15")
	got.checkRefusal(t, []string{"up to 65536 targets"})
}

// A router that fails behind a good route.
const failing = `
	client 192.0.2.1
	node r1 10.0.1.1
	node r2 10.0.2.1 lose@30-
	node t 10.0.9.9 lose@20-
	path 10.0.9.0/24 r1 r2 t
`

func TestAHostThatGoesDownIsTraced(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(failing), netlab.Device{}) }
	netlab.Test(t, netlab.Config{Setup: carry}, func(t *testing.T) {
		loopUntil(t, []string{
			`(?m)^10\.0\.9\.9 is down: the trace ends at hop [12] \(10\.0\.[12]\.1\), gap; at hop [23], nobody answers instead of (10\.0\.2\.1, )?10\.0\.9\.9$`,
		}, "-l", "-q", "--trace-on-loss", "-p", "100ms", "-t", "1s", "10.0.9.9")
	})
}
