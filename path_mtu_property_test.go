package icmplib

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/internal/plan/pmtu"
)

// Whatever the routers do with what is too big for their links, and whatever
// they say about it: what is said of the path is true. Where nothing is lost
// by chance, it is also complete.
func TestPathMTUOfRandomPaths(t *testing.T) {
	t.Parallel()
	for seed := range uint64(16) {
		path := randomPath(seed)
		for _, v := range mtuVariants {
			t.Run(fmt.Sprintf("%d/%v", seed, v), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { path.check(t, v) })
			})
		}
	}
}

type mtuPath struct {
	network string
	target  string
	mtu     int
	lossy   bool
}

func randomPath(seed uint64) mtuPath {
	random := rand.New(rand.NewPCG(seed, 1191))
	p := mtuPath{target: "10.0.9.9", mtu: 9000, lossy: random.IntN(3) == 0}
	least, faults := 68, []string{"", "", "black-hole", "hide-mtu", "tell-mtu=20000", "tell-mtu=100", "silent", "rate=2"}
	if random.IntN(2) == 0 {
		p.target, least = "2001:db8:9::9", pmtu.Least6
	}
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\nclient 192.0.2.1 2001:db8::1\n", seed)
	for i := range 4 {
		fmt.Fprintf(&b, "node r%d 10.0.%d.1 2001:db8:%d::1 delay=5ms %s", i, i, i, faults[random.IntN(len(faults))])
		if random.IntN(2) == 0 {
			mtu := least + random.IntN(9000-least)
			p.mtu = min(p.mtu, mtu)
			fmt.Fprintf(&b, " mtu=%d", mtu)
		}
		if p.lossy {
			b.WriteString(" lose@10% back-lose@5%")
		}
		b.WriteByte('\n')
	}
	b.WriteString("node t 10.0.9.9 2001:db8:9::9 delay=10ms\npath 10.0.9.0/24 2001:db8:9::/64 r0 r1 r2 r3 t\n")
	p.network = b.String()
	return p
}

func (p *mtuPath) check(t *testing.T, v variant) {
	prober := simProber(t, netsim.MustParse(p.network), v.datagram)
	defer prober.Close()
	m, err := prober.PathMTU(t.Context(), p.target, &PathMTUOptions{MaxMTU: 9000, MaxHops: 8, Packet: Packet{Protocol: v.protocol}})
	switch {
	case err != nil:
		t.Fatal(err)
	case m.Confirmed && m.MTU > p.mtu:
		t.Errorf("a packet of %d bytes is said to have passed", m.MTU)
	case !p.lossy && (m.MTU != p.mtu || !m.Confirmed || !m.Reached):
		t.Errorf("the MTU is %d", m.MTU)
	case !p.lossy && m.Exact != (p.mtu < 9000):
		t.Errorf("exact: %v", m.Exact)
	}
	last := 9000
	for _, h := range m.Hops {
		if h.MTU > last || !p.lossy && h.MTU < p.mtu {
			t.Errorf("hop %d: MTU %d behind %d", h.Distance, h.MTU, last)
		}
		last = h.MTU
	}
	if t.Failed() {
		t.Logf("want %d in\n%s\ngot %+v", p.mtu, p.network, m)
	}
}
