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
)

// sortedLines returns the lines of an output, for hosts come as they complete.
func sortedLines(text string) []string {
	return slices.Sorted(strings.Lines(text))
}

// sweeps are command lines whose hosts all answer, and patterns of their lines.
var sweeps = []struct {
	name  string
	line  string
	stdin string
	want  []string // sorted
}{
	{"an address, a name and the other family", "-p 0 127.0.0.1 localhost ::1", "", []string{
		`127\.0\.0\.1 is alive \([0-9.]+ ms, 0% loss\)`,
		`::1 is alive \([0-9.]+ ms, 0% loss\)`,
		`localhost \(127\.0\.0\.1\) is alive \([0-9.]+ ms, 0% loss\)`,
	}},
	{"a prefix, by its hosts", "-c 1 -a 127.0.0.0/29", "", []string{
		`127\.0\.0\.1`, `127\.0\.0\.2`, `127\.0\.0\.3`, `127\.0\.0\.4`, `127\.0\.0\.5`, `127\.0\.0\.6`,
	}},
	{"a prefix, by all its addresses", "-c 1 -a --all-addresses 127.0.0.4/30", "", []string{
		`127\.0\.0\.4`, `127\.0\.0\.5`, `127\.0\.0\.6`, `127\.0\.0\.7`,
	}},
	{"ranges, shuffled", "-c 1 -a --shuffle 127.0.0.1-2 127.0.1.255-127.0.2.0", "", []string{
		`127\.0\.0\.1`, `127\.0\.0\.2`, `127\.0\.1\.255`, `127\.0\.2\.0`,
	}},
	{"an IPv6 prefix", "-c 1 -a ::1/128", "", []string{`::1`}},
	{"a share", "-c 1 -a --shard 1/3 127.0.0.0/29", "", []string{`127\.0\.0\.2`, `127\.0\.0\.5`}},
	{"standard input, which is no terminal", "-c 1 -a", "127.0.0.1\n# router\n127.0.0.2-3\n", []string{
		`127\.0\.0\.1`, `127\.0\.0\.2`, `127\.0\.0\.3`,
	}},
	{"standard input beside others", "-c 1 -a -f - 127.0.0.9", "127.0.0.1\n", []string{`127\.0\.0\.1`, `127\.0\.0\.9`}},
	{"no standard input beside others, unless it is asked for", "-c 1 -a 127.0.0.9", "127.0.0.1\n", []string{`127\.0\.0\.9`}},
	{"nothing, where all are alive and others are asked for", "-c 1 -u 127.0.0.1", "", nil},
	{"nothing, of a share that has no target", "-c 1 --shard 2/3 127.0.0.1-2", "", nil},
	{"nothing, of an empty list", "-c 1 -a", "# nothing\n", nil},
	{"nothing but the summary", "-c 1 -q 127.0.0.1", "", nil},
}

func TestMultiping(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		for _, tt := range sweeps {
			t.Run(tt.name, func(t *testing.T) {
				got := runLineWith(t.Context(), tt.stdin, append([]string{"multiping"}, strings.Fields(tt.line)...)...)
				got.check(t, exitAlive)
				lines := sortedLines(got.stdout)
				if len(lines) != len(tt.want) {
					t.Fatalf("got\n%s\nwant %d lines", got.stdout, len(tt.want))
				}
				for i, line := range lines {
					if !regexp.MustCompile("^" + tt.want[i] + "\n$").MatchString(line) {
						t.Errorf("got %qwant %s", line, tt.want[i])
					}
				}
				if !strings.HasPrefix(got.stderr, "\n--- multiping statistics") {
					t.Errorf("the summary is %s", got.stderr)
				}
			})
		}
	})
}

