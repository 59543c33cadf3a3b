package icmplib

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// repeating is a path whose answers do not say which probe they are to, and come
// twice.
const repeating = `
	seed %d
	client 192.0.2.1
	node r1 10.0.1.1 delay=2ms jitter=3ms quote=8 answer-duplicate@all
	node r2 10.0.2.1 delay=2ms jitter=3ms quote=8 duplicate@20%%
	node r3 10.0.3.1 delay=2ms jitter=3ms quote=8 answer-duplicate@50%%
	node t  10.0.9.9 delay=2ms jitter=3ms
	path 10.0.9.0/24 r1 r2 r3 t`

// A second answer is nobody's: not that of the probe that has left meanwhile.
func TestRepeatedAnswersWithShortQuotes(t *testing.T) {
	for _, v := range []variant{{UDP, true}, {SCTP, false}} {
		for seed := range 12 {
			t.Run(fmt.Sprintf("%v/%d", v, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := simProber(t, netsim.MustParse(fmt.Sprintf(repeating, seed)), v.datagram)
					defer p.Close()
					for _, route := range traceInEveryWay(t, p, "10.0.9.9", Packet{Protocol: v.protocol}) {
						if got := routeFigure(route, "hops"); got != "10.0.1.1,10.0.2.1,10.0.3.1,10.0.9.9" {
							t.Errorf("hops %s", got)
						}
						for i := range route.Hops {
							h := &route.Hops[i]
							checkInvariants(t, &h.Stats)
							if least := time.Duration(4*h.Distance) * time.Millisecond; h.MinRTT() < least {
								t.Errorf("hop %d answers in %v, which takes %v", h.Distance, h.MinRTT(), least)
							}
						}
					}
				})
			})
		}
	}
}

// traceInEveryWay traces one route after the other.
func traceInEveryWay(t *testing.T, p *Prober, target string, packet Packet) (routes []*Route) {
	t.Helper()
	for _, flows := range []int{1, 2} {
		route, err := p.Traceroute(t.Context(), target, &TracerouteOptions{Flows: flows, Packet: packet})
		if err != nil {
			t.Fatal(err)
		}
		routes = append(routes, route)
	}
	many, err := p.MultiTraceroute(t.Context(), []string{target}, &MultiTracerouteOptions{Packet: packet})
	if err != nil {
		t.Fatal(err)
	}
	watched := &Route{}
	for s, err := range p.Monitor(t.Context(), target, &MonitorOptions{Rounds: 5, Packet: packet}) {
		if err != nil {
			t.Fatal(err)
		}
		watched = &s.Route
	}
	return append(routes, many[0], watched)
}
