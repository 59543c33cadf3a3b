package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// numbered is a cache that knows the numbers of two routers.
func numbered() *nameCache {
	c := newNameCache()
	c.lookup = func(_ context.Context, addr string) ([]string, error) {
		switch addr {
		case router4.String():
			return []string{"64500"}, nil
		case target4.String():
			return []string{"64501"}, nil
		}
		return nil, errors.New("unknown")
	}
	return c
}

func TestAutonomousSystemsAreShown(t *testing.T) {
	route := aRoute(icmplib.EndReached, routerHop(), silentHop(), finalHop())
	t.Run("in text", func(t *testing.T) {
		var out strings.Builder
		text := &textRoute{out: &out, opts: &icmplib.TracerouteOptions{MaxHops: 30}, numbers: numbered()}
		text.start(route)
		for i := range route.Hops {
			text.hop(route, &route.Hops[i])
		}
		text.end(route, nil)
		for _, want := range []string{"  1 198.51.100.1 [AS64500]  1.23 ms", "192.0.2.7 [AS64501]  20.0 ms"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in\n%s", want, &out)
			}
		}
	})
	t.Run("in the graph of flows", func(t *testing.T) {
		flows := *route
		flows.Graph = &icmplib.Graph{Flows: 2, Hops: []icmplib.GraphHop{
			{Distance: 1, Nodes: []icmplib.GraphNode{{ID: 0, Distance: 1, Address: router4, Flows: []int{0, 1}}}},
			{Distance: 2, Nodes: []icmplib.GraphNode{{ID: 1, Distance: 2, Address: target4, Flows: []int{0, 1}}}},
		}, Edges: []icmplib.GraphEdge{{From: 0, To: 1, Flows: []int{0, 1}}}}
		var text, dot, svg strings.Builder
		(&textRoute{out: &text, numbers: numbered()}).writeGraph(&flows)
		dotRoute{&dot, numbered()}.end(&flows, nil)
		svgRoute{routeReporter: silentRoute{}, to: &pictureFile{out: &svg}, numbers: numbered()}.end(&flows, nil)
		for got, want := range map[*strings.Builder]string{
			&text: "       > 192.0.2.7 [AS64501]  2 of 2 flows\n", &dot: `n0 [label="198.51.100.1 [AS64500]\n1"];`, &svg: ">AS64500<",
		} {
			if !strings.Contains(got.String(), want) {
				t.Errorf("no %q in\n%s", want, got)
			}
		}
	})
	t.Run("in JSON", func(t *testing.T) {
		var out strings.Builder
		jsonRoute{&jsonWriter{out: &out}, numbered()}.end(route, nil)
		checkObjects(t, "Route", out.String())
		if want := `"as_numbers":[{"address":"198.51.100.1","asn":"64500"},{"address":"192.0.2.7","asn":"64501"}]`; !strings.Contains(out.String(), want) {
			t.Errorf("got %s", &out)
		}
	})
	t.Run("in CSV", func(t *testing.T) {
		var out strings.Builder
		newCSVHops(&out, numbered()).route(route, 0, nil)
		lines := csvColumns(t, out.String())
		if lines[0]["asn"] != "64500" || lines[1]["asn"] != "" || lines[2]["asn"] != "64501" {
			t.Errorf("got\n%s", &out)
		}
	})
	t.Run("in the report of mtr", func(t *testing.T) {
		var out strings.Builder
		(&textMTR{out: &out, numbers: numbered()}).outcomes([]*mtrOutcome{anOutcome(icmplib.EndReached, routerHop(), finalHop())})
		if !strings.Contains(out.String(), "  1.|-- 198.51.100.1 [AS64500] ") {
			t.Errorf("got\n%s", &out)
		}
	})
}

func TestNumbersThatCannotBeHadAreRefused(t *testing.T) {
	// A file that is no database. It is none of the test's own, for Windows does not
	// remove a file that is mapped.
	const file = "asn_test.go"
	for line, want := range map[string]string{
		"--asn whois": "none or dns", "--asn dns --asn-db " + file: "exclude each other", "--asn-db " + file: "MaxMind",
		"--asn-db /none": "MaxMind",
	} {
		for _, command := range []string{"traceroute", "mtr -r"} {
			runLine(t.Context(), append(strings.Fields(command), strings.Fields(line+" 127.0.0.1")...)...).checkRefusal(t, []string{want})
		}
	}
}

func TestAnswersFromAnotherDistanceAreMarked(t *testing.T) {
	far := routerHop()
	for back, want := range map[int]string{0: "", 1: "", 9: "  [back 9]"} {
		far.ReturnDistance = back
		if got := returnMark(far); got != want {
			t.Errorf("%d: %q, want %q", back, got, want)
		}
	}
}

// A router that limits its answers loses nothing.
func TestALimitIsToldFromLoss(t *testing.T) {
	sent := func(distance, answered int) *icmplib.Hop {
		rtts := make([]int, 20)
		for i := range rtts {
			if rtts[i] = -1; i < answered {
				rtts[i] = 1000
			}
		}
		return aHop(distance, icmplib.StatusTTLExpired, inMicroseconds(rtts...), router(router4, answered))
	}
	for _, tt := range []struct {
		name string
		hops []*icmplib.Hop
		want string
	}{
		{"behind which all arrives", []*icmplib.Hop{sent(1, 12), sent(2, 20)}, "hop 1 answered only 12 of 20 probes"},
		{"behind which it goes on", []*icmplib.Hop{sent(1, 12), sent(2, 15)}, ""},
		{"behind which too little is known", []*icmplib.Hop{sent(1, 12), routerHop()}, ""},
		{"that is the last", []*icmplib.Hop{sent(1, 12)}, ""},
		{"that answers all", []*icmplib.Hop{sent(1, 20), sent(2, 20)}, ""},
	} {
		if got := mtrLimits(aRoute(icmplib.EndReached, tt.hops...)); !strings.HasPrefix(got, tt.want) || (tt.want == "") != (got == "") {
			t.Errorf("a hop %s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestMTRTakesAList(t *testing.T) {
	carry := func(t *testing.T) { netlab.Carry(t, netsim.MustParse(paths), netlab.Device{}) }
	netlab.Test(t, netlab.Config{Setup: carry}, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got := runLineWith(ctx, "10.0.9.9\n# another\n10.0.15.1\n", "mtr", "-rwzbc", "2", "-i", "20ms", "--asn-db=", "-F", "-", "-m", "5")
		got.check(t, exitAlive)
		if strings.Count(got.stdout, "HOST: ") != 2 {
			t.Errorf("got\n%s", got.stdout)
		}
	})
	runLineWith(t.Context(), "# none\n", "mtr", "-r", "-F", "-").checkRefusal(t, []string{"it has no target"})
	runLine(t.Context(), "mtr", "-r", "-F", "/none").checkRefusal(t, []string{"a file of targets"})
}
