package main

import (
	"encoding/csv"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// eachPrivilegeBehind runs f where pinging is allowed, before a network. The
// timeouts of the commands pass in real time.
func eachPrivilegeBehind(t *testing.T, setup func(t *testing.T), f func(t *testing.T)) {
	for _, tt := range []struct {
		name string
		lab  netlab.Config
	}{
		{"as root", netlab.Config{Setup: setup, Tries: 3}},
		{"without privileges", netlab.Config{Unprivileged: true, PingGroups: true, Setup: setup, Tries: 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			netlab.Test(t, tt.lab, f)
		})
	}
}

func TestTraceroute(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(paths), netlab.Device{}) }
	eachPrivilegeBehind(t, carry, func(t *testing.T) {
		for _, tt := range routes {
			t.Run(tt.name, func(t *testing.T) {
				got := runLine(t.Context(), append([]string{"traceroute"}, strings.Fields(tt.line)...)...)
				got.checkOutput(t, tt.code, tt.want)
			})
		}
		t.Run("in JSON", func(t *testing.T) {
			got := runLine(t.Context(), "trace", "--json", "10.0.9.9")
			got.check(t, exitAlive)
			var r icmplib.Route
			if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
				t.Fatalf("%v in %s", err, got.stdout)
			}
			if r.Address.String() != "10.0.9.9" || !r.Reached || r.End != icmplib.EndReached || len(r.Hops) != 3 ||
				r.Hops[0].Status != icmplib.StatusTTLExpired || r.Hops[2].Status != icmplib.StatusReply || r.Hops[2].PacketsReceived != 3 {
				t.Errorf("got %s", got.stdout)
			}
		})
		t.Run("in CSV", func(t *testing.T) {
			got := runLine(t.Context(), "trace", "--csv", "10.0.9.9")
			got.check(t, exitAlive)
			rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
			if err != nil || len(rows) != 4 || !slices.Equal(rows[0], csvHopHeader) || csvColumns(t, got.stdout)[1]["responder"] != "10.0.2.1" {
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
		if json := slices.Contains(line, "--json"); json != strings.Contains(got.stdout, `"hops":[],"rewrites":null,"error":"cannot resolve`) {
			t.Errorf("%q prints %s", line, got.stdout)
		}
	}
}

func TestAnInterruptedTraceroute(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		got := runLine(interrupted(t), "traceroute", "127.0.0.1")
		got.check(t, exitDead)
		if !strings.Contains(got.stdout, "interrupted: the route to 127.0.0.1 is incomplete") || got.stderr != "" {
			t.Errorf("got\n%s%s", got.stdout, got.stderr)
		}
	})
}
