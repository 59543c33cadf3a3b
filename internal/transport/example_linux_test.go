package transport_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// A SYN for each of the first hops, all in flight at once.
func ExampleListen() {
	conn, err := transport.Listen(transport.Config{Version: icmp.V4, Protocol: icmp.TCP})
	if err != nil {
		log.Print(err)
		return
	}
	defer conn.Close()

	probes := make([]transport.Probe, 3)
	for i := range probes {
		probes[i] = transport.Probe{
			Destination:     netip.MustParseAddr("127.0.0.1"),
			DestinationPort: 1, // where nobody listens
			TTL:             i + 1,
			Identity:        uint32(i),
		}
	}
	if n, err := conn.SendBatch(probes); err != nil {
		log.Printf("after %d probes: %v", n, err)
		return
	}
	arrivals := make([]transport.Arrival, 8)
	for open := len(probes); open > 0; {
		n, err := conn.ReceiveBatch(context.Background(), arrivals)
		if err != nil {
			log.Print(err)
			return
		}
		for _, a := range arrivals[:n] {
			if a.Identified {
				rtt := a.Time.Sub(probes[a.Identity].Time)
				fmt.Println(probes[a.Identity].TTL, a.Source, a.Segment.Kind, rtt > 0)
				open--
			}
		}
	}
	// Unordered output:
	// 1 127.0.0.1 RST true
	// 2 127.0.0.1 RST true
	// 3 127.0.0.1 RST true
}