func TestMultipingOfAWholeNetwork(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		got := runLine(t.Context(), "multiping", "-p", "0", "--shuffle", "127.0.0.0/24")
		got.check(t, exitAlive)
		if n := strings.Count(got.stdout, " is alive ("); n != 254 {
			t.Errorf("%d hosts are alive", n)
		}
		for _, want := range []string{"254 targets, 254 alive, 0 unreachable", "508 packets transmitted, 508 received, 0% packet loss"} {
			if !strings.Contains(got.stderr, want) {
				t.Errorf("it does not say %q:\n%s", want, got.stderr)
			}
		}
	})
}

func TestMultipingForPrograms(t *testing.T) {
	eachPrivilege(t, func(t *testing.T) {
		t.Run("one JSON object per line", func(t *testing.T) {
			got := runLine(t.Context(), "multiping", "--json", "-p", "0", "127.0.0.0/29", "no..name")
			got.check(t, exitNoName)
			names := map[string]bool{}
			for line := range strings.Lines(got.stdout) {
				var h icmplib.Host
				if err := json.Unmarshal([]byte(line), &h); err != nil {
					t.Fatalf("%v in %s", err, line)
				}
				if alive := h.Name != "no..name"; h.IsAlive() != alive || (h.Err == nil) != alive {
					t.Errorf("got %s", line)
				}
				names[h.Name] = true
			}
			if len(names) != 7 || strings.Contains(got.stderr, "statistics") {
				t.Errorf("got\n%s%s", got.stdout, got.stderr)
			}
		})
		t.Run("CSV", func(t *testing.T) {
			got := runLine(t.Context(), "multiping", "--csv", "--alive", "-p", "0", "127.0.0.0/29", "no..name")
			got.check(t, exitNoName)
			rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
			if err != nil || len(rows) != 7 || !slices.Equal(rows[0], csvHostHeader) {
				t.Errorf("%v in\n%s", err, got.stdout)
			}
		})
	})
}

func TestMultipingOfTargetsThatAreNotThere(t *testing.T) {
	netlab.Test(t, netlab.Config{Setup: silence}, func(t *testing.T) {
		line := []string{"multiping", "-c", "1", "-t", "1", "127.0.0.1", "::1", "192.0.2.1"}
		for _, tt := range []struct {
			name  string
			line  []string
			code  int
			lines []string
		}{
			{"silence, and no route", line, exitDead, []string{"127.0.0.1 is unreachable (no reply)\n", "192.0.2.1 is unreachable (", "::1 is alive ("}},
			{"only the names of those", append(line, "-u"), exitDead, []string{"127.0.0.1\n", "192.0.2.1\n"}},
			{"only the others", append(line, "-a"), exitDead, []string{"::1\n"}},
			{"a name besides", append(line, "-u", "no..name"), exitNoName, []string{"127.0.0.1\n", "192.0.2.1\n", "no..name\n"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got := runLine(t.Context(), tt.line...)
				got.check(t, tt.code)
				lines := sortedLines(got.stdout)
				if !slices.EqualFunc(lines, tt.lines, strings.HasPrefix) {
					t.Errorf("got %q, want %q", lines, tt.lines)
				}
			})
		}
	})
}

func TestMultipingWithoutPermission(t *testing.T) {
	netlab.Test(t, netlab.Config{Unprivileged: true}, func(t *testing.T) {
		got := runLine(t.Context(), "multiping", "127.0.0.0/8")
		got.check(t, exitFailure)
		for _, want := range []string{`sysctl -w net.ipv4.ping_group_range="0 2147483647"`, "CAP_NET_RAW is missing"} {
			if n := strings.Count(got.stderr, want); n != 1 {
				t.Errorf("%q is said %d times:\n%s", want, n, got.stderr)
			}
		}
		if got.stdout != "" || strings.Contains(got.stderr, "statistics") {
			t.Errorf("it prints\n%s%s", got.stdout, got.stderr)
		}
	})
}

func TestHelpOfMultiping(t *testing.T) {
	got := runLine(t.Context(), "multiping", "--help")
	got.check(t, exitAlive)
	for _, want := range []string{"--shard I/N", "10.0.0.1-20", "Exit codes: 0 all targets answered", "are skipped"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("it does not say %q:\n%s", want, got.stdout)
		}
	}
}
