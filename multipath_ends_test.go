package icmplib

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

func TestEndsOfTracesOfSeveralFlows(t *testing.T) {
	cases := []struct {
		name, elements string
		words          []string
		opts           TracerouteOptions
		end            RouteEnd
		hops           int
	}{
		{"a wall", "r1 flow( a1 | a2 ) b1 t0", []string{"b:refuse=prohibited"}, TracerouteOptions{}, EndUnreachable, 4},
		{"a circle", "r1 loop( a1 b1 )", nil, TracerouteOptions{}, EndLoop, 5},
		{"a gap", "r1 s1 s2 s3 s4 t0", []string{"s:silent"}, TracerouteOptions{GapLimit: 3}, EndGap, 4},
		{"a silent target", "r1 flow( a1 | a2 ) t0", []string{"t:deaf"}, TracerouteOptions{MaxHops: 12}, EndMaxHops, 12},
		{"not far enough", "r1 flow( a1 | a2 ) t0", nil, TracerouteOptions{MaxHops: 2}, EndMaxHops, 2},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			tc.opts.Flows = -1
			route, log := traceWays(t, ways(2, tc.elements, tc.words...), variant{ICMP, false}, false, tc.opts)
			if route.End != tc.end || len(route.Hops) != tc.hops {
				t.Errorf("%v after %d hops, want %v after %d", route.End, len(route.Hops), tc.end, tc.hops)
			}
			if len(log) > 250 {
				t.Errorf("%d packets", len(log))
			}
		})
	}
}

// More ways than there can be flows for: the graph says that it is not complete.
func TestTooManyWaysAreNotComplete(t *testing.T) {
	t.Parallel()
	route, log := traceWays(t, ways(1, "r1 "+fan("flow", 'a', 100)+" t0"), variant{ICMP, false}, false, TracerouteOptions{Flows: -1})
	if g := route.Graph; g.Complete || g.Flows != MaxFlows || len(g.Hops[1].Nodes) < 90 {
		t.Errorf("complete %v, %d flows, %d nodes", g.Complete, g.Flows, len(g.Hops[1].Nodes))
	}
	if most := 3 * MaxFlows * 2; len(log) > most {
		t.Errorf("%d packets, want at most %d", len(log), most)
	}
}

func TestATraceOfSeveralFlowsThatIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := simProber(t, netsim.MustParse(ways(2, "r1 flow( a1 | a2 ) s1 s2 t0", "s:silent", "t:deaf")), false)
		defer p.Close()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("enough"))
		defer cancel()
		route, err := p.Traceroute(ctx, "10.9.9.9", &TracerouteOptions{Flows: -1})
		if err == nil || err.Error() != "enough" || route.End != EndUnknown || len(route.Hops) != 2 || route.Graph.Complete {
			t.Errorf("%+v, %v", route, err)
		}
	})
}

func TestFlowsThatAreRefused(t *testing.T) {
	cases := []struct {
		field string
		opts  TracerouteOptions
	}{
		{"Flows", TracerouteOptions{Flows: MaxFlows + 1}},
		{"Fast", TracerouteOptions{Flows: 2, Fast: true}},
		{"Payload", TracerouteOptions{Flows: 2, Packet: Packet{Payload: []byte("hello, world")}}},
		{"Size", TracerouteOptions{Flows: -1, Packet: Packet{Size: 9}}},
		{"SourcePort", TracerouteOptions{Flows: 10, Packet: Packet{Protocol: UDP, SourcePort: 65530}}},
		{"Flows", TracerouteOptions{Flows: 2, Packet: Packet{Protocol: TCP}}},
		{"FlowLabel", TracerouteOptions{Flows: 2, Packet: Packet{Protocol: UDP, FlowLabel: 1}}},
	}
	for _, tc := range cases {
		synctest.Test(t, func(t *testing.T) {
			n := netsim.MustParse(ways(1, "r1 t0"))
			p := simProber(t, n, true)
			defer p.Close()
			_, err := p.Traceroute(t.Context(), "10.9.9.9", &tc.opts)
			if c, ok := errors.AsType[*ConfigError](err); !ok || c.Field != tc.field || len(n.Log()) > 0 {
				t.Errorf("%+v: %v, %d packets", tc.opts, err, len(n.Log()))
			}
		})
	}
}
