package icmplib_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/goicmp/icmplib"
)

func ExampleProber_PathMTU() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	path, err := prober.PathMTU(ctx, "127.0.0.1", nil)
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println("packets of", path.MTU, "bytes get there:", path.Confirmed, "- and no larger ones:", path.Exact)
	for _, hop := range path.Hops {
		fmt.Println(hop.Distance, hop.Address, hop.MTU, hop.Source)
	}
	for _, hole := range path.BlackHoles {
		fmt.Println("packets of", hole.Fails, "bytes vanish between hops", hole.After, "and", hole.Before)
	}
}

func ExampleRoute_Rewrites() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	route, err := icmplib.Traceroute(ctx, "127.0.0.1", nil)
	if err != nil {
		log.Print(err)
		return
	}
	for _, p := range route.Rewrites() {
		if p.Fields&icmplib.RewriteTranslation != 0 && p.Sure {
			fmt.Println("there is an address translator between hops", p.After, "and", p.Before)
		}
	}
}
