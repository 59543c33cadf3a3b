package icmplib_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
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
	opts := &icmplib.MultiTracerouteOptions{Parallel: 10_000, HopRate: 200}
	opts.Count = 1
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
			fmt.Println(route.Name, hop.Distance, hop.Address, hop.AvgRTT())
		}
	}
}
