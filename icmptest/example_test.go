package icmptest_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/icmptest"
)

// In a test, t is its *testing.T.
func ExampleNewProber() {
	p := icmptest.NewProber(t, `
		client 192.0.2.1
		node r1  203.0.113.1  delay=1ms
		node web 198.51.100.7 delay=1ms lose@3
		path 198.51.100.7/32 r1 web
	`, nil)
	opts := &icmplib.PingOptions{Count: 4, Interval: 10 * time.Millisecond, Timeout: 100 * time.Millisecond}
	host, err := p.Ping(context.Background(), "web", opts)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(host.Address, host.PacketsReceived, "of", host.PacketsSent)
	for _, packet := range p.Truth() {
		if packet.Did(icmptest.Dropped) {
			fmt.Println(&packet)
		}
	}
	// Output:
	// 198.51.100.7 3 of 4
	// ICMP to 198.51.100.7, TTL 64, 84 bytes
	// 	+1ms r1 forwarded
	// 	+2ms web dropped: lost
}

// The text describes the routes, with labels, silent routers and loss on the path.
func ExampleNewProber_traceroute() {
	p := icmptest.NewProber(t, `
		client 192.0.2.1
		node r1  203.0.113.1  delay=1ms
		node r2  203.0.113.2  delay=1ms mpls=24001/0/1
		node web 198.51.100.7 delay=1ms
		path 198.51.100.0/24 r1 r2 web
	`, nil)
	route, err := p.Traceroute(context.Background(), "web", nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, hop := range route.Hops {
		fmt.Println(hop.Distance, hop.Address)
	}
	// Output:
	// 1 203.0.113.1
	// 2 203.0.113.2
	// 3 198.51.100.7
}
