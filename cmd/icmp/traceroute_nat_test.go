package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// translated is a network behind an address translator.
const translated = `
	client 192.0.2.1
	node r1 10.0.1.1
	node n 192.0.2.254 nat-source=198.51.100.1
	node r3 10.0.3.1
	node r4 10.0.4.1
	node t 10.0.9.9
	node u 10.0.9.8
	path 10.0.9.8/32 r1 n r3 r4 u
	path 10.0.9.0/24 r1 n r3 r4 t
`

func TestTracerouteNAT(t *testing.T) {
	setup := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(translated), netlab.Device{}) }
	netlab.Test(t, netlab.Config{PingGroups: true, Setup: setup, Tries: 3}, func(t *testing.T) {
		got := runLine(t.Context(), "traceroute", "-n", "--nat", "--mode", "raw", "10.0.9.9")
		got.check(t, exitAlive)
		for _, want := range []string{
			"  [rewritten: source]\n  4 ",
			"\nrewritten: between distance 2 and 3: source, as a NAT does\n",
		} {
			if strings.Count(got.stdout, want) != 1 {
				t.Errorf("%q is not in\n%s", want, got.stdout)
			}
		}
		got = runLine(t.Context(), "traceroute", "--json", "--mode", "raw", "10.0.9.9")
		got.check(t, exitAlive)
		if !strings.Contains(got.stdout, `"rewrites":[{"fields":["source"],"after":2,"before":3,"nat":true,"sure":true}]`) {
			t.Errorf("got %s", got.stdout)
		}
		got = runLine(t.Context(), "traceroute", "-n", "--nat", "--mode", "datagram", "10.0.9.9")
		got.check(t, exitFailure)
		if !strings.HasSuffix(got.stdout, describeRewrites(&icmplib.Route{})) || !strings.Contains(got.stderr, "--nat could not look") {
			t.Errorf("without a header nothing is known:\n%s%s", got.stdout, got.stderr)
		}
	})
}

// --nat takes raw sockets where it can have them, and else says that it could not
// look.
func TestNATLooksOrSaysThatItCannot(t *testing.T) {
	setup := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(translated), netlab.Device{}) }
	for _, unprivileged := range []bool{false, true} {
		netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: unprivileged, Setup: setup, Tries: 3}, func(t *testing.T) {
			code, rewrites := exitAlive, 1
			if unprivileged {
				code, rewrites = exitFailure, 0
			}
			for _, words := range [][]string{{"traceroute", "-n", "--nat"}, {"traceroute", "-n", "--nat", "-U"}} {
				got := runLine(t.Context(), append(words, "10.0.9.9")...)
				got.check(t, code)
				if known := strings.Contains(got.stdout, "between distance 2 and 3: source"); known == unprivileged {
					t.Errorf("%s", got.stdout)
				}
				got = runLine(t.Context(), append(words, "--json", "10.0.9.9")...)
				got.check(t, code)
				var r struct {
					Rewrites []any
					Error    *string
				}
				if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
					t.Fatal(err)
				}
				if len(r.Rewrites) != rewrites || (r.Rewrites == nil) != unprivileged || (r.Error != nil) != unprivileged {
					t.Errorf("unprivileged %v: %s", unprivileged, got.stdout)
				}
			}
		})
	}
}

// Of a list of targets each is looked at, and where that cannot be, each says so.
func TestNATOfAList(t *testing.T) {
	setup := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(translated), netlab.Device{}) }
	for _, unprivileged := range []bool{false, true} {
		netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: unprivileged, Setup: setup, Tries: 3}, func(t *testing.T) {
			code, found := exitAlive, 2
			if unprivileged {
				code, found = exitFailure, 0
			}
			const list = "10.0.9.9\n10.0.9.8\n"
			got := runLineWith(t.Context(), list, "traceroute", "-n", "--nat", "--file", "-")
			got.check(t, code)
			if n := strings.Count(got.stdout, "between distance 2 and 3: source"); n != found {
				t.Errorf("it was found %d times, want %d\n%s", n, found, got.stdout)
			}
			if said := strings.Contains(got.stderr, "--nat could not look"); said != unprivileged {
				t.Errorf("unprivileged %v: %s", unprivileged, got.stderr)
			}
			got = runLineWith(t.Context(), list, "traceroute", "--json", "--nat", "--file", "-")
			got.check(t, code)
			for line := range strings.Lines(got.stdout) {
				var r struct{ Rewrites []any }
				if err := json.Unmarshal([]byte(line), &r); err != nil {
					t.Fatal(err)
				}
				if (r.Rewrites == nil) != unprivileged || len(r.Rewrites) != found/2 {
					t.Errorf("unprivileged %v: %s", unprivileged, line)
				}
			}
			if n := strings.Count(got.stdout, "\n"); n != 2 {
				t.Errorf("%d lines", n)
			}
		})
	}
}
