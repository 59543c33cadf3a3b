package transport

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/netlab"
	"github.com/goicmp/icmplib/socket"
)

// An address that was ours when the route was looked up, and is not any more.
func TestASendFromAnAddressThatIsGoneIsTriedFromTheNewOne(t *testing.T) {
	for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
		for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
			t.Run(v.String()+" "+mode.String(), func(t *testing.T) {
				netlab.Test(t, netlab.Config{}, func(t *testing.T) {
					c, err := Listen(Config{Version: v, Protocol: icmp.UDP, Mode: mode})
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					to, gone := netip.MustParseAddr("127.0.0.1"), from4
					if v == icmp.V6 {
						to, gone = netip.IPv6Loopback(), from6
					}
					r := &batchOf(c).routes
					r.known = map[routeKey]netip.Addr{{to: to}: gone}
					r.expire = time.Now().Add(time.Hour)
					probes := []Probe{{Destination: to, DestinationPort: 9}, {Destination: to, DestinationPort: 9}}
					if n, err := c.SendBatch(probes); n != len(probes) || err != nil {
						t.Fatalf("SendBatch = %d, %v", n, err)
					}
					as := make([]Arrival, 1)
					if _, err := c.ReceiveBatch(t.Context(), as); err != nil || as[0].Kind() != icmp.KindDestinationUnreachable {
						t.Errorf("received %v, %v", as[0].Type, err)
					}
					if got := r.known[routeKey{to: to}]; got != to {
						t.Errorf("the address kept is %v", got)
					}
				})
			})
		}
	}
}

func batchOf(c *Conn) *batch {
	if l, ok := c.link.(*rawLink); ok {
		return &l.batch
	}
	return &c.link.(*udpLink).batch
}

func TestWhereNoRouteLeadsNothingIsSent(t *testing.T) {
	for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
		t.Run(v.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{}, func(t *testing.T) {
				for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
					for _, protocol := range []icmp.Protocol{icmp.UDP, icmp.TCP} {
						c, err := Listen(Config{Version: v, Protocol: protocol, Mode: mode})
						if err != nil {
							t.Fatal(err)
						}
						defer c.Close()
						to := to4
						if v == icmp.V6 {
							to = to6
						}
						n, err := c.SendBatch([]Probe{{Destination: to, DestinationPort: 9}})
						if n != 0 || !errors.Is(err, syscall.ENETUNREACH) {
							t.Errorf("%v %v: SendBatch = %d, %v", mode, protocol, n, err)
						}
					}
				}
			})
		})
	}
}
