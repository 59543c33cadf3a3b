package icmplib

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/internal/netsim"
)

// A tree is a generated network whose branches part on the way: every target is
// behind the same first routers, and each further level has more of them. The
// leaves are /24s and, in IPv6, /120s.
type tree struct {
	levels []int                  // how many routers there are at each distance
	words  func(level int) string // of the routers at a distance
	last   string                 // words of the targets
}

// leaves is how many prefixes the tree has.
func (n *tree) leaves() int { return n.levels[len(n.levels)-1] }

// router returns the router at a level on the way to a leaf.
func (n *tree) router(level, leaf int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(level + 1), byte(leaf % n.levels[level]), 1})
}

func (n *tree) router6(level, leaf int) netip.Addr {
	return netip.MustParseAddr(fmt.Sprintf("2001:db8:%x:%x::1", level+1, leaf%n.levels[level]))
}

// target returns the i-th target: neighbours are in different leaves.
func (n *tree) target(i int) string {
	leaf, host := i%n.leaves(), i/n.leaves()
	return netip.AddrFrom4([4]byte{172, byte(16 + leaf/256), byte(leaf), byte(1 + host)}).String()
}

func (n *tree) target6(i int) string {
	leaf, host := i%n.leaves(), i/n.leaves()
	return netip.MustParseAddr(fmt.Sprintf("2001:db8:ff00:%x::%x", leaf, 1+host)).String()
}

func (n *tree) targets(count int) (all []string) {
	for i := range count {
		all = append(all, n.target(i))
	}
	return all
}

// leafOf returns the leaf that a target is in.
func (n *tree) leafOf(target netip.Addr) int {
	if b := target.As16(); target.Is6() {
		return int(b[6])<<8 | int(b[7])
	}
	b := target.As4()
	return int(b[1]-16)<<8 | int(b[2])
}

// network builds it.
func (n *tree) network(t testing.TB) *netsim.Network {
	t.Helper()
	spec, err := netsim.ParseString(n.text())
	if err != nil {
		t.Fatal(err)
	}
	network, err := netsim.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return network
}

func (n *tree) text() string {
	var b strings.Builder
	b.WriteString("seed 7\nclient 192.0.2.1 2001:db8::1\n")
	for level, routers := range n.levels {
		for i := range routers {
			fmt.Fprintf(&b, "node r%d-%d %v %v %s\n", level, i, n.router(level, i), n.router6(level, i), n.words(level))
		}
	}
	for leaf := range n.leaves() {
		fmt.Fprintf(&b, "node t%d 172.%d.%d.254 2001:db8:ff00:%x::ffff %s\n", leaf, 16+leaf/256, leaf%256, leaf, n.last)
		fmt.Fprintf(&b, "path 172.%d.%d.0/24 2001:db8:ff00:%x::/64", 16+leaf/256, leaf%256, leaf)
		for level, routers := range n.levels {
			fmt.Fprintf(&b, " r%d-%d", level, leaf%routers)
		}
		fmt.Fprintf(&b, " t%d\n", leaf)
	}
	return b.String()
}

// check holds every hop of a route against the network. Silent are the levels
// that never answer.
func (n *tree) check(t *testing.T, r *Route, silent ...int) {
	t.Helper()
	if r.Err != nil || !r.Reached || len(r.Hops) != len(n.levels)+1 {
		t.Fatalf("the route to %s has %d hops, ends with %v, error %v", r.Name, len(r.Hops), r.End, r.Err)
	}
	leaf := n.leafOf(r.Target)
	for i := range r.Hops {
		h := &r.Hops[i]
		checkInvariants(t, &h.Stats)
		want := r.Target
		switch {
		case slices.Contains(silent, i):
			want = netip.Addr{}
		case i < len(n.levels) && r.Target.Is6():
			want = n.router6(i, leaf)
		case i < len(n.levels):
			want = n.router(i, leaf)
		}
		if h.Address != want || h.Distance != i+1 || len(h.Responders) > 1 {
			t.Fatalf("hop %d on the way to %s is %v, want %v; %v", i+1, r.Name, h.Address, want, h.Responders)
		}
	}
}
