package transport_test

import (
	"context"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

// BenchmarkRound is a batch of 16 probes to closed ports of this host, and their
// answers. (The kernel limits how often it calls a port unreachable, so UDP is
// not among them.)
func BenchmarkRound(b *testing.B) {
	for _, m := range modes[:2] {
		b.Run("TCP "+m.name, func(b *testing.B) {
			c, err := transport.Listen(transport.Config{Version: icmp.V4, Protocol: icmp.TCP, Mode: m.mode})
			if err != nil {
				b.Skipf("the system allows no such socket: %v", err)
			}
			defer c.Close()
			probes, arrivals := make([]transport.Probe, 16), make([]transport.Arrival, 16)
			b.ReportAllocs()
			for b.Loop() {
				round(b, c, probes, arrivals)
			}
		})
	}
}

func round(b *testing.B, c *transport.Conn, probes []transport.Probe, arrivals []transport.Arrival) {
	for i := range probes {
		probes[i] = transport.Probe{Destination: loopback(icmp.V4), DestinationPort: 9, Identity: uint32(i)}
	}
	for sent := 0; sent < len(probes); {
		n, err := c.SendBatch(probes[sent:])
		if err != nil && !socket.IsBusy(err) {
			b.Fatal(err)
		}
		sent += n
	}
	for received := 0; received < len(probes); {
		n, err := c.ReceiveBatch(context.Background(), arrivals)
		if err != nil {
			b.Fatal(err)
		}
		received += n
	}
}
