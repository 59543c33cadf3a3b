package transport_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// A SYN for each of the first hops, all in flight at once.
func ExampleListen() {
	conn, err := transport.Listen(transport.Config{Version: icmp.V4, Protocol: icmp.TCP})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	probes := make([]transport.Probe, 8)
	for i := range probes {
		probes[i] = transport.Probe{
			Destination:     netip.MustParseAddr("192.0.2.7"),
			DestinationPort: 443,
			TTL:             i + 1,
			Identity:        uint32(i),
		}
	}
	if n, err := conn.SendBatch(probes); err != nil {
		log.Fatalf("after %d probes: %v", n, err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	arrivals := make([]transport.Arrival, 8)
	for {
		n, err := conn.ReceiveBatch(ctx, arrivals)
		if err != nil {
			return // the time is up
		}
		for _, a := range arrivals[:n] {
			if a.Identified {
				rtt := a.Time.Sub(probes[a.Identity].Time)
				fmt.Println(probes[a.Identity].TTL, a.Source, a.Segment.Kind, rtt)
			}
		}
	}
}
