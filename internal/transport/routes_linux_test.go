package transport_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
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
					c.PretendSource(to, 9, gone)
					probes := []transport.Probe{{Destination: to, DestinationPort: 9}, {Destination: to, DestinationPort: 9}}
					if n, err := c.SendBatch(probes); n != len(probes) || err != nil {
						t.Fatalf("SendBatch = %d, %v", n, err)
					}
					as := make([]transport.Arrival, 1)
					if _, err := c.ReceiveBatch(t.Context(), as); err != nil || as[0].Kind() != icmp.KindDestinationUnreachable {
						t.Errorf("received %v, %v", as[0].Type, err)
					}
					if got := c.KnownSource(to, 9); got != to {
						t.Errorf("the address kept is %v", got)
					}
				})
			})
		}
	}
}

// Rules of routing look at the traffic class, and of datagrams at the port, too.
func TestTheSourceIsThatOfTheRouteThatAProbeTakes(t *testing.T) {
	ip, err := exec.LookPath("ip")
	if err != nil {
		t.Skip("ip of iproute2 is missing")
	}
	for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
		to, usual, other := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("203.0.113.1")
		if v == icmp.V6 {
			to, usual, other = netip.MustParseAddr("2001:db8:7::7"), netip.MustParseAddr("2001:db8:1::1"), netip.MustParseAddr("2001:db8:2::1")
		}
		family := fmt.Sprintf("-%d ", v)
		t.Run(v.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{Setup: func(t *testing.T) {
				for _, line := range []string{
					"link add a0 type veth peer name b0", "link add a1 type veth peer name b1",
					"link set a0 up", "link set b0 up", "link set a1 up", "link set b1 up",
					family + "addr add " + usual.String() + " dev a0 nodad", family + "addr add " + other.String() + " dev a1 nodad",
					family + "route add default dev a0", family + "route add default dev a1 table 20",
					family + "rule add tos 0x10 lookup 20", family + "rule add dport 443 lookup 20",
				} {
					if v == icmp.V4 {
						line = strings.TrimSuffix(line, " nodad")
					}
					if out, err := exec.Command(ip, strings.Fields(line)...).CombinedOutput(); err != nil {
						t.Skipf("ip %s: %v: %s", line, err, out)
					}
				}
			}}, func(t *testing.T) {
				for protocol, identity := range map[icmp.Protocol]uint32{icmp.UDP: 0, icmp.TCP: 1, icmp.SCTP: 1} {
					for _, mode := range []socket.Mode{socket.Raw, socket.Datagram} {
						if mode == socket.Datagram && protocol != icmp.UDP {
							continue // the kernel chooses the source
						}
						c, err := transport.Listen(transport.Config{Version: v, Protocol: protocol, Mode: mode})
						if err != nil {
							t.Fatal(err)
						}
						defer c.Close()
						for _, tt := range []struct {
							port  uint16
							class int
							other bool
						}{{80, 0, false}, {80, 0x10, true}, {80, 0, false}, {443, 0, mode == socket.Datagram}, {443, 0x10, true}, {80, 0xb8, false}} {
							want := usual
							if tt.other {
								want = other
							}
							if got, err := c.Source(transport.Probe{Destination: to, DestinationPort: tt.port, TrafficClass: tt.class, Identity: identity}); got != want || err != nil {
								t.Errorf("%v %v %v: port %d, class %#x: from %v, %v, want %v", v, protocol, mode, tt.port, tt.class, got, err, want)
							}
						}
					}
				}
			})
		})
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
