package transport_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/internal/wire"
	"github.com/goicmp/icmplib/socket"
)

var rawOnly = modes[:1]

// A host whose raw socket takes SCTP does not answer that it knows none, so the
// probed address has to be another one than that which the Conn is bound to.
func TestAHostWithoutSCTPSaysSo(t *testing.T) {
	if _, err := os.Stat("/proc/net/sctp"); err == nil {
		t.Skip("this kernel has SCTP")
	}
	for _, v := range versions {
		t.Run(v.String(), func(t *testing.T) {
			netlab.Test(t, netlab.Config{}, func(t *testing.T) {
				if err := netlab.AddLocal(netip.PrefixFrom(remote(v), remote(v).BitLen())); err != nil {
					t.Fatal(err)
				}
				c := listen(t, transport.Config{Version: v, Protocol: icmp.SCTP, Source: loopback(v)})
				p := send(t, c, transport.Probe{Destination: remote(v), DestinationPort: 80, Identity: 0xdecade01})
				a := next(t, c)
				if k := a.Kind(); k != icmp.KindDestinationUnreachable && k != icmp.KindParameterProblem || a.Quote.Destination != remote(v) {
					t.Errorf("a %v, code %d, came about %v", a.Type, a.Code, a.Quote.Destination)
				}
				if !a.Identified || a.Identity != 0xdecade01 || a.Quote.SourcePort != p[0].SourcePort {
					t.Errorf("it is about %#x (%v) from port %d", a.Identity, a.Identified, a.Quote.SourcePort)
				}
			})
		})
	}
}

func TestAnswersToAnInit(t *testing.T) {
	for _, tt := range []struct {
		name       string
		tag        uint32
		chunk      []byte
		kind       transport.Kind
		identified bool
	}{
		{"INIT ACK", 0xdecade01, wire.AppendInitAck(nil, &wire.Init{InitiateTag: 5, OutboundStreams: 1, InboundStreams: 1}), transport.InitAck, true},
		{"ABORT", 0xdecade01, wire.AppendAbort(nil, false), transport.Abort, true},
		{"ABORT with a reflected tag", 7, wire.AppendAbort(nil, true), transport.Abort, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			everyMode(t, rawOnly, func(t *testing.T, v icmp.Version, m socket.Mode) {
				c := listen(t, transport.Config{Version: v, Protocol: icmp.SCTP, Mode: m})
				first, _ := c.Ports()
				h := wire.SCTP{SourcePort: 80, DestinationPort: first, VerificationTag: tt.tag}
				packet := h.Append(nil, tt.chunk)
				damaged := append([]byte{}, packet...)
				damaged[8]++
				inject(t, "sctp", v, damaged, packet)
				a := next(t, c)
				s := &a.Segment
				if s.Kind != tt.kind || s.SourcePort != 80 || s.DestinationPort != first || s.VerificationTag != tt.tag || a.Source != loopback(v) {
					t.Errorf("received %+v from %v", s, a.Source)
				}
				if a.Identified != tt.identified || a.Identified && a.Identity != tt.tag {
					t.Errorf("it is about %#x (%v)", a.Identity, a.Identified)
				}
				if n := c.Counters().Malformed; n != 1 {
					t.Errorf("%d malformed packets are counted, want that which was damaged", n)
				}
			})
		})
	}
}

// inject sends transport packets to this host.
func inject(t *testing.T, protocol string, v icmp.Version, packets ...[]byte) {
	t.Helper()
	network := map[icmp.Version]string{icmp.V4: "ip4:", icmp.V6: "ip6:"}[v] + map[string]string{"sctp": "132", "tcp": "6", "udp": "17"}[protocol]
	conn, err := net.Dial(network, loopback(v).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, p := range packets {
		if _, err := conn.Write(p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatCannotBeOpenedSaysWhy(t *testing.T) {
	everyMode(t, modes[2:], func(t *testing.T, v icmp.Version, m socket.Mode) {
		for _, tt := range []struct {
			name string
			cfg  transport.Config
			want error
		}{
			{"SCTP without privileges", transport.Config{Protocol: icmp.SCTP, Mode: socket.Datagram}, errors.ErrUnsupported},
			{"SCTP by any means", transport.Config{Protocol: icmp.SCTP}, os.ErrPermission},
			{"raw sockets", transport.Config{Protocol: icmp.TCP, Mode: socket.Raw}, os.ErrPermission},
			{"a routing mark", transport.Config{Protocol: icmp.UDP, Mark: 7}, os.ErrPermission},
			{"another's address", transport.Config{Protocol: icmp.TCP, Source: remote(v)}, nil},
		} {
			tt.cfg.Version = v
			c, err := transport.Listen(tt.cfg)
			var op *socket.OpError
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !errors.As(err, &op) {
				t.Errorf("%s: %v", tt.name, err)
			}
			if err == nil {
				c.Close()
			}
		}
		c := listen(t, transport.Config{Version: v, Protocol: icmp.UDP})
		if c.Mode() != socket.Datagram {
			t.Errorf("Auto opened %v sockets", c.Mode())
		}
	})
}
