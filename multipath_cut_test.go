package icmplib

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// A trace that is cut short while it is not known yet whether a hop is silent has
// no edge that leads from nowhere.
func TestTheEdgesOfAGraphThatIsCutShortHaveNodes(t *testing.T) {
	for _, after := range []time.Duration{5, 15, 50, 500, 2100} {
		synctest.Test(t, func(t *testing.T) {
			p := simProber(t, netsim.MustParse(ways(2, "s1 r1 s2 flow( a1 | a2 ) t0", "s:silent")), false)
			defer p.Close()
			ctx, cancel := context.WithTimeout(t.Context(), after*time.Millisecond)
			defer cancel()
			route, _ := p.Traceroute(ctx, nodeAddress("t0", false), &TracerouteOptions{Flows: -1})
			for _, e := range route.Graph.Edges {
				if route.Graph.Node(e.From) == nil || route.Graph.Node(e.To) == nil {
					t.Errorf("after %d ms the edge %+v has an end that is no node", after, e)
				}
			}
		})
	}
}
