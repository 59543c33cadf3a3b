package icmplib

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// What is an event, and what is none: networks, and what a Monitor of 10.0.9.9
// tells of each.
var eventCases = []struct {
	name    string
	network string // nodes besides a, b, c, d, hole and t, and the path
	opts    MonitorOptions
	rounds  int
	want    string
}{
	{"nothing happens", "path 10.0.9.0/24 a b t", MonitorOptions{}, 200, ""},
	{"another router", "path 10.0.9.0/24 a time:1m( b | c ) t", MonitorOptions{}, 200, "2:b>c@1m"},
	{"early", "path 10.0.9.0/24 a time:6s( b | c ) t", MonitorOptions{}, 12, "2:b>c@6s"},
	{"too early", "path 10.0.9.0/24 a time:5s( b | c ) t", MonitorOptions{}, 11, ""},
	{"again and again", "path 10.0.9.0/24 a time:6s,12s,18s( b | c | d | b ) t", MonitorOptions{}, 24, "2:b>c@6s 2:c>d@12s 2:d>b@18s"},
	{"the target moves early", "path 10.0.9.0/24 a time:6s( b | ) t", MonitorOptions{}, 12, "2:b>t@6s 3:t>-@6s"},
	{"and back", "path 10.0.9.0/24 a time:1m,3m( b | c | b ) t", MonitorOptions{}, 400, "2:b>c@1m 2:c>b@3m"},
	{"a change that no probe outlasts is not told", "path 10.0.9.0/24 a time:5m,302s( b | c | b ) t", MonitorOptions{}, 400, ""},
	{"two hops change", "path 10.0.9.0/24 a time:1m( b c | c d ) t", MonitorOptions{}, 200, "2:b>c@1m 3:c>d@1m"},
	{"the way becomes longer", "path 10.0.9.0/24 a time:1m( b | b c ) t", MonitorOptions{}, 200, "3:t>c@1m 4:->t@1m"},
	{"much longer", "path 10.0.9.0/24 time:1m( a | a b c d ) t", MonitorOptions{}, 200, "2:t>b@1m 3:->c@1m 4:->d@1m 5:->t@1m"},
	{"the way becomes shorter", "path 10.0.9.0/24 a time:1m( b c | b ) t", MonitorOptions{}, 200, "3:c>t@1m 4:t>-@1m"},
	{"much shorter", "path 10.0.9.0/24 time:1m( a b c d | a ) t", MonitorOptions{}, 200, "2:b>t@1m 3:c>-@1m 4:d>-@1m 5:t>-@1m"},
	{"longer by a silent router", "path 10.0.9.0/24 a time:1m( b | b mute ) t", MonitorOptions{}, 200, "4:->t@1m"},
	{"a silent router makes place", "path 10.0.9.0/24 a time:1m( mute | b ) t", MonitorOptions{}, 200, ""},
	{"an outage", "path 10.0.9.0/24 a b time:1m,2m( | hole | ) t", MonitorOptions{}, 200, "outage@1m recovery@2m"},
	{"an outage without an end", "path 10.0.9.0/24 a b time:1m( | hole ) t", MonitorOptions{}, 200, "outage@1m"},
	{"a shorter silence is none", "path 10.0.9.0/24 a b time:1m,62s( | hole | ) t", MonitorOptions{}, 200, ""},
	{"unless it is meant to be one", "path 10.0.9.0/24 a b time:1m,62s( | hole | ) t", MonitorOptions{Outage: 2}, 200, "outage@1m recovery@1m2s"},
	{"outages are not wanted", "path 10.0.9.0/24 a b time:1m,2m( | hole | ) t", MonitorOptions{Outage: -1}, 200, ""},
	{"a router refuses to forward", "path 10.0.9.0/24 a time:1m,2m( b | wall | b ) t", MonitorOptions{}, 300, "outage@1m 2:b>w@1m recovery@2m 2:w>b@2m"},
	{"a circle of routers", "path 10.0.9.0/24 a b time:1m( t | loop( c d ) )", MonitorOptions{}, 100, "outage@1m 3:t>c@1m"},
	{"a target that never answered", "path 10.0.9.0/24 a b hole t", MonitorOptions{}, 50, ""},
	{"a new way in an outage", "path 10.0.9.0/24 a time:1m,2m( b | b hole | c ) t", MonitorOptions{}, 300, "outage@1m recovery@2m 2:b>c@2m"},
	{"packets go at random", "path 10.0.9.0/24 a random( b | c ) t", MonitorOptions{}, 1500, ""},
	{"packets go in turn", "path 10.0.9.0/24 turn( a | b | c ) d t", MonitorOptions{}, 800, ""},
	{"ways of different lengths", "path 10.0.9.0/24 a random( b | c d ) t", MonitorOptions{}, 1000, ""},
	{"another set of routers", "path 10.0.9.0/24 a time:10m( random( b | c ) | random( d | e ) ) t", MonitorOptions{}, 1500, "2:*"},
	{"a router with two addresses", "path 10.0.9.0/24 a two t", MonitorOptions{}, 1000, ""},
	{"a router that is lossy", "path 10.0.9.0/24 a lossy b t", MonitorOptions{Outage: 20}, 1000, ""},
	{"a router that limits its answers", "path 10.0.9.0/24 a limited t", MonitorOptions{}, 1000, ""},
	{"a limited one among several", "path 10.0.9.0/24 a random( limited | b ) t", MonitorOptions{}, 1000, ""},
	{"a target that limits its answers", "path 10.0.9.0/24 a b time:500s,1000s,1500s( third | half | nine | one )", MonitorOptions{Outage: -1, Packet: Packet{Protocol: UDP}}, 2000, ""},
	{"late answers", "path 10.0.9.0/24 a slow t", MonitorOptions{}, 500, ""},
	{"copies", "path 10.0.9.0/24 a twin t", MonitorOptions{}, 500, ""},
	{"a lossy way changes", "path 10.0.9.0/24 a lossy time:10m( b | c ) t", MonitorOptions{Outage: 20}, 1000, "3:b>c@10m"},
}

