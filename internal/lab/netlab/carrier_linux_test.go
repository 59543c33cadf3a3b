package netlab_test

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/socket"
)

// devices are the kinds of device, each of which carries the same.
var devices = []netlab.DeviceKind{netlab.TUN, netlab.Veth}

const carried = `
	client 192.0.2.1 2001:db8::1
	node r 10.0.1.1 2001:db8:1::1 delay=2ms
	node t 10.0.9.9 2001:db8:9::9 delay=3ms
	path 10.0.9.0/24 2001:db8:9::/64 r t
`

var targets = [...]netip.Addr{
	icmp.V4: netip.MustParseAddr("10.0.9.9"),
	icmp.V6: netip.MustParseAddr("2001:db8:9::9"),
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func open(t testing.TB, v icmp.Version, cfg *socket.Config) conn {
	t.Helper()
	var c conn
	var err error
	if v == icmp.V4 {
		c, err = socket.ListenICMPv4(cfg)
	} else {
		c, err = socket.ListenICMPv6(cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// conn is a socket of either family.
type conn interface {
	SendBatch(reqs []icmp.Request) (int, error)
	ReceiveBatch(ctx context.Context, replies []icmp.Reply) (int, error)
	Receive(ctx context.Context, req *icmp.Request) (*icmp.Reply, error)
	Close() error
}

func TestRealSocketsReachASimulatedNetwork(t *testing.T) {
	for _, kind := range devices {
		for _, unprivileged := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v, unprivileged %v", kind, unprivileged), func(t *testing.T) {
				netlab.Test(t, netlab.Config{
					PingGroups:   true,
					Unprivileged: unprivileged,
					Setup:        func(t *testing.T) { netlab.Carry(t, netsim.MustParse(carried), netlab.Device{Kind: kind}) },
				}, func(t *testing.T) {
					for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
						checkEcho(t, v)
					}
				})
			})
		}
	}
}

// checkEcho sends the largest echo request there is, and a small one that does
// not reach its destination.
func checkEcho(t *testing.T, v icmp.Version) {
	c := open(t, v, &socket.Config{Mode: socket.Datagram, DontFragment: true})
	for _, tt := range []struct {
		name       string
		ttl, size  int
		kind       icmp.Kind
		roundTrip  time.Duration
		replyBytes int
	}{
		{"a large request", 0, 65000, icmp.KindEchoReply, 10 * time.Millisecond, 65008},
		{"one with a TTL of 1", 1, 56, icmp.KindTimeExceeded, 4 * time.Millisecond, 0},
	} {
		reqs := []icmp.Request{{Destination: targets[v], Sequence: 1, TTL: tt.ttl, Size: tt.size}}
		if _, err := c.SendBatch(reqs); err != nil {
			t.Errorf("%v, %s: %v", v, tt.name, err)
			continue
		}
		r, err := c.Receive(bounded(t), &reqs[0])
		switch {
		case err != nil:
			t.Errorf("%v, %s: %v", v, tt.name, err)
		case r.Kind() != tt.kind || tt.replyBytes > 0 && r.Size != tt.replyBytes:
			t.Errorf("%v, %s: %v of %d bytes came back", v, tt.name, r.Kind(), r.Size)
		case r.Time.Sub(reqs[0].Time) < tt.roundTrip:
			t.Errorf("%v, %s: the answer came after %v, before its time", v, tt.name, r.Time.Sub(reqs[0].Time))
		}
	}
}

// The network hears what the tests send, and nothing that the kernel says by
// itself about interfaces that come up.
func TestTheKernelAddsNothing(t *testing.T) {
	for _, kind := range devices {
		t.Run(kind.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
				network := netsim.MustParse(carried)
				netlab.Carry(t, network, netlab.Device{Kind: kind})
				checkEcho(t, icmp.V4)
				checkEcho(t, icmp.V6)
				if log := network.Log(); len(log) != 4 {
					t.Errorf("%d packets were sent, want 4: %+v", len(log), log)
				}
			})
		})
	}
}

// Addresses and default routes of several devices do not get in each other's
// way: a socket on a device reaches the network behind it.
func TestNetworksInOneNamespaceAreApart(t *testing.T) {
	for _, kind := range devices {
		t.Run(kind.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{PingGroups: true}, func(t *testing.T) {
				for i := range 3 {
					network := netsim.MustParse(fmt.Sprintf(`
						client 192.0.2.1 2001:db8::1
						node t 10.0.9.9 2001:db8:9::9 ttl=%d
						path 10.0.9.0/24 2001:db8:9::/64 t`, 101+i))
					netlab.Carry(t, network, netlab.Device{Name: fmt.Sprintf("sim%d", i), Kind: kind})
				}
				for i, device := range []string{"", "sim1", "sim2"} {
					for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
						c := open(t, v, &socket.Config{Interface: device})
						req := icmp.Request{Destination: targets[v]}
						if _, err := c.SendBatch([]icmp.Request{req}); err != nil {
							t.Fatal(err)
						}
						r, err := c.Receive(bounded(t), nil)
						if err != nil || r.TTL != 101+i {
							t.Errorf("%v through %q: reply %+v, %v", v, device, r, err)
						}
					}
				}
			})
		})
	}
}

// BenchmarkCarrier measures how many requests a second a simulated network
// answers behind the kernel, sender and receiver included.
func BenchmarkCarrier(b *testing.B) {
	for _, kind := range devices {
		b.Run(kind.String(), func(b *testing.B) {
			// The thread takes the namespace with it when it ends with this function.
			runtime.LockOSThread()
			if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
				b.Skipf("the system forbids a network namespace: %v", err)
			}
			network := netsim.MustParse("client 192.0.2.1\nnode t 10.0.9.9\npath 10.0.9.0/24 t")
			network.Quiet(true)
			netlab.Carry(b, network, netlab.Device{Kind: kind})
			benchmarkEcho(b, open(b, icmp.V4, &socket.Config{Mode: socket.Raw}))
		})
	}
}

func benchmarkEcho(b *testing.B, c conn) {
	const batch = 64
	reqs, replies := make([]icmp.Request, batch), make([]icmp.Reply, batch)
	for i := range reqs {
		reqs[i] = icmp.Request{Destination: targets[icmp.V4], Sequence: uint16(i)}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.SendBatch(reqs); err != nil {
			b.Fatal(err)
		}
		for received := 0; received < batch; {
			n, err := c.ReceiveBatch(b.Context(), replies)
			if err != nil {
				b.Fatal(err)
			}
			received += n
		}
	}
	b.ReportMetric(batch*float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}
