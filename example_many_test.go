package icmplib_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib"
)

func ExampleMultiPing() {
	targets := []string{"127.0.0.1", "127.0.0.2", "no..name"}
	hosts, err := icmplib.MultiPing(context.Background(), targets, &icmplib.MultiPingOptions{Count: 1})
	if err != nil {
		log.Print(err)
		return
	}
	for _, host := range hosts { // in the order of the targets
		fmt.Println(host.Name, host.IsAlive(), host.Err)
	}
	// Output:
	// 127.0.0.1 true <nil>
	// 127.0.0.2 true <nil>
	// no..name false cannot resolve "no..name": it has an empty label
}

func ExampleProber_MultiPingSeq() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	// Any number of targets, in memory for what is in flight.
	targets := func(yield func(string) bool) {
		for i := range 254 {
			if !yield(netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}).String()) {
				return
			}
		}
	}
	alive := 0
	for host, err := range prober.MultiPingSeq(context.Background(), targets, &icmplib.MultiPingOptions{Count: 1, Rate: 5000}) {
		if err != nil {
			log.Print(err)
			return
		}
		if host.IsAlive() {
			alive++
		} else {
			fmt.Println(host.Name, "does not answer:", host.LastICMPError)
		}
	}
	fmt.Println(alive, "answer")
	// Output: 254 answer
}

func ExampleTraceroute() {
	route, err := icmplib.Traceroute(context.Background(), "127.0.0.1", nil)
	if err != nil {
		log.Print(err)
		return
	}
	for hop := range route.Responding() {
		fmt.Println(hop.Distance, hop.Address, hop.PacketsReceived, hop.MPLS)
	}
	fmt.Println(route.End)
	// Output:
	// 1 127.0.0.1 2 []
	// reached
}

func ExampleProber_TracerouteSeq() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	opts := &icmplib.TracerouteOptions{Fast: true, Packet: icmplib.Packet{Protocol: icmplib.UDP}}
	for hop, err := range prober.TracerouteSeq(context.Background(), "127.0.0.1", opts) {
		if err != nil {
			log.Print(err)
			return
		}
		if hop.IsSilent() {
			fmt.Println(hop.Distance, "*")
			continue
		}
		fmt.Println(hop.Distance, hop.Address, hop.Status)
	}
	// Output: 1 127.0.0.1 reply
}

func ExampleProber_Probe() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	result, err := prober.Probe(context.Background(), netip.MustParseAddr("127.0.0.1"), &icmplib.ProbeOptions{
		Timeout: time.Second,
		Packet:  icmplib.Packet{Protocol: icmplib.TCP, Port: 443, TTL: 5},
	})
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(result.Status, result.Responder) // a closed port is an answer, too
	// Output: reply 127.0.0.1
}

// One goroutine sends, takes results and does other things: what a loop over several
// sources needs.
func ExampleStream_Collect() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()
	stream := prober.NewStream()
	defer stream.Close()

	probe := icmplib.StreamProbe{Dst: netip.MustParseAddr("127.0.0.1"), Tag: 7}
	if err := stream.Send(context.Background(), []icmplib.StreamProbe{probe}); err != nil {
		log.Print(err)
		return
	}
	hangUp := time.After(5 * time.Second)
	results := make([]icmplib.StreamResult, 16)
	for {
		select {
		case <-stream.Ready():
			for _, r := range results[:stream.Collect(results)] {
				fmt.Println(r.Tag, r.Status)
				return
			}
		case <-hangUp:
			fmt.Println("nothing came")
			return
		}
	}
	// Output: 7 reply
}

func ExampleProber_NewStream() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	stream := prober.NewStream()
	defer stream.Close()
	probes := make([]icmplib.StreamProbe, 4)
	for i := range probes { // one for each TTL
		probes[i] = icmplib.StreamProbe{Dst: netip.MustParseAddr("127.0.0.1"), Tag: uint64(i + 1)}
		probes[i].Packet.TTL = i + 1
	}
	if err := stream.Send(context.Background(), probes); err != nil {
		log.Print(err)
		return
	}
	results := make([]icmplib.StreamResult, 4)
	for open := len(probes); open > 0; {
		n, err := stream.Receive(context.Background(), results)
		if err != nil {
			log.Print(err)
			return
		}
		for _, r := range results[:n] {
			fmt.Println(r.Tag, r.Status, r.Responder)
		}
		open -= n
	}
	// Unordered output:
	// 1 reply 127.0.0.1
	// 2 reply 127.0.0.1
	// 3 reply 127.0.0.1
	// 4 reply 127.0.0.1
}

func ExampleProber_Capabilities() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	capabilities := prober.Capabilities()
	if err := capabilities.Can(icmplib.ICMP, icmplib.IPv4); err != nil {
		fmt.Println(err) // what stands in the way, and what would allow it
	}
	possible := slices.DeleteFunc(capabilities.Sockets, func(c icmplib.Capability) bool { return c.Err != nil })
	fmt.Println(len(possible) > 0)
	// Output: true
}

func ExampleParseProtocol() {
	protocol, err := icmplib.ParseProtocol("udp")
	fmt.Println(protocol, err)

	_, err = icmplib.ParseProtocol("igmp")
	fmt.Println(err)
	// Output:
	// udp <nil>
	// unknown protocol "igmp": icmp, udp, tcp and sctp are known
}
