package icmplib

import (
	"testing"
	"testing/synctest"

	"github.com/goicmp/icmplib/internal/lab/netsim"
)

// However the routers lie, the number of packets is bounded: here each of many
// tells a little less than the one before it.
func TestASearchForAnMTUIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := netsim.MustParse(`
			client 192.0.2.1
			node r1 10.0.1.1 mtu=1000 tell-mtu=8999
			node r2 10.0.2.1 mtu=999 tell-mtu=998
			node r3 10.0.3.1 mtu=998 tell-mtu=2000
			node r4 10.0.4.1 mtu=997 hide-mtu
			node t 10.0.9.9
			path 10.0.9.0/24 r1 r2 r3 r4 t`)
		p := simProber(t, n, true)
		defer p.Close()
		m, err := p.PathMTU(t.Context(), "10.0.9.9", &PathMTUOptions{MaxMTU: 9000})
		if err != nil || m.MTU != 997 || !m.Exact || !m.Confirmed {
			t.Errorf("%+v, %v", m, err)
		}
		if got, most := len(n.Log()), 500; got > most {
			t.Errorf("%d packets, more than %d", got, most)
		}
		if got := mtuFigure(m, "hops"); got != "1000,998,998,997,997" {
			t.Errorf("hops %s", got)
		}
	})
}
