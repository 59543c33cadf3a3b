package netlab_test

import (
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/socket"
)

func TestRoutersInARowAnswerInTheirOrder(t *testing.T) {
	for _, mode := range []socket.Mode{socket.Datagram, socket.Raw} {
		t.Run(mode.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
				chain := netlab.ChainOf(3)
				chain.Build(t)
				for family, v := range []icmp.Version{icmp.V4, icmp.V6} {
					c := open(t, v, &socket.Config{Mode: mode})
					for ttl := 1; ttl <= 4; ttl++ {
						want, kind := chain.Target[family], icmp.KindEchoReply
						if ttl <= 3 {
							want, kind = chain.Routers[ttl-1][family], icmp.KindTimeExceeded
						}
						reqs := []icmp.Request{{Destination: chain.Target[family], Sequence: uint16(ttl), TTL: ttl}}
						if _, err := c.SendBatch(reqs); err != nil {
							t.Fatal(err)
						}
						r, err := c.Receive(bounded(t), &reqs[0])
						if err != nil {
							t.Fatal(err)
						}
						if r.Source != want || r.Kind() != kind {
							t.Errorf("a TTL of %d ended with %v from %v, want %v from %v", ttl, r.Kind(), r.Source, kind, want)
						}
					}
				}
			})
		})
	}
}
