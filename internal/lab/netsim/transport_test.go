package netsim

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// served is a network whose target has open ports.
func served(router, target string) string {
	return clients + fmt.Sprintf(`
node r 10.0.1.1 2001:db8:1::1 delay=5ms %s
node t 10.0.9.9 2001:db8:9::9 delay=10ms udp-echo=80 tcp=80 sctp=80 %s
path 10.0.9.0/24 2001:db8:9::/64 r t
`, router, target)
}

// kinds are all connections that there are.
func kinds(f func(name string, v icmp.Version, protocol icmp.Protocol, opts TransportOptions)) {
	for _, v := range []icmp.Version{icmp.V4, icmp.V6} {
		for _, protocol := range []icmp.Protocol{icmp.UDP, icmp.TCP, icmp.SCTP} {
			for _, datagram := range []bool{false, true} {
				if protocol == icmp.SCTP && datagram {
					continue
				}
				mode := modeOf(datagram)
				f(fmt.Sprintf("%v over %v, %v", protocol, v, mode), v, protocol, TransportOptions{Datagram: datagram})
			}
		}
	}
}

// connected opens a connection on a network inside a bubble.
func connected(t *testing.T, network string, v icmp.Version, p icmp.Protocol, opts TransportOptions, do func(t *testing.T, c *TransportConn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c, err := MustParse(network).ListenTransport(v, p, opts)
		if err != nil {
			t.Fatal(err)
		}
		do(t, c)
		_ = c.Close()
	})
}

// probed sends a probe to the target.
func (c *TransportConn) probed(t *testing.T, ttl int, port uint16, identity uint32) transport.Probe {
	t.Helper()
	p := transport.Probe{Destination: netip.MustParseAddr(target4), DestinationPort: port, TTL: ttl}
	if c.version == icmp.V6 {
		p.Destination = netip.MustParseAddr(target6)
	}
	if c.protocol == icmp.UDP {
		p.Payload = []byte("a probe.")
	} else {
		p.Identity = identity
	}
	probes := []transport.Probe{p}
	if n, err := c.SendBatch(probes); n != 1 || err != nil {
		t.Fatalf("SendBatch: %d, %v", n, err)
	}
	return probes[0]
}

// arrived returns what came until now.
func (c *TransportConn) arrived(t *testing.T) []transport.Arrival {
	t.Helper()
	time.Sleep(100 * time.Millisecond)
	_ = c.SetReadDeadline(time.Now())
	arrivals := make([]transport.Arrival, 64)
	n, err := c.ReceiveBatch(t.Context(), arrivals)
	if n == 0 && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return arrivals[:n]
}

func TestTransportMeetsRouters(t *testing.T) {
	kinds(func(name string, v icmp.Version, protocol icmp.Protocol, opts TransportOptions) {
		t.Run(name, func(t *testing.T) {
			connected(t, served("", ""), v, protocol, opts, func(t *testing.T, c *TransportConn) {
				p := c.probed(t, 1, 80, 0xabcd0001)
				got := c.arrived(t)
				if len(got) != 1 {
					t.Fatalf("%d arrivals", len(got))
				}
				a := &got[0]
				q := &a.Quote
				if a.Kind() != icmp.KindTimeExceeded || a.Segment.Kind != transport.None || a.Time.Sub(p.Time) != 10*time.Millisecond {
					t.Errorf("arrival %+v", a)
				}
				if q.Destination != p.Destination || q.SourcePort != p.SourcePort || q.DestinationPort != 80 || p.SourcePort == 0 {
					t.Errorf("quote %+v of %+v", q, p)
				}
				if opts.Datagram != (q.TTL == 0) || opts.Datagram != !q.Source.IsValid() {
					t.Errorf("an error queue has no IP header of the quote: %+v", q)
				}
				c.checkIdentity(t, a, p.Identity)
				if protocol == icmp.UDP && string(q.Payload) != "a probe." {
					t.Errorf("quoted payload %q", q.Payload)
				}
			})
		})
	})
}

