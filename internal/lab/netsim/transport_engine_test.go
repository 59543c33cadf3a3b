package netsim_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/internal/transport"
)

var _ engine.SegmentConn = (*netsim.TransportConn)(nil)

// A SYN to an open port, and one that a router takes.
func ExampleNetwork_ListenTransport() {
	n := netsim.MustParse(`
		client 192.0.2.1
		node r 10.0.1.1 delay=5us
		node t 10.0.9.9 delay=10us tcp=443
		path 10.0.9.0/24 r t
	`)
	c, err := n.ListenTransport(icmp.V4, icmp.TCP, netsim.TransportOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	target := netip.MustParseAddr("10.0.9.9")
	probes := []transport.Probe{
		{Destination: target, DestinationPort: 443, TTL: 1, Identity: 1},
		{Destination: target, DestinationPort: 443, TTL: 2, Identity: 2},
	}
	if _, err := c.SendBatch(probes); err != nil {
		fmt.Println(err)
	}
	arrivals := make([]transport.Arrival, 1)
	for range probes {
		if _, err := c.ReceiveBatch(context.Background(), arrivals); err != nil {
			fmt.Println(err)
		}
		a := &arrivals[0]
		if a.Segment.Kind == transport.None {
			fmt.Println(a.Source, a.Type, "about", a.Identity)
		} else {
			fmt.Println(a.Source, a.Segment.Kind, "to", a.Identity)
		}
	}
	// Output:
	// 10.0.1.1 Time Exceeded about 1
	// 10.0.9.9 SYN-ACK to 2
}
