package icmplib

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

const answersFromElsewhere = `
client 192.0.2.1 2001:db8::1
node r1 10.0.1.1 2001:db8:1::1 delay=5ms
node t 10.0.9.9 2001:db8:9::9 delay=10ms from=10.0.9.1,2001:db8:9::1
path 10.0.9.0/24 2001:db8:9::/64 r1 t
`

// The end of a UDP trace, one of a list, one of several flows and a Monitor's.
func udpEnds(t *testing.T, p *Prober, target string) map[string]RouteEnd {
	t.Helper()
	ends := map[string]RouteEnd{}
	udp := Packet{Protocol: UDP}
	note := func(name string, r *Route, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if ends[name] = r.End; r.Reached != (r.End == EndReached) || r.Hops[len(r.Hops)-1].End != r.End {
			t.Errorf("%s: reached %t, the end %v, that of the last hop %v", name, r.Reached, r.End, r.Hops[len(r.Hops)-1].End)
		}
	}
	r, err := p.Traceroute(t.Context(), target, &TracerouteOptions{MaxHops: 5, Packet: udp})
	note("one", r, err)
	all, err := p.MultiTraceroute(t.Context(), []string{target}, &MultiTracerouteOptions{MaxHops: 5, Packet: udp})
	note("many", all[0], err)
	r, err = p.Traceroute(t.Context(), target, &TracerouteOptions{MaxHops: 5, Flows: 4, Packet: udp})
	note("flows", r, err)
	for s, err := range p.Monitor(t.Context(), target, &MonitorOptions{MaxHops: 5, Rounds: 3, Interval: time.Second, Packet: udp}) {
		note("monitor", &s.Route, err)
	}
	return ends
}

// A closed port that is told of by another address may be a firewall's doing, until an
// echo reply came from that address for the target.
func TestWhoHasEchoRepliedForTheTargetIsTheTarget(t *testing.T) {
	for _, datagram := range []bool{false, true} {
		for _, target := range []string{"10.0.9.9", "2001:db8:9::9"} {
			synctest.Test(t, func(t *testing.T) {
				p := simProber(t, netsim.MustParse(answersFromElsewhere), datagram)
				defer p.Close()
				for name, end := range udpEnds(t, p, target) {
					if end != EndRefused {
						t.Errorf("%s, %s: %v", target, name, end)
					}
				}
				if _, err := p.Ping(t.Context(), target, &PingOptions{Count: 1}); err != nil {
					t.Fatal(err)
				}
				for name, end := range udpEnds(t, p, target) {
					if end != EndReached {
						t.Errorf("%s, %s, after a ping: %v", target, name, end)
					}
				}
			})
		}
	}
}

// A firewall begins to say that the target's port is closed, and ceases to: that is an
// outage and its end.
func TestAMonitorTakesARefusalByAnotherAddressForAnOutage(t *testing.T) {
	for _, target := range []string{"10.0.9.9", "2001:db8:9::9"} {
		synctest.Test(t, func(t *testing.T) {
			p := simProber(t, netsim.MustParse(`
client 192.0.2.1 2001:db8::1
node r1 10.0.1.1 2001:db8:1::1 delay=5ms
node r2 10.0.2.1 2001:db8:2::1 delay=5ms refuse=port@20-60
node t 10.0.9.9 2001:db8:9::9 delay=10ms
path 10.0.9.0/24 2001:db8:9::/64 r1 r2 t
`), false)
			defer p.Close()
			var events []EventKind
			end := EndUnknown
			for s, err := range p.Monitor(t.Context(), target, &MonitorOptions{MaxHops: 5, Rounds: 30, Interval: time.Second, Packet: Packet{Protocol: UDP}}) {
				if err != nil {
					t.Fatal(err)
				}
				if s.Round == 15 {
					end = s.End
				}
				for _, e := range s.Events {
					events = append(events, e.Kind)
				}
			}
			if len(events) != 2 || events[0] != EventOutage || events[1] != EventRecovery || end != EndRefused {
				t.Errorf("%s: events %v; the end meanwhile was %v", target, events, end)
			}
		})
	}
}
