package icmplib

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/internal/plan/pmtu"
)

// A path that loses everything for a while has no narrower link for it, however
// well it was answered before.
func TestAnOutageIsNoBlackHole(t *testing.T) {
	t.Parallel()
	const network = `
		client 192.0.2.1
		node r1 10.0.1.1 delay=5ms
		node out 10.0.6.1 lose
		node r2 10.0.2.1 delay=5ms mtu=1100 black-hole
		node r3 10.0.3.1 delay=5ms
		node t 10.0.9.9 delay=10ms
		path 10.0.9.0/24 r1 time:%v,%v( | out | ) r2 r3 t
	`
	for from := 19 * time.Second; from < 22*time.Second; from += 40 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			p := simProber(t, netsim.MustParse(fmt.Sprintf(network, from, from+time.Second)), true)
			defer p.Close()
			m, err := p.PathMTU(t.Context(), "10.0.9.9", &PathMTUOptions{MaxMTU: 9000})
			if err != nil {
				t.Fatal(err)
			}
			if m.Exact && m.MTU != 1100 {
				t.Errorf("with an outage after %v: %v", from, m)
			}
		})
	}
}

// A link that goes away early has the system refuse all that follows: whenever that is, no
// figure is more than what was sent, and where there is none it is said why.
func TestALinkThatGoesSupportsNoMTU(t *testing.T) {
	t.Parallel()
	const network = `
		client 192.0.2.1
		node r1 10.0.1.1 delay=5ms mtu=1100
		node t 10.0.9.9 delay=10ms
		path 10.0.9.0/24 r1 t
	`
	unknown := 0
	for gone := time.Millisecond; gone < 100*time.Millisecond; gone += time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			n := netsim.MustParse(network)
			p := simProberWith(t, n, netsim.ConnOptions{Datagram: true}, func(c *netsim.Conn) {
				time.AfterFunc(gone, func() { c.FailSend(1_000_000, syscall.ENODEV) })
			})
			defer p.Close()
			m, err := p.PathMTU(t.Context(), "10.0.9.9", nil)
			largest := 0
			for _, r := range n.Log() {
				largest = max(largest, r.Length)
			}
			switch {
			case m.MTU == 0 && errors.Is(err, syscall.ENODEV) && !m.Confirmed && !m.Exact && largest <= pmtu.Least4:
				unknown++
			case m.MTU == 0, m.MTU > largest:
				t.Errorf("gone after %v, when %d bytes had left: %v, %v", gone, largest, m, err)
			}
		})
	}
	if unknown == 0 {
		t.Error("it is always known")
	}
}
