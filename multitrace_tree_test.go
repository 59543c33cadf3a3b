package icmplib

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// broad is the levels of a tree as wide as real paths become.
var broad = []int{1, 1, 2, 4, 16, 64, 64, 64, 64, 64, 64}

// atLevel gives the routers of one level words of their own.
func atLevel(level int, words string) func(int) string {
	return func(l int) string {
		if l == level {
			return "delay=2ms jitter=1ms " + words
		}
		return "delay=2ms jitter=1ms"
	}
}

// targetsOf returns the first targets of a tree.
func targetsOf(n *netsim.Tree, count int) (all []string) {
	for i := range count {
		all = append(all, n.Target(i, false).String())
	}
	return all
}

// checkRoute holds every hop of a route against the network. Silent are the
// levels that never answer.
func checkRoute(t *testing.T, n *netsim.Tree, r *Route, silent ...int) {
	t.Helper()
	if r.Err != nil || !r.Reached || len(r.Hops) != len(n.Levels)+1 {
		t.Fatalf("the route to %s has %d hops, ends with %v, error %v", r.Name, len(r.Hops), r.End, r.Err)
	}
	if r.Address.String() != r.Name {
		t.Fatalf("the route to %s is to %v", r.Name, r.Address)
	}
	i := n.Index(r.Address)
	for level := range r.Hops {
		h := &r.Hops[level]
		checkInvariants(t, &h.Stats)
		want := r.Address
		switch {
		case slices.Contains(silent, level):
			want = netip.Addr{}
		case level < len(n.Levels):
			want = n.Router(level, i, r.Address.Is6())
		}
		if h.Address != want || h.Distance != level+1 || len(h.Responders) > 1 {
			t.Fatalf("hop %d on the way to %s is %v, want %v; %v", level+1, r.Name, h.Address, want, h.Responders)
		}
	}
}
