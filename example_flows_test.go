package icmplib_test

import (
	"context"
	"fmt"

	"github.com/goicmp/icmplib"
)

// All ways to a host, with a confidence of 95 % for each router.
func ExampleTraceroute_flows() {
	route, err := icmplib.Traceroute(context.Background(), "127.0.0.1", &icmplib.TracerouteOptions{Flows: -1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, hop := range route.Graph.Hops {
		for _, node := range hop.Nodes {
			fmt.Println(hop.Distance, node.Address, hop.Balancing)
		}
	}
	fmt.Println(len(route.Graph.Diamonds), "diamonds; complete:", route.Graph.Complete)
	// Output:
	// 1 127.0.0.1 none
	// 0 diamonds; complete: true
}
