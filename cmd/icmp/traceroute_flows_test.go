package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// A diamond of two branches: with seed 2 it is seen whole.
const diamond = `
	seed 2
	client 192.0.2.1
	node r1 10.0.1.1
	node a 10.0.2.1
	node b 10.0.2.2
	node t 10.0.9.9
	path 10.0.9.0/24 r1 flow( a | b ) t
`

func TestTracerouteOfSeveralFlows(t *testing.T) {
	// Where the ICMP id is not fixed the branches of few flows cannot be
	// foretold: UDP from a fixed port always takes the same ways.
	udp := []string{"traceroute", "-n", "-U", "--source-port", "40000", "10.0.9.9"}
	netlab.Test(t, netlab.Config{
		Tries: 3, // timeouts pass in real time
		Setup: func(t *testing.T) { netlab.Carry(t, netsim.MustParse(diamond), netlab.Device{}) },
	}, func(t *testing.T) {
		text := runLine(t.Context(), append(udp, "--flows", "24")...)
		text.check(t, exitAlive)
		wantMatch(t, text.stdout, `(?s)^traceroute to 10\.0\.9\.9.*
  1  10\.0\.1\.1
       > 10\.0\.2\.[12]  [0-9]+ of 24 flows
       > 10\.0\.2\.[12]  [0-9]+ of 24 flows
  2  10\.0\.2\.[12]  per-flow
.*diamond from 10\.0\.1\.1 to 10\.0\.9\.9: width 2, length 2
24 flows, [0-9]+ probes, there may be more ways
reached: `)
		dot := runLine(t.Context(), append(udp, "--flows", "24", "--dot")...)
		dot.check(t, exitAlive)
		wantMatch(t, dot.stdout, `(?s)^digraph route \{.*label="10\.0\.1\.1\\n1".*n0 -> n1 .*n0 -> n2 .*\}\n$`)

		file := filepath.Join(t.TempDir(), "ways.svg")
		if err := os.WriteFile(file, bytes.Repeat([]byte("longer than the picture "), 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		drawn := runLine(t.Context(), append(udp, "--flows", "24", "--svg", file)...)
		drawn.check(t, exitAlive)
		wantMatch(t, drawn.stdout, `24 flows, [0-9]+ probes`)
		picture, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		wantMatch(t, string(picture), `(?s)^<svg .*>Paths to 10\.0\.9\.9<.*>reached: 10\.0\.9\.9 answers at distance 3<.*>10\.0\.1\.1<.*</svg>\n$`)

		alone := runLine(t.Context(), append(udp, "--flows", "24", "--svg", "-")...)
		alone.check(t, exitAlive)
		wantMatch(t, alone.stdout, `(?s)^<svg .*</svg>\n$`)

		full := runLine(t.Context(), append(udp, "--flows", "24", "--svg", "/dev/full")...)
		if full.code != exitFailure || !strings.Contains(full.stderr, "--svg: write /dev/full: ") {
			t.Errorf("exit code %d, %s", full.code, full.stderr)
		}
		nowhere := runLine(t.Context(), append(udp, "--flows", "24", "--svg", "/no/such/file")...)
		if nowhere.code == exitAlive || nowhere.stdout != "" || !strings.Contains(nowhere.stderr, "--svg: open /no/such/file: ") {
			t.Errorf("exit code %d, %q, %s", nowhere.code, nowhere.stdout, nowhere.stderr)
		}
		absent := filepath.Join(t.TempDir(), "none.svg")
		runLine(interrupted(t), append(udp, "--flows", "24", "--svg", absent)...)
		if _, err := os.Stat(absent); err == nil {
			t.Error("a trace that did not take place leaves a file")
		}

		object := runLine(t.Context(), append(udp, "--flows", "all", "--json")...)
		object.check(t, exitAlive)
		var route struct{ Graph *icmplib.Graph }
		if err := json.Unmarshal([]byte(object.stdout), &route); err != nil || route.Graph == nil || len(route.Graph.Hops) != 3 {
			t.Errorf("%v, %+v in\n%s", err, route.Graph, object.stdout)
		}
	})
}

func wantMatch(t *testing.T, got, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(got) {
		t.Errorf("this does not match %s\n%s", pattern, got)
	}
}

func TestFlagsOfFlowsThatCannotBeUsed(t *testing.T) {
	for _, line := range [][]string{
		{"--flows", "0"}, {"--flows", "-1"}, {"--flows", "513"}, {"--flows", "some"},
		{"--dot"}, {"--dot", "--json", "--flows", "2"}, {"--dot", "--csv", "--flows", "2"}, {"--fast", "--flows", "2"},
		{"--svg", "x"}, {"--svg=", "--flows", "2"}, {"--svg", "-", "--dot", "--flows", "2"}, {"--svg", "-", "--json", "--flows", "2"},
		{"--svg", "x", "--flows", "2", "192.0.2.2"}, {"--svg", "x", "--mtu"},
	} {
		c := runLine(t.Context(), append([]string{"traceroute", "192.0.2.1"}, line...)...)
		if c.code != exitUsage || c.stdout != "" || c.stderr == "" {
			t.Errorf("%v: exit code %d, %q, %q", line, c.code, c.stdout, c.stderr)
		}
	}
}
