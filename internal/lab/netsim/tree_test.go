package netsim

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

func TestATreeAnswersWhereItSays(t *testing.T) {
	synctest.Test(t, testTree)
}

func testTree(t *testing.T) {
	tree := &Tree{Levels: []int{1, 2, 300}, Words: func(level int) string { return []string{"", "silent", ""}[level] }, Last: "delay=1ms"}
	n := MustParse(tree.String())
	for _, v6 := range []bool{false, true} {
		for _, i := range []int{0, 1, 299, 300, 252*300 + 299} {
			target := tree.Target(i, v6)
			if got := tree.Index(target); got != i {
				t.Errorf("%v is target %d, not %d", target, got, i)
			}
			for ttl := 1; ttl <= 4; ttl++ {
				want := target
				switch {
				case ttl == 2:
					want = netip.Addr{}
				case ttl < 4:
					want = tree.Router(ttl-1, i, v6)
				}
				if got := answerer(t, n, target, ttl); got != want {
					t.Errorf("%v at %d answers for %v, want %v", got, ttl, target, want)
				}
			}
		}
	}
}

// answerer returns who answers an echo request.
func answerer(t *testing.T, n *Network, target netip.Addr, ttl int) netip.Addr {
	t.Helper()
	version := icmp.V4
	if target.Is6() {
		version = icmp.V6
	}
	c := n.Listen(version, ConnOptions{})
	defer c.Close()
	if _, err := c.SendBatch([]icmp.Request{{Destination: target, TTL: ttl, Sequence: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	replies := make([]icmp.Reply, 1)
	if k, _ := c.ReceiveBatch(t.Context(), replies); k == 0 {
		return netip.Addr{}
	}
	return replies[0].Source
}
