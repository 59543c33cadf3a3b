// Command discover lists the hosts that answer a broadcast or multicast ping: of
// 192.0.2.255, 224.0.0.1 or ff02::1%eth0.
package main

import (
	"context"
	"fmt"
	"iter"
	"log"
	"net/netip"
	"os"
	"time"

	"github.com/goicmp/icmplib"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: discover GROUP")
	}
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer prober.Close()
	for r, err := range discover(context.Background(), prober, os.Args[1]) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Responder, r.RTT)
	}
}

// discover yields the first answer of each host.
func discover(ctx context.Context, p *icmplib.Prober, group string) iter.Seq2[icmplib.Result, error] {
	return func(yield func(icmplib.Result, error) bool) {
		seen := map[netip.Addr]bool{}
		for r, err := range p.PingSeq(ctx, group, &icmplib.PingOptions{
			Count:    2, // for hosts that miss the first
			Interval: 500 * time.Millisecond,
			Packet:   icmplib.Packet{Broadcast: true},
		}) {
			if r.Cause != nil {
				err = r.Cause // such as a group to which there is no route
			}
			// The first to answer settles a request; the others are duplicates.
			isNew := r.Status == icmplib.StatusReply && !seen[r.Responder]
			seen[r.Responder] = seen[r.Responder] || isNew
			if (err != nil || isNew) && !yield(r, err) {
				return
			}
		}
	}
}
