package main

import (
	"context"
	"errors"
	"iter"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/icmp/internal/live"
)

// anOutcome is that of a made-up route, watched for some rounds.
func anOutcome(end icmplib.RouteEnd, hops ...*icmplib.Hop) *mtrOutcome {
	return &mtrOutcome{
		Subject: live.Subject{Name: "www.example"},
		began:   someTime,
		last:    &icmplib.Snapshot{Round: 3, Time: someTime.Add(time.Minute), Route: *aRoute(end, hops...)},
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
				"2026-01-02T03:04:05+0000 round 3: outage: the target stopped answering\n" +
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
		{"of what could not begin", &mtrOutcome{Subject: live.Subject{Name: "a"}, err: errors.New("no permission")}, ""},
		{"of what the system does not send", &mtrOutcome{Subject: live.Subject{Name: "a"}, unsent: errNoRoute}, "a: not sent: " + errNoRoute.Error() + "\n"},
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
	watch := func(ctx context.Context, _ live.Subject, opts *icmplib.MonitorOptions) iter.Seq2[*icmplib.Snapshot, error] {
		return func(yield func(*icmplib.Snapshot, error) bool) {
			first := anOutcome(icmplib.EndReached, finalHop()).last
			first.Results = []icmplib.Result{{}, reply(1, 0), reply(0, 0)}
			yield(first, nil)
			yield(anOutcome(icmplib.EndReached, finalHop()).last, nil)
			cancel()
			yield(nil, context.Cause(ctx))
		}
	}
	for _, o := range newCollection([]live.Subject{{Name: "a"}, {Name: "b"}}, &status{}).collect(ctx, watch, nil) {
		if o.err != nil || o.rounds() != 3 || !o.isAlive() || o.began != someTime || len(o.events) != 0 {
			t.Errorf("%v: %d rounds from %v on, %v", o, o.rounds(), o.began, o.err)
		}
	}
}
