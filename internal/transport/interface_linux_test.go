package transport_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

func TestAnInterfaceAMarkAndASourceMayBeChosen(t *testing.T) {
	everyProtocol(t, modes, func(t *testing.T, cfg transport.Config) {
		if cfg.Protocol == icmp.SCTP {
			return // nobody answers
		}
		cfg.Interface, cfg.Source, cfg.FirstPort = "lo", loopback(cfg.Version), 45678
		if cfg.Mode == socket.Raw {
			cfg.Mark = 7
		}
		c := listen(t, cfg)
		p := send(t, c, transport.Probe{Destination: loopback(cfg.Version), DestinationPort: closedPort, Identity: 1, SourcePort: 45678})
		a := next(t, c)
		if a.Source != loopback(cfg.Version) || a.Err() == nil && a.Segment.Kind != transport.RST {
			t.Errorf("a %v (%v) came from %v", a.Type, a.Segment.Kind, a.Source)
		}
		checkTimes(t, &p[0], a)
	})
}

// A link-local address says nothing without its zone, on either side.
func TestLinkLocalAddresses(t *testing.T) {
	local := netip.MustParseAddr("fe80::7")
	for _, protocol := range []icmp.Protocol{icmp.UDP, icmp.TCP} {
		for _, m := range modes {
			t.Run(protocol.String()+" "+m.name, func(t *testing.T) {
				setup := func(t *testing.T) {
					silence(t)
					if err := netlab.AddAddress(link, netip.PrefixFrom(local, 64)); err != nil {
						t.Fatal(err)
					}
				}
				netlab.Test(t, netlab.Config{Setup: setup, Unprivileged: m.unprivileged}, func(t *testing.T) {
					c := listen(t, transport.Config{Version: icmp.V6, Protocol: protocol, Mode: m.mode})
					to := local.WithZone(link)
					if a := persist(t, c, transport.Probe{Destination: to, DestinationPort: closedPort}); a.Source != to {
						t.Errorf("the answer came from %v", a.Source)
					}
				})
			})
		}
	}
}

// persist sends a probe until it is answered: the kernel takes up an address of
// its own in its own time.
func persist(t *testing.T, c *transport.Conn, p transport.Probe) *transport.Arrival {
	t.Helper()
	ctx := bounded(t)
	as := make([]transport.Arrival, 1)
	for ctx.Err() == nil {
		_, _ = c.SendBatch([]transport.Probe{p})
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if n, _ := c.ReceiveBatch(ctx, as); n == 1 {
			return &as[0]
		}
	}
	t.Fatal("nothing answers")
	return nil
}
