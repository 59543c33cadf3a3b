package icmplib_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"slices"
	"strings"

	"github.com/goicmp/icmplib"
)

func ExampleMultiTraceroute() {
	targets := []string{"127.0.0.1", "127.0.0.2", "no..name"}
	routes, err := icmplib.MultiTraceroute(context.Background(), targets, nil)
	if err != nil {
		log.Print(err)
		return
	}
	for _, route := range routes { // in the order of the targets
		fmt.Println(route.Name, route.End, len(route.Hops), route.Err)
	}
	// Output:
	// 127.0.0.1 reached 1 <nil>
	// 127.0.0.2 reached 1 <nil>
	// no..name unknown 0 cannot resolve "no..name": it has an empty label
}

func ExampleMultiTracerouteSeq() {
	targets := slices.Values([]string{"127.0.0.1", "127.0.0.2"})
	opts := &icmplib.MultiTracerouteOptions{Count: 3, Fast: true}
	for route, err := range icmplib.MultiTracerouteSeq(context.Background(), targets, opts) {
		if err != nil {
			log.Print(err)
			return
		}
		fmt.Println(route.Name, route.Reached)
	}
	// Unordered output:
	// 127.0.0.1 true
	// 127.0.0.2 true
}

func ExampleProber_MultiTracerouteSeq() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	list := strings.NewReader("127.0.0.1\n127.0.0.2\n127.0.0.3\n") // a file, or what another program writes
	targets := func(yield func(string) bool) {
		for lines := bufio.NewScanner(list); lines.Scan(); {
			if !yield(lines.Text()) {
				return
			}
		}
	}
	opts := &icmplib.MultiTracerouteOptions{Count: 1, Parallel: 10_000, HopRate: 200}
	for route, err := range prober.MultiTracerouteSeq(context.Background(), targets, opts) {
		if err != nil {
			log.Print(err)
			return
		}
		if route.Err != nil {
			fmt.Println(route.Name, route.Err)
			continue
		}
		for hop := range route.Responding() {
			fmt.Println(route.Name, hop.Distance, hop.Address)
		}
	}
	// Unordered output:
	// 127.0.0.1 1 127.0.0.1
	// 127.0.0.2 1 127.0.0.2
	// 127.0.0.3 1 127.0.0.3
}
