package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// watched are command lines of mtr, and what they print and return behind the
// network of the tests of traceroute.
var watched = []struct {
	name string
	line string
	code int
	want string // a pattern for the whole output
}{
	{"a route to its end", "-r 10.0.9.9", exitAlive, `^Start: .*  3 rounds
HOST: 10\.0\.9\.9 +Loss%   Snt   Last   Avg  Best  Wrst StDev
  1\.\|-- 10\.0\.1\.1  +0\.0%     3( +[0-9.]+){5}
  2\.\|-- 10\.0\.2\.1  +0\.0%     3( +[0-9.]+){5}
  3\.\|-- 10\.0\.9\.9  +0\.0%     3( +[0-9.]+){5}
$`},
	{"by UDP, and IPv6", "-r -u 2001:db8:9::9", exitAlive, `StDev
  1\.\|-- 2001:db8:1::1 .*
  2\.\|-- 2001:db8:2::1 .*
  3\.\|-- 2001:db8:9::9 .*
$`},
	{"to a wall", "-r 10.0.10.1", exitDead, `(?s)  1\.\|-- 10\.0\.1\.1 .* 10\.0\.3\.1 !X `},
	{"with labels", "-r 10.0.15.1", exitAlive, `
  2\.\|-- 10\.0\.6\.1 .*
    \|   \+-- \[MPLS: Lbl 16001 TC 5 S 1 TTL 1\]
  3\.`},
	{"chosen columns", "-r -o LRVM 10.0.9.9", exitAlive, `HOST: 10\.0\.9\.9 +Loss% +Rcv StDev  Javg\n  1\.\|-- 10\.0\.1\.1 +0\.0% +3 +[0-9.]+ +[0-9.]+\n`},
	{"two targets", "-r 10.0.9.9 10.0.15.1", exitAlive, `(?s)^Start.*HOST: 10\.0\.9\.9 .*Start.*HOST: 10\.0\.15\.1 `},
	{"in CSV", "--csv 10.0.9.9", exitAlive, `^name,address,.*
10\.0\.9\.9,10\.0\.9\.9,true,reached,,3,1,10\.0\.1\.1,,ttl-expired,11,0,3,.*
10\.0\.9\.9,10\.0\.9\.9,true,reached,,3,2,10\.0\.2\.1,,ttl-expired,.*
10\.0\.9\.9,10\.0\.9\.9,true,reached,,3,3,10\.0\.9\.9,,reply,.*
$`},
}

func TestMTR(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(paths), netlab.Device{}) }
	eachPrivilegeBehind(t, carry, func(t *testing.T) {
		for _, tt := range watched {
			t.Run(tt.name, func(t *testing.T) {
				line := append([]string{"mtr", "-n", "-c", "3", "-i", "50ms", "-Z", "5s", "-m", "6"}, strings.Fields(tt.line)...)
				got := runLine(t.Context(), line...)
				got.checkOutput(t, tt.code, tt.want)
			})
		}
		t.Run("in JSON", func(t *testing.T) {
			got := runLine(t.Context(), "mtr", "--json", "-c", "3", "-i", "50ms", "-Z", "5s", "10.0.9.9")
			got.check(t, exitAlive)
			var r icmplib.Snapshot
			if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
				t.Fatalf("%v in %s", err, got.stdout)
			}
			if r.Address.String() != "10.0.9.9" || !r.Reached || r.Round != 3 || len(r.Hops) != 3 || len(r.Events) != 0 ||
				r.Hops[2].Status != icmplib.StatusReply || r.Hops[2].PacketsReceived != 3 || r.Hops[0].Responders[0].PacketsReceived != 3 {
				t.Errorf("got %s", got.stdout)
			}
		})
	})
}

func TestMTRShowsNothingWhereThereIsNoTerminal(t *testing.T) {
	got := runLine(t.Context(), "mtr", "127.0.0.1")
	got.check(t, exitUsage)
	if !strings.Contains(got.stderr, "standard output is not a terminal: give --report, --json or --csv") || got.stdout != "" {
		t.Errorf("got\n%s%s", got.stdout, got.stderr)
	}
}

func TestTheHelpOfMTR(t *testing.T) {
	got := runLine(t.Context(), "mtr", "--help")
	got.check(t, exitAlive)
	for _, want := range []string{"--report", "--no-color", "Exit codes: 0 all targets answered"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, got.stdout)
		}
	}
}

func TestMTRWithoutATarget(t *testing.T) {
	got := runLine(t.Context(), "mtr", "--report")
	got.check(t, exitUsage)
	if !strings.Contains(got.stderr, "mtr: a TARGET is missing") {
		t.Errorf("it says %s", got.stderr)
	}
}

func TestMTRWithoutPermission(t *testing.T) {
	netlab.Test(t, netlab.Config{Unprivileged: true}, func(t *testing.T) {
		got := runLine(t.Context(), "mtr", "--report", "127.0.0.1", "::1")
		got.check(t, exitFailure)
		if !strings.Contains(got.stderr, "CAP_NET_RAW is missing") || got.stdout != "" {
			t.Errorf("got\n%s%s", got.stdout, got.stderr)
		}
	})
}

func TestMTROfATargetThatHasNoRoute(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		got := runLine(t.Context(), "mtr", "--report", "-c", "2", "-i", "10ms", "192.0.2.1")
		got.check(t, exitDead)
		if !strings.Contains(got.stdout, "192.0.2.1: not sent: ") || !strings.Contains(got.stdout, "network is unreachable") || got.stderr != "" {
			t.Errorf("got\n%s%s", got.stdout, got.stderr)
		}
	})
}

func TestMTROfNamesThatThereAreNot(t *testing.T) {
	got := runLine(t.Context(), "mtr", "--json", "no..name", "no..other")
	got.check(t, exitNoName)
	if !strings.Contains(got.stderr, `"no..name"`) || !strings.Contains(got.stderr, `"no..other"`) || strings.Count(got.stdout, "\n") != 2 {
		t.Errorf("got\n%s%s", got.stdout, got.stderr)
	}
}

func TestAnInterruptedMTR(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		got := runLine(interrupted(t), "mtr", "--json", "127.0.0.1")
		got.check(t, exitDead)
		if !strings.Contains(got.stdout, `"round":0,`) || got.stderr != "" {
			t.Errorf("got\n%s%s", got.stdout, got.stderr)
		}
	})
}
