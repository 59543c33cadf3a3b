package icmplib_test

import (
	"context"
	"fmt"
	"log"

	"github.com/goicmp/icmplib"
)

func ExamplePathMTU() {
	// A tunnel wants to know whether its packets fit: nothing larger is tried.
	path, err := icmplib.PathMTU(context.Background(), "127.0.0.1", &icmplib.PathMTUOptions{MaxMTU: 1420})
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println("packets of", path.MTU, "bytes get there:", path.Confirmed)
	// Output: packets of 1420 bytes get there: true
}

func ExampleProber_PathMTU() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	opts := &icmplib.PathMTUOptions{MaxMTU: 9000} // 0: what this system can send
	path, err := prober.PathMTU(context.Background(), "127.0.0.1", opts)
	if err != nil {
		log.Print(err)
		return
	}
	for _, hop := range path.Hops {
		fmt.Println(hop.Distance, hop.Address, hop.MTU, hop.Source)
	}
	for _, hole := range path.BlackHoles {
		fmt.Println("packets of", hole.Fails, "bytes vanish between hops", hole.After, "and", hole.Before)
	}
	fmt.Println("packets of", path.MTU, "bytes get there:", path.Confirmed, "- and no larger ones:", path.Exact)
	// Output:
	// 1 127.0.0.1 9000 kept
	// packets of 9000 bytes get there: true - and no larger ones: false
}

func ExampleRoute_Rewrites() {
	route, err := icmplib.Traceroute(context.Background(), "127.0.0.1", nil)
	if err != nil {
		log.Print(err)
		return
	}
	translators := 0
	for _, p := range route.Rewrites() {
		if p.Fields&icmplib.RewriteTranslation != 0 && p.Sure {
			fmt.Println("there is an address translator between hops", p.After, "and", p.Before)
			translators++
		}
	}
	fmt.Println(translators, "address translators")
	// Output: 0 address translators
}
