package netsim

import (
	"fmt"
	"net/netip"
	"strings"
)

// Tree describes a network whose branches part on the way: every target is
// behind the same first routers, and each level has as many or more of them.
// It has a /24 and a /64 at each end, of which there are up to 4096.
type Tree struct {
	Levels []int                  // how many routers there are at each distance
	Words  func(level int) string // of the routers at a distance; nil: none
	Last   string                 // words of the targets
}

// leaves is how many ends there are.
func (t *Tree) leaves() int { return t.Levels[len(t.Levels)-1] }

// Router returns the router at a level on the way to the i-th target, whose
// distance is one more.
func (t *Tree) Router(level, i int, v6 bool) netip.Addr {
	return t.router(level, i%t.leaves()%t.Levels[level], v6)
}

func (t *Tree) router(level, number int, v6 bool) netip.Addr {
	if v6 {
		return netip.MustParseAddr(fmt.Sprintf("2001:db8:%x:%x::1", level+1, number))
	}
	return netip.AddrFrom4([4]byte{10, byte(level + 1), byte(number >> 8), byte(number)})
}

// Target returns the i-th target: neighbours are at different ends. There are
// 253 times as many as ends.
func (t *Tree) Target(i int, v6 bool) netip.Addr {
	leaf, host := i%t.leaves(), 1+i/t.leaves()
	if v6 {
		return netip.MustParseAddr(fmt.Sprintf("2001:db8:ff00:%x::%x", leaf, host))
	}
	return netip.AddrFrom4([4]byte{172, byte(16 + leaf>>8), byte(leaf), byte(host)})
}

// Index returns which target an address is.
func (t *Tree) Index(target netip.Addr) int {
	b := target.As16()
	leaf, host := int(b[6])<<8|int(b[7]), int(b[15])
	if target.Is4() {
		leaf = int(b[13]-16)<<8 | int(b[14])
	}
	return (host-1)*t.leaves() + leaf
}

// String returns the description.
func (t *Tree) String() string {
	var b strings.Builder
	b.WriteString("seed 7\nclient 192.0.2.1 2001:db8::1\n")
	for level, routers := range t.Levels {
		words := ""
		if t.Words != nil {
			words = t.Words(level)
		}
		for i := range routers {
			fmt.Fprintf(&b, "node r%d-%d %v %v %s\n", level, i, t.router(level, i, false), t.router(level, i, true), words)
		}
	}
	for leaf := range t.leaves() {
		net4 := fmt.Sprintf("172.%d.%d.", 16+leaf>>8, leaf&255)
		net6 := fmt.Sprintf("2001:db8:ff00:%x::", leaf)
		fmt.Fprintf(&b, "node t%d %s254 %sffff %s\n", leaf, net4, net6, t.Last)
		fmt.Fprintf(&b, "path %s0/24 %s/64", net4, net6)
		for level, routers := range t.Levels {
			fmt.Fprintf(&b, " r%d-%d", level, leaf%routers)
		}
		fmt.Fprintf(&b, " t%d\n", leaf)
	}
	return b.String()
}
