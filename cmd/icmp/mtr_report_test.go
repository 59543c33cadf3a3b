package main

import (
	"context"
	"encoding/csv"
	"errors"
	"iter"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
)

// anOutcome is that of a made-up route, watched for some rounds.
func anOutcome(end icmplib.RouteEnd, hops ...*icmplib.Hop) *mtrOutcome {
	return &mtrOutcome{
		name:  "www.example",
		began: someTime,
		last:  &icmplib.Snapshot{Round: 3, Time: someTime.Add(time.Minute), Route: *aRoute(end, hops...)},
		events: []icmplib.Event{
			{Kind: icmplib.EventRouteChange, Time: someTime, Round: 2, Distance: 3, From: router4, To: balancer},
			{Kind: icmplib.EventOutage, Time: someTime, Round: 3},
			{Kind: icmplib.EventRecovery, Time: someTime, Round: 4, Duration: 1500 * time.Millisecond},
		},
	}
}

// quiet leaves the events out.
func quiet(o *mtrOutcome) *mtrOutcome {
	o.events = nil
	return o
}

func TestTheReportOfMTR(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    *mtrOutcome
		want string
	}{
		{
			"of all kinds of hops", anOutcome(icmplib.EndReached, routerHop(), silentHop(), balancedHop(), finalHop()),
			"Start: 2026-01-02T03:04:05+0000  3 rounds\n" +
				"HOST: www.example (192.0.2.7)     Loss%   Snt   Last   Avg  Best  Wrst StDev\n" +
				"  1.|-- 198.51.100.1               0.0%     3   0.98  1.22  0.98  1.45  0.24\n" +
				"  2.|-- ???                        100%     3      -     -     -     -     -\n" +
				"  3.|-- 198.51.100.1              33.3%     3   12.5  12.4  12.3  12.5  0.14\n" +
				"    |   +-- [MPLS: Lbl 16001 TC 5 S 0 TTL 1]\n" +
				"    |   +-- [MPLS: Lbl 24 TC 0 S 1 TTL 2]\n" +
				"    |  `|-- 198.51.100.2\n" +
				"  4.|-- 192.0.2.7                  0.0%     2   22.0  21.0  20.0  22.0  1.41\n" +
				"2026-01-02T03:04:05+0000 round 2: hop 3: 198.51.100.1 -> 198.51.100.2\n" +
				"2026-01-02T03:04:05+0000 round 3: outage: the target does not answer any more\n" +
				"2026-01-02T03:04:05+0000 round 4: recovery: the target answers again, after 1.5s\n",
		},
		{
			"of a router that refuses", quiet(anOutcome(icmplib.EndUnreachable, refusedHop())),
			"Start: 2026-01-02T03:04:05+0000  3 rounds\n" +
				"HOST: www.example (192.0.2.7)     Loss%   Snt   Last   Avg  Best  Wrst StDev\n" +
				"  2.|-- 198.51.100.1 !X            0.0%     1   5.00  5.00  5.00  5.00  0.00\n",
		},
		{
			"of a hop of which nothing is known yet", quiet(anOutcome(icmplib.EndMaxHops, &icmplib.Hop{Distance: 1})),
			"Start: 2026-01-02T03:04:05+0000  3 rounds\n" +
				"HOST: www.example (192.0.2.7)     Loss%   Snt   Last   Avg  Best  Wrst StDev\n" +
				"  1.|-- ???                           -     0      -     -     -     -     -\n",
		},
		{"of what could not begin", &mtrOutcome{name: "a", err: errors.New("no permission")}, ""},
		{"of what the system does not send", &mtrOutcome{name: "a", unsent: errNoRoute}, "a: not sent: " + errNoRoute.Error() + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			(&textMTR{out: &out}).outcomes([]*mtrOutcome{tt.o})
			if out.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", &out, tt.want)
			}
		})
	}
}

