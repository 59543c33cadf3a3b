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

// A span is what tracing systems such as OpenTelemetry keep of an operation: here, of
// each probe, from the packet that left to the one that answered.
type span struct {
	name       string
	begin, end time.Time
	status     string
}

// spans makes spans of what a Prober tells.
type spans struct {
	open map[uint64]*span // by the probe
	done []*span
}

func (s *spans) note(e icmplib.TraceEvent) {
	switch e.Kind {
	case icmplib.TraceSent:
		s.open[e.Probe] = &span{name: e.Protocol.String() + " probe of " + e.Dst.String(), begin: e.Time}
	case icmplib.TraceReceived, icmplib.TraceSilent:
		if probe := s.open[e.Probe]; probe != nil { // else it is a duplicate, or nobody's
			probe.end, probe.status = e.Time, e.Verdict
			s.done = append(s.done, probe)
			delete(s.open, e.Probe)
		}
	}
}

func ExampleConfig_trace() {
	s := &spans{open: map[uint64]*span{}}
	prober, err := icmplib.NewProber(&icmplib.Config{Trace: s.note})
	if err != nil {
		log.Print(err)
		return
	}
	if _, err := prober.Ping(context.Background(), "127.0.0.1", &icmplib.PingOptions{Count: 2, Interval: -1}); err != nil {
		log.Print(err)
		return
	}
	prober.Close() // tells what there is
	for _, probe := range s.done {
		fmt.Println(probe.name, probe.end.After(probe.begin), probe.status)
	}
	// Output:
	// icmp probe of 127.0.0.1 true reply: all that it brings back is that of the probe
	// icmp probe of 127.0.0.1 true reply: all that it brings back is that of the probe
}
