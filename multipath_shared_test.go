package icmplib

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// Traces of one flow and of many share ids and ports; none disturbs another.
func TestManyTracesOfSeveralFlowsAtOnce(t *testing.T) {
	for _, v := range multipathVariants {
		t.Run(v.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := simProber(t, netsim.MustParse(ways(2, "r1 flow( a1 | a2 ) t0")), v.datagram)
				defer p.Close()
				var traces sync.WaitGroup
				for i := range 12 {
					flows := []int{-1, 0, 5}[i%3]
					traces.Go(func() {
						opts := &TracerouteOptions{Flows: flows, Packet: Packet{Protocol: v.protocol}}
						checkSharedTrace(t, p, nodeAddress("t0", i%2 == 1), opts)
					})
				}
				traces.Wait()
			})
		})
	}
}

func checkSharedTrace(t *testing.T, p *Prober, target string, opts *TracerouteOptions) {
	route, err := p.Traceroute(t.Context(), target, opts)
	if err != nil || !route.Reached || len(route.Hops) != 3 {
		t.Errorf("%+v, %v", route, err)
		return
	}
	for i := range route.Hops {
		checkInvariants(t, &route.Hops[i].Stats)
		if h := &route.Hops[i]; h.PacketsReceived != h.PacketsSent || opts.Flows == 0 && len(h.Responders) != 1 {
			t.Errorf("%d flows, hop %d: %d of %d answered, by %d", opts.Flows, h.Distance, h.PacketsReceived, h.PacketsSent, len(h.Responders))
		}
	}
	if opts.Flows == 0 {
		if route.Graph != nil {
			t.Error("one flow has a graph")
		}
		return
	}
	const all = "1:r1>a1 1:r1>a2 2:a1>t0 2:a2>t0"
	for _, edge := range shape(route.Graph) {
		if !strings.Contains(all, edge) {
			t.Errorf("there is no edge %s", edge)
		}
	}
}
