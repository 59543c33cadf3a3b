package icmplib

import (
	"fmt"
	"sync"
	"testing"

	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

// What the kernel makes of each refusal where it stands between the router and
// us: in the error queues of ordinary sockets, and of connections.
func TestATraceEndsWhereARouterRefusesBehindTheKernel(t *testing.T) {
	for _, v := range traceVariants {
		if !v.datagram {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			netlab.Test(t, netlab.Config{PingGroups: true, Unprivileged: true, Setup: carryRefusals},
				func(t *testing.T) { traceRefusals(t, v) })
		})
	}
}

func carryRefusals(t *testing.T) {
	for i, r := range refusals4And6 {
		netlab.Carry(t, refusing(r.word), netlab.Device{Name: simDevice(i)})
	}
}

func traceRefusals(t *testing.T, v variant) {
	p, err := NewProber(&Config{Mode: socket.Datagram})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var routes [2][]*Route
	var all sync.WaitGroup
	for family := range routes {
		routes[family] = make([]*Route, len(refusals4And6))
		for i := range refusals4And6 {
			all.Go(func() {
				opts := &TracerouteOptions{Timeout: patient, Packet: Packet{Protocol: v.protocol, Interface: simDevice(i)}}
				var err error
				if routes[family][i], err = p.Traceroute(t.Context(), refusedTarget[family], opts); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	for i, r := range refusals4And6 {
		for family, code := range []string{r.v4, r.v6} {
			if code != "" {
				t.Run(fmt.Sprintf("%s over IPv%d", r.word, 4+2*family), func(t *testing.T) {
					checkRefused(t, routes[family][i], family, v, code, r.want)
				})
			}
		}
	}
}