func TestTheJSONOfMTR(t *testing.T) {
	hop := `{"distance":4,"addresses":["192.0.2.7"],"rtts_ms":[20,22],"packets_sent":2,"packets_received":2,"packet_loss":0,"send_errors":0,"suspect":0,` +
		`"min_rtt_ms":20,"avg_rtt_ms":21,"max_rtt_ms":22,"jitter_ms":2,"mpls":[],"status":"reply",` +
		`"mtu":null,"rewritten":[],"return_distance":null,` +
		`"silent":0,"late":0,"duplicates":0,"last_rtt_ms":22,"median_rtt_ms":20,"p95_rtt_ms":22,` +
		`"stddev_rtt_ms":1.414214,"interarrival_jitter_ms":0.125,` +
		`"responders":[{"address":"192.0.2.7","status":"reply","answers":2,"mpls":[]}]}`
	silent := `{"distance":2,"addresses":[],"rtts_ms":[],"packets_sent":3,"packets_received":0,"packet_loss":1,"send_errors":0,"suspect":0,` +
		`"min_rtt_ms":null,"avg_rtt_ms":null,"max_rtt_ms":null,"jitter_ms":null,"mpls":[],"status":"no-reply",` +
		`"mtu":null,"rewritten":[],"return_distance":null,` +
		`"silent":3,"late":0,"duplicates":0,"last_rtt_ms":null,"median_rtt_ms":null,"p95_rtt_ms":null,` +
		`"stddev_rtt_ms":null,"interarrival_jitter_ms":null,"responders":[]}`
	events := `{"kind":"route-change","time":"2026-01-02T03:04:05Z","round":2,"distance":3,"from":"198.51.100.1","to":"198.51.100.2","duration_ms":null},` +
		`{"kind":"outage","time":"2026-01-02T03:04:05Z","round":3,"distance":null,"from":null,"to":null,"duration_ms":null},` +
		`{"kind":"recovery","time":"2026-01-02T03:04:05Z","round":4,"distance":null,"from":null,"to":null,"duration_ms":1500}`
	for _, tt := range []struct {
		name string
		o    *mtrOutcome
		want string
	}{
		{
			"of a route", anOutcome(icmplib.EndReached, silentHop(), finalHop()),
			`{"target":"192.0.2.7","name":"www.example","reached":true,"end":"reached","rounds":3,` +
				`"hops":[` + silent + `,` + hop + `],"events":[` + events + `],"error":null}`,
		},
		{
			"of what could not begin", &mtrOutcome{name: "a", err: errors.New("no permission")},
			`{"target":"","name":"a","reached":false,"end":"unknown","rounds":0,"hops":[],"events":[],"error":"no permission"}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			jsonMTR{&jsonReporter{out: &out}}.outcomes([]*mtrOutcome{tt.o})
			if out.String() != tt.want+"\n" {
				t.Errorf("got  %s\nwant %s", &out, tt.want)
			}
		})
	}
}

func TestTheCSVOfMTR(t *testing.T) {
	var out strings.Builder
	newCSVMTR(&out).outcomes([]*mtrOutcome{anOutcome(icmplib.EndReached, silentHop(), balancedHop(), finalHop()), {name: "failed"}})
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		strings.Join(csvMTRHeader, ","),
		"192.0.2.7,www.example,3,2,,no-reply,,,0,3,0,1,3,0,0,0,0,,,,,,,,,,,",
		"192.0.2.7,www.example,3,3,198.51.100.1,ttl-expired,11,0,1,3,2,0.3333333333333333,1,0,0,0,0,12.5,12.3,12.4,12.5,12.3,12.5,0.141421,0.2," +
			"L=16001,E=5,S=0,T=1 L=24,E=0,S=1,T=2,,source traffic-class",
		"192.0.2.7,www.example,3,3,198.51.100.2,ttl-expired,11,0,1,3,2,0.3333333333333333,1,0,0,0,0,12.5,12.3,12.4,12.5,12.3,12.5,0.141421,0.2,,,source traffic-class",
		"192.0.2.7,www.example,3,4,192.0.2.7,reply,0,0,2,2,2,0,0,0,0,0,0,22,20,21,22,20,22,1.414214,2,,,",
	}
	var got []string
	for _, row := range rows {
		got = append(got, strings.Join(row, ","))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheVerdictOfMTR(t *testing.T) {
	alive := anOutcome(icmplib.EndReached, finalHop())
	dead := anOutcome(icmplib.EndMaxHops, routerHop())
	for _, tt := range []struct {
		name     string
		outcomes []*mtrOutcome
		code     int
	}{
		{"all answered", []*mtrOutcome{alive, alive}, exitAlive},
		{"one did not", []*mtrOutcome{alive, dead}, exitDead},
		{"one answered, and has ceased to", []*mtrOutcome{anOutcome(icmplib.EndUnreachable, finalHop(), refusedHop())}, exitAlive},
		{"one has no name", []*mtrOutcome{dead, {err: icmplib.ErrNameLookup}}, exitNoName},
		{"one lacks the permission", []*mtrOutcome{{err: icmplib.ErrNameLookup}, {err: os.ErrPermission}}, exitFailure},
		{"one has no route", []*mtrOutcome{{unsent: errNoRoute}}, exitDead},
		{"one is forbidden", []*mtrOutcome{{unsent: os.NewSyscallError("sendmsg", syscall.EPERM)}}, exitFailure},
		{"nothing is known", []*mtrOutcome{{}}, exitDead},
	} {
		if got := exitCode(mtrVerdict(tt.outcomes)); got != tt.code {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.code)
		}
	}
}

func TestCollectingKeepsWhatThereIsWhenItIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	watch := func(ctx context.Context, target string, opts *icmplib.MonitorOptions) iter.Seq2[*icmplib.Snapshot, error] {
		return func(yield func(*icmplib.Snapshot, error) bool) {
			first := anOutcome(icmplib.EndReached, finalHop()).last
			first.Results = []icmplib.Result{{}, reply(1, 0), reply(0, 0)}
			yield(first, nil)
			yield(anOutcome(icmplib.EndReached, finalHop()).last, nil)
			cancel()
			yield(nil, context.Cause(ctx))
		}
	}
	for _, o := range collect(ctx, watch, []string{"a", "b"}, nil) {
		if o.err != nil || o.rounds() != 3 || !o.isAlive() || o.began != someTime || len(o.events) != 0 {
			t.Errorf("%s: %d rounds from %v on, %v", o.name, o.rounds(), o.began, o.err)
		}
	}
}
