package icmplib

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// A thousand networks: each has a diamond, and a salt of its own by which its
// router hashes. The rule promises to miss a next hop in 5 % of the cases at
// most; what is found has to be there in all of them.
func TestTheGraphIsCompleteAsOftenAsPromised(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ width, seeds int }{{2, 300}, {3, 150}, {4, 40}, {8, 8}, {16, 2}} {
		elements := "r1 " + fan("flow", 'a', tc.width) + " t0"
		missed := 0
		for seed := range tc.seeds {
			v := multipathVariants[seed%len(multipathVariants)]
			route, log := traceWays(t, ways(seed, elements), v, seed%4 < 2, TracerouteOptions{Flows: -1})
			got := shape(route.Graph)
			if len(got) != 2*tc.width {
				missed++
			}
			for _, edge := range got {
				if !strings.HasPrefix(edge, "1:r1>a") && !(strings.HasPrefix(edge, "2:a") && strings.HasSuffix(edge, ">t0")) {
					t.Errorf("width %d, seed %d, %v: there is no edge %s", tc.width, seed, v, edge)
				}
			}
			if len(slices.Compact(got)) != len(got) || !route.Graph.Complete || route.Graph.Probes != packetsSent(route) || route.Graph.Probes > len(log) {
				t.Errorf("width %d, seed %d, %v: %+v, %d packets", tc.width, seed, v, route.Graph, len(log))
			}
			// Four times the flows for the rule, and twice those that each
			// branch takes, of which half are checks; and the scouts.
			rule := []int{6, 11, 16, 21, 27, 33, 38, 44, 51, 57, 63, 70, 76, 83, 90, 96}
			if most := 4*(rule[tc.width-1]+2*tc.width*rule[0]) + 32; len(log) > most {
				t.Errorf("width %d, seed %d, %v: %d packets, want at most %d", tc.width, seed, v, len(log), most)
			}
		}
		n := float64(tc.seeds)
		if most := 0.0507*n + 4*math.Sqrt(n*0.05*0.95); float64(missed) > most {
			t.Errorf("width %d: %d of %d graphs lack something, want at most %.1f", tc.width, missed, tc.seeds, most)
		}
		t.Logf("width %d: %d of %d graphs lack something", tc.width, missed, tc.seeds)
	}
}
