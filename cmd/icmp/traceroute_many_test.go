package main

import (
	"encoding/csv"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

func TestTracerouteOfManyTargets(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(paths), netlab.Device{}) }
	eachPrivilegeBehind(t, carry, func(t *testing.T) {
		t.Run("as text", testManyAsText)
		t.Run("in JSON, from lists", testManyAsJSON)
		t.Run("in CSV", testManyAsCSV)
	})
}

func testManyAsText(t *testing.T) {
	got := runLine(t.Context(), "traceroute", "-n", "-q", "1", "10.0.9.9", "2001:db8:9::9")
	got.check(t, exitAlive)
	for _, want := range []string{`
traceroute to 10\.0\.9\.9, 30 hops max, icmp, 56 data bytes
  1 10\.0\.1\.1  [0-9.]+ ms
  2 10\.0\.2\.1  [0-9.]+ ms
  3 10\.0\.9\.9  [0-9.]+ ms
reached: 10\.0\.9\.9 answers at distance 3
`, `
traceroute to 2001:db8:9::9, .*
  1 2001:db8:1::1  .*
  2 2001:db8:2::1  .*
  3 2001:db8:9::9  .*
reached: `} {
		if !regexp.MustCompile(want).MatchString("\n" + got.stdout) {
			t.Errorf("got\n%s\nwant%s", got.stdout, want)
		}
	}
	if !regexp.MustCompile(`^2 targets, 2 reached, \d+ packets sent\n$`).MatchString(got.stderr) {
		t.Errorf("it sums up: %s", got.stderr)
	}
	got = runLine(t.Context(), "traceroute", "-n", "-q", "1", "10.0.9.8/31", "10.0.10.1")
	got.check(t, exitDead)
	if strings.Count(got.stdout, "reached: 10.0.9.") != 2 || !strings.Contains(got.stdout, "\nunreachable: 10.0.3.1 ") {
		t.Errorf("got\n%s", got.stdout)
	}
	got = runLine(t.Context(), "traceroute", "-n", "-q", "1", "10.0.9.9", "no..name", "other..name")
	got.check(t, exitNoName)
	if strings.Count(got.stdout, "cannot resolve") != 2 || strings.Count(got.stderr, "cannot resolve") != 1 {
		t.Errorf("got\n%s%s", got.stdout, got.stderr)
	}
}

func testManyAsJSON(t *testing.T) {
	list := filepath.Join(t.TempDir(), "targets")
	if err := os.WriteFile(list, []byte("# two of a network\n10.0.9.10-11\n\n10.0.12.1 # a loop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	line := []string{"trace", "--json", "-q", "1", "--file", list, "--file", "-", "--rate", "0", "--hop-rate", "0", "--parallel", "2"}
	got := runLineWith(t.Context(), "10.0.9.12\n10.0.15.1\n", line...)
	got.check(t, exitDead)
	ends := map[string]string{}
	for line := range strings.Lines(got.stdout) {
		var r icmplib.Route
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		ends[r.Address.String()] = r.End.String()
	}
	want := map[string]string{"10.0.9.10": "reached", "10.0.9.11": "reached", "10.0.9.12": "reached", "10.0.12.1": "loop", "10.0.15.1": "reached"}
	if !maps.Equal(ends, want) || got.stderr != "" {
		t.Errorf("%v, want %v; %s", ends, want, got.stderr)
	}
}

func testManyAsCSV(t *testing.T) {
	got := runLine(t.Context(), "trace", "--csv", "10.0.9.1-10.0.9.20")
	got.check(t, exitAlive)
	rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
	if err != nil || len(rows) != 1+20*3 || !slices.Equal(rows[0], csvHopHeader) {
		t.Fatalf("%v in\n%s", err, got.stdout)
	}
	for i, row := range rows[1:] {
		if row[0] != rows[1+i/3*3][0] {
			t.Errorf("the hops of %s are not together", row[0])
		}
	}
}

func TestManyTracesInterrupted(t *testing.T) {
	netlab.Test(t, netlab.Config{}, func(t *testing.T) {
		got := runLine(interrupted(t), "traceroute", "127.0.0.1", "127.0.0.2")
		got.check(t, exitDead)
		if got.stdout != "" || got.stderr != "" {
			t.Errorf("got\n%s%s", got.stdout, got.stderr)
		}
	})
}

func TestManyTracesWithoutPermission(t *testing.T) {
	netlab.Test(t, netlab.Config{Unprivileged: true}, func(t *testing.T) {
		got := runLine(t.Context(), "traceroute", "127.0.0.1", "127.0.0.2")
		got.check(t, exitFailure)
		if strings.Count(got.stderr, "CAP_NET_RAW is missing") != 1 || got.stdout != "" {
			t.Errorf("got\n%s%s", got.stdout, got.stderr)
		}
	})
}

// A target that refuses everything by itself, a router that says too late that
// there is no way on, and one that refuses one probe in five.
const verdicts = `
	client 192.0.2.1 2001:db8::1
	node r1 10.0.1.1 2001:db8:1::1
	node t 10.0.9.9 2001:db8:9::9 refuse=port
	node late 10.0.2.1 2001:db8:2::1 refuse=host answer-late=1s@all
	node half 10.0.3.1 2001:db8:3::1 refuse=prohibited@20%
	node u 10.0.8.8 2001:db8:8::8
	path 10.0.9.0/24 2001:db8:9::/64 r1 t
	path 10.0.7.0/24 2001:db8:7::/64 r1 late u
	path 10.0.8.0/24 2001:db8:8::/64 r1 half u
`

func TestATargetHasOneVerdictAloneAndAmongMany(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(verdicts), netlab.Device{}) }
	netlab.Test(t, netlab.Config{Setup: carry, Tries: 3}, func(t *testing.T) {
		for _, tt := range []struct {
			target, flags string
			end           string
			code          int
		}{
			{"10.0.9.9", "", "reached", exitAlive},
			{"10.0.9.9", "-T -p 80", "reached", exitAlive},
			{"10.0.9.9", "-P sctp -p 80", "reached", exitAlive},
			{"10.0.9.9", "-U", "reached", exitAlive},
			{"2001:db8:9::9", "", "reached", exitAlive},
			{"10.0.7.7", "-w 500ms -m 12", "max-hops", exitDead},
			{"10.0.7.7", "-w 500ms --gap 3", "gap", exitDead},
			{"10.0.8.8", "-q 6", "reached", exitAlive},
		} {
			for _, way := range []string{"", tt.target, "--flows=2"} {
				if way == "--flows=2" && tt.code != exitAlive {
					continue // nothing is final until all is, and late errors count
				}
				line := append([]string{"traceroute", "--json", "-n"}, strings.Fields(tt.flags+" "+way+" "+tt.target)...)
				got := runLine(t.Context(), line...)
				got.check(t, tt.code)
				for line := range strings.Lines(got.stdout) {
					var r icmplib.Route
					if err := json.Unmarshal([]byte(line), &r); err != nil {
						t.Fatalf("%v in %s", err, got.stdout)
					}
					if r.End.String() != tt.end {
						t.Errorf("%v %s %s ends as %s, want %s", tt.target, tt.flags, way, r.End, tt.end)
					}
				}
			}
		}
	})
}