const eventNodes = `
client 192.0.2.1
node a 10.0.1.1 delay=5ms
node b 10.0.2.1 delay=5ms jitter=2ms
node c 10.0.3.1 delay=5ms
node d 10.0.4.1 delay=5ms
node e 10.0.5.1 delay=5ms
node t 10.0.9.9 delay=5ms
node third 10.0.9.9 rate=0.3 burst=2
node half  10.0.9.9 rate=0.5
node nine  10.0.9.9 rate=0.9
node one   10.0.9.9 rate=1
node hole 10.0.6.1 lose
node mute 10.0.6.2 silent
node wall 10.0.6.3 refuse=host
node two 10.0.6.4 from=10.0.6.5@30%
node lossy 10.0.6.6 lose@20%
node limited 10.0.6.7 rate=0.2 burst=3
node slow 10.0.6.8 answer-late=2500ms@20%
node twin 10.0.6.9 answer-duplicate=1@30% duplicate=1@5%
`

func TestMonitorEvents(t *testing.T) {
	t.Parallel()
	for _, tc := range eventCases {
		t.Run(strings.ReplaceAll(tc.name, " ", "-"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := netsim.MustParse(eventNodes + tc.network)
				n.Quiet(true)
				p := simProber(t, n, true)
				defer p.Close()
				tc.opts.Rounds = tc.rounds
				start := time.Now()
				var events []Event
				for s, err := range p.Monitor(t.Context(), "10.0.9.9", &tc.opts) {
					if err != nil {
						t.Fatal(err)
					}
					checkSnapshot(t, s)
					events = append(events, s.Events...)
				}
				checkEvents(t, events, start, tc.want)
			})
		})
	}
}

var eventNames = map[string]string{
	"10.0.1.1": "a", "10.0.2.1": "b", "10.0.3.1": "c", "10.0.4.1": "d", "10.0.5.1": "e", "10.0.9.9": "t",
	"10.0.6.3":   "w",
	"invalid IP": "-",
}

// checkEvents compares events with a line of words, in any order.
func checkEvents(t *testing.T, events []Event, start time.Time, want string) {
	t.Helper()
	left := strings.Fields(want)
	for _, e := range events {
		what := e.Kind.String()
		if e.Kind == EventRouteChange {
			what = fmt.Sprintf("%d:%s>%s", e.Distance, eventNames[e.From.String()], eventNames[e.To.String()])
		}
		found := false
		for i, word := range left {
			kind, at, _ := strings.Cut(word, "@")
			after, _ := time.ParseDuration(at)
			since := e.Time.Sub(start)
			if kind == what && since >= after && since < after+2200*time.Millisecond || word == "2:*" && e.Distance == 2 {
				left, found = append(left[:i:i], left[i+1:]...), true
				break
			}
		}
		if !found {
			t.Errorf("%s after %v (round %d) is not an event", what, e.Time.Sub(start), e.Round)
		}
	}
	if len(left) > 0 {
		t.Errorf("not told: %v", left)
	}
}
