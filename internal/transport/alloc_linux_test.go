package transport_test

import (
	"context"
	"testing"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
	"github.com/goicmp/icmplib/socket"
)

func TestBatchesAllocateNothing(t *testing.T) {
	for _, protocol := range []icmp.Protocol{icmp.UDP, icmp.TCP} {
		t.Run(protocol.String(), func(t *testing.T) {
			everyMode(t, modes[:2], func(t *testing.T, v icmp.Version, m socket.Mode) {
				c := listen(t, transport.Config{Version: v, Protocol: protocol, Mode: m, Ports: 4})
				first, _ := c.Ports()
				port := uint16(closedPort)
				payload := []byte(nil)
				if protocol == icmp.UDP {
					port, payload = echoUDP(t, v), make([]byte, 56)
				}
				probes, arrivals := make([]transport.Probe, 16), make([]transport.Arrival, 16)
				round := func() {
					for i := range probes {
						probes[i] = transport.Probe{Destination: loopback(v), DestinationPort: port, Identity: uint32(i), Payload: payload, TTL: 9}
						if protocol == icmp.UDP {
							probes[i].SourcePort, probes[i].Checksum = first+uint16(i%4), uint16(i)
						}
					}
					if n, err := c.SendBatch(probes); n != len(probes) || err != nil {
						t.Fatal(n, err)
					}
					for received := 0; received < len(probes); {
						n, err := c.ReceiveBatch(context.Background(), arrivals)
						if err != nil {
							t.Fatal(err)
						}
						received += n
					}
				}
				round()
				if n := testing.AllocsPerRun(50, round); n != 0 {
					t.Errorf("%v allocations in a round of %d", n, len(probes))
				}
			})
		})
	}
}
