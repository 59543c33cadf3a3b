package transport_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

// An address that was ours when the route was looked up, and is not any more.
func TestASendFromAnAddressThatIsGoneIsTriedFromTheNewOne(t *testing.T) {
	for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
		for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
			t.Run(v.String()+" "+mode.String(), func(t *testing.T) {
				netlab.Test(t, netlab.Config{}, func(t *testing.T) {
					c, err := transport.Listen(transport.Config{Version: v, Protocol: icmp.UDP, Mode: mode})
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					to, gone := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")
					if v == icmp.V6 {
						to, gone = netip.IPv6Loopback(), netip.MustParseAddr("2001:db8::1")
					}
					c.PretendSource(to, gone)
					probes := []transport.Probe{{Destination: to, DestinationPort: 9}, {Destination: to, DestinationPort: 9}}
					if n, err := c.SendBatch(probes); n != len(probes) || err != nil {
						t.Fatalf("SendBatch = %d, %v", n, err)
					}
					as := make([]transport.Arrival, 1)
					if _, err := c.ReceiveBatch(t.Context(), as); err != nil || as[0].Kind() != icmp.KindDestinationUnreachable {
						t.Errorf("received %v, %v", as[0].Type, err)
					}
					if got := c.KnownSource(to); got != to {
						t.Errorf("the address kept is %v", got)
					}
				})
			})
		}
	}
}

func TestWhereNoRouteLeadsNothingIsSent(t *testing.T) {
	for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
		t.Run(v.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{}, func(t *testing.T) {
				for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
					for _, protocol := range []icmp.Protocol{icmp.UDP, icmp.TCP} {
						c, err := transport.Listen(transport.Config{Version: v, Protocol: protocol, Mode: mode})
						if err != nil {
							t.Fatal(err)
						}
						defer c.Close()
						to := netip.MustParseAddr("198.51.100.7")
						if v == icmp.V6 {
							to = netip.MustParseAddr("2001:db8::7")
						}
						n, err := c.SendBatch([]transport.Probe{{Destination: to, DestinationPort: 9}})
						if n != 0 || !errors.Is(err, syscall.ENETUNREACH) {
							t.Errorf("%v %v: SendBatch = %d, %v", mode, protocol, n, err)
						}
					}
				}
			})
		})
	}
}
