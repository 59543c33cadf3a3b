package netsim

import (
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

func TestConnDecodesErrors(t *testing.T) {
	const mpls = "quote=8 mpls=16001/0/1"
	cases := []struct {
		name       string
		router     string
		v          icmp.Version
		datagram   bool
		ttl        int
		kind       icmp.Kind
		extensions int // bytes
		mtu        int
		quoted     int // bytes from the upper-layer header on
	}{
		{"extensions reach a raw socket", mpls, icmp.V4, false, 1, icmp.KindTimeExceeded, 12, 0, 64},
		{"and a datagram socket, with the padding of the quote", mpls, icmp.V4, true, 1, icmp.KindTimeExceeded, 12, 0, 108},
		{"the same over IPv6", mpls, icmp.V6, true, 1, icmp.KindTimeExceeded, 12, 0, 88},
		{"those of the old form are found by a raw socket", mpls + " extensions=old", icmp.V4, false, 1, icmp.KindTimeExceeded, 12, 0, 64},
		{"and by a datagram socket", mpls + " extensions=old", icmp.V4, true, 1, icmp.KindTimeExceeded, 12, 0, 108},
		{"how much fits reaches a datagram socket", "mtu=80", icmp.V6, true, 64, icmp.KindPacketTooBig, 0, 80, 64},
		{"and a raw socket", "mtu=80", icmp.V6, false, 64, icmp.KindPacketTooBig, 0, 80, 64},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			within(t, clients+routed("delay=1ms "+tc.router, ""), tc.v, ConnOptions{Datagram: tc.datagram}, func(t *testing.T, c *Conn) {
				to := target4
				if tc.v == icmp.V6 {
					to = target6
				}
				req := request(t, c, to, 5, tc.ttl)
				reply := receive(t, c)[0]
				if !req.Answers(&reply) || reply.Kind() != tc.kind || reply.MTU != tc.mtu {
					t.Errorf("reply %+v", reply)
				}
				if e, q := len(reply.Extensions.Raw), len(reply.Quote.Transport); e != tc.extensions || q != tc.quoted {
					t.Errorf("%d bytes of extensions, want %d; %d bytes quoted, want %d", e, tc.extensions, q, tc.quoted)
				}
				if reply.Time.Sub(req.Time) != 2*time.Millisecond {
					t.Errorf("RTT %v", reply.Time.Sub(req.Time))
				}
			})
		})
	}
}