func (c *TransportConn) checkIdentity(t *testing.T, a *transport.Arrival, want uint32) {
	t.Helper()
	if c.protocol == icmp.UDP {
		want = 0
	}
	if a.Identity != want || a.Identified != (want != 0) {
		t.Errorf("identity %#x, %v, want %#x", a.Identity, a.Identified, want)
	}
}

func TestTransportIsAnswered(t *testing.T) {
	open := map[icmp.Protocol]transport.Kind{icmp.UDP: transport.Datagram, icmp.TCP: transport.SYNACK, icmp.SCTP: transport.InitAck}
	closed := map[icmp.Protocol]transport.Kind{icmp.UDP: transport.None, icmp.TCP: transport.RST, icmp.SCTP: transport.Abort}
	kinds(func(name string, v icmp.Version, protocol icmp.Protocol, opts TransportOptions) {
		for port, kind := range map[uint16]transport.Kind{80: open[protocol], 81: closed[protocol]} {
			t.Run(fmt.Sprintf("%s, port %d", name, port), func(t *testing.T) {
				connected(t, served("", ""), v, protocol, opts, func(t *testing.T, c *TransportConn) {
					p := c.probed(t, 0, port, 0xabcd0002)
					got := c.arrived(t)
					if len(got) != 1 || got[0].Segment.Kind != kind || got[0].Source != p.Destination {
						t.Fatalf("arrivals %+v, want %v", got, kind)
					}
					a := &got[0]
					c.checkIdentity(t, a, p.Identity)
					if kind != transport.None && (a.Segment.SourcePort != port || a.Segment.DestinationPort != p.SourcePort) {
						t.Errorf("segment %+v", a.Segment)
					}
					// The kernel knows when a connection was accepted, and does not
					// say when one was refused.
					if rtt := a.Time.Sub(p.Time); rtt != 30*time.Millisecond && (!c.connects() || kind != transport.RST) {
						t.Errorf("RTT %v", rtt)
					}
					if kind == transport.Datagram && string(a.Segment.Payload) != "a probe." {
						t.Errorf("payload %q", a.Segment.Payload)
					}
				})
			})
		}
	})
}

func TestTransportQuotesOfEightBytes(t *testing.T) {
	kinds(func(name string, v icmp.Version, protocol icmp.Protocol, opts TransportOptions) {
		t.Run(name, func(t *testing.T) {
			connected(t, served("quote=8", ""), v, protocol, opts, func(t *testing.T, c *TransportConn) {
				p := c.probed(t, 1, 80, 0xabcd0003)
				got := c.arrived(t)
				if len(got) != 1 {
					t.Fatalf("%d arrivals", len(got))
				}
				a := &got[0]
				if a.Quote.SourcePort != p.SourcePort || a.Quote.DestinationPort != 80 || len(a.Quote.Payload) != 0 {
					t.Errorf("quote %+v", a.Quote)
				}
				if known := a.Quote.Checksum != 0; protocol == icmp.UDP && known == opts.Datagram {
					t.Errorf("checksum %#x", a.Quote.Checksum)
				}
				if a.Identified != (protocol == icmp.TCP) {
					t.Errorf("identified: %v", a.Identified)
				}
			})
		})
	})
}

func TestTransportTooBig(t *testing.T) {
	cases := []struct {
		name string
		opts TransportOptions
		told bool
	}{
		{"a raw socket is told", TransportOptions{}, true},
		{"so is an ordinary one that does not fragment", TransportOptions{Datagram: true, DontFragment: true}, true},
		{"one that does is not", TransportOptions{Datagram: true}, false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			connected(t, served("mtu=1280", ""), icmp.V6, icmp.UDP, tc.opts, func(t *testing.T, c *TransportConn) {
				probe := []transport.Probe{{Destination: netip.MustParseAddr(target6), DestinationPort: 80, Payload: make([]byte, 1300)}}
				if _, err := c.SendBatch(probe); err != nil {
					t.Fatal(err)
				}
				got := c.arrived(t)
				if told := len(got) == 1 && got[0].Kind() == icmp.KindPacketTooBig && got[0].MTU == 1280; told != tc.told {
					t.Errorf("arrivals %+v", got)
				}
			})
		})
	}
}
