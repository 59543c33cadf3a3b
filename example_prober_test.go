package icmplib_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"slices"

	"github.com/goicmp/icmplib"
)

// A program that probes all the time has a Prober of its own, which keeps its
// sockets. It has every operation as a method.
func ExampleProber() {
	prober, err := icmplib.NewProber(&icmplib.Config{Names: new(icmplib.NameCache)})
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()
	ctx, targets := context.Background(), []string{"localhost", "127.0.0.2"}

	addrs, err := prober.Resolve(ctx, "localhost", icmplib.IPv4) // from the cache, the second time
	if err != nil {
		log.Print(err)
		return
	}
	hosts, err := prober.MultiPing(ctx, targets, &icmplib.MultiPingOptions{Count: 1})
	if err != nil {
		log.Print(err)
		return
	}
	route, err := prober.Traceroute(ctx, "localhost", &icmplib.TracerouteOptions{Count: 1})
	if err != nil {
		log.Print(err)
		return
	}
	routes, err := prober.MultiTraceroute(ctx, targets, &icmplib.MultiTracerouteOptions{Count: 1})
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(addrs, hosts[0].IsAlive(), hosts[1].IsAlive(), route.Reached, routes[0].Reached, routes[1].Reached)
	// Output: [127.0.0.1] true true true true true
}

func ExamplePingSeq() {
	opts := &icmplib.PingOptions{Count: 3, Interval: -1} // each request when the one before has its answer
	for result, err := range icmplib.PingSeq(context.Background(), "127.0.0.1", opts) {
		if err != nil {
			log.Print(err)
			return
		}
		fmt.Println(result.Seq, result.Status, result.RTT > 0)
	}
	// Output:
	// 0 reply true
	// 1 reply true
	// 2 reply true
}

func ExampleMultiPingSeq() {
	targets := slices.Values([]string{"127.0.0.1", "127.0.0.2", "no..name"})
	for host, err := range icmplib.MultiPingSeq(context.Background(), targets, &icmplib.MultiPingOptions{Count: 1}) {
		if err != nil {
			log.Print(err)
			return
		}
		fmt.Println(host.Name, host.IsAlive())
	}
	// Unordered output:
	// 127.0.0.1 true
	// 127.0.0.2 true
	// no..name false
}

func ExampleTracerouteSeq() {
	opts := &icmplib.TracerouteOptions{Count: 3, Fast: true}
	for hop, err := range icmplib.TracerouteSeq(context.Background(), "127.0.0.1", opts) {
		if err != nil {
			log.Print(err)
			return
		}
		fmt.Println(hop.Distance, hop.Address)
	}
	// Output: 1 127.0.0.1
}

func ExampleProbe() {
	opts := &icmplib.ProbeOptions{Packet: icmplib.Packet{TTL: 1, Size: 1000, DontFragment: true}}
	result, err := icmplib.Probe(context.Background(), netip.MustParseAddr("127.0.0.1"), opts)
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(result.Status, result.Size)
	// Output: reply 1008
}
