package transport_test

import (
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

// Routers that are kernels, over virtual links that complete no checksum: what
// they quote is what was sent.
func TestRoutersOnTheWayAnswerEachProbe(t *testing.T) {
	const routers = 3
	for _, m := range []mode{modes[0], modes[2]} {
		t.Run(m.name, func(t *testing.T) {
			chain := netlab.ChainOf(routers)
			setup := func(t *testing.T) { chain.Build(t) }
			netlab.Test(t, netlab.Config{Unprivileged: m.unprivileged, Setup: setup, Tries: 3}, func(t *testing.T) {
				for _, v := range versions {
					for _, cfg := range tracing(v, m.unprivileged) {
						trace(t, listen(t, cfg), chain)
					}
				}
			})
		})
	}
}

// tracing lists the sockets that can trace: raw ones need privileges.
func tracing(v icmp.Version, unprivileged bool) []transport.Config {
	if unprivileged {
		return []transport.Config{
			{Version: v, Protocol: icmp.UDP, Mode: socket.Datagram},
			{Version: v, Protocol: icmp.TCP, Mode: socket.Datagram},
		}
	}
	return []transport.Config{
		{Version: v, Protocol: icmp.UDP, Mode: socket.Raw},
		{Version: v, Protocol: icmp.TCP, Mode: socket.Raw},
		{Version: v, Protocol: icmp.SCTP, Mode: socket.Raw},
	}
}

// trace sends one probe for each hop, all at once.
func trace(t *testing.T, c *transport.Conn, chain *netlab.Chain) {
	family := 0
	if c.Version() == icmp.V6 {
		family = 1
	}
	probes := make([]transport.Probe, len(chain.Routers)+1)
	for i := range probes {
		probes[i] = transport.Probe{Destination: chain.Target[family], DestinationPort: closedPort, TTL: i + 1, Identity: uint32(1000 + i)}
		if c.Protocol() == icmp.UDP {
			probes[i].Payload, probes[i].Checksum = []byte{0, 0, byte(i)}, uint16(1000+i)
		}
	}
	send(t, c, probes...)
	for range probes {
		a := next(t, c)
		i := probed(t, c, probes, a)
		want := chain.Target[family]
		if i < len(chain.Routers) {
			want = chain.Routers[i][family]
		}
		if isError := a.Segment.Kind == transport.None; a.Source != want || isError && i < len(chain.Routers) != (a.Kind() == icmp.KindTimeExceeded) {
			t.Errorf("%v %v: with TTL %d a %v (%v) came from %v, want from %v", c.Mode(), c.Protocol(), i+1, a.Type, a.Segment.Kind, a.Source, want)
		}
		checkTimes(t, &probes[i], a)
	}
}

// probed finds out which probe an arrival is about, by what its kind of socket
// tells.
func probed(t *testing.T, c *transport.Conn, probes []transport.Probe, a *transport.Arrival) int {
	t.Helper()
	i := int(a.Identity) - 1000
	if c.Protocol() == icmp.UDP {
		if len(a.Quote.Payload) < 3 {
			t.Fatalf("the payload %x is quoted", a.Quote.Payload)
		}
		i = int(a.Quote.Payload[2])
		if c.Mode() == socket.Raw && a.Quote.Checksum != probes[i].Checksum {
			t.Errorf("the checksum %d is quoted, want %d", a.Quote.Checksum, probes[i].Checksum)
		}
	}
	if i < 0 || i >= len(probes) || c.Protocol() != icmp.UDP && !a.Identified {
		t.Fatalf("a %v is about %d (%v)", a.Type, a.Identity, a.Identified)
	}
	return i
}
