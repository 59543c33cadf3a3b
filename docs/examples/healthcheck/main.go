// Command healthcheck reports when a host has not answered three times in a row, and
// when it answers again. Its logic is tested without a network.
package main

import (
	"context"
	"fmt"
	"iter"
	"log"
	"os"
	"time"

	"github.com/goicmp/icmplib"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: healthcheck HOST")
	}
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer prober.Close()
	log.Fatal(watch(context.Background(), prober, os.Args[1], func(up bool) { fmt.Println(os.Args[1], "up:", up) }))
}

// pinger is what watch needs of a Prober: of the library's, or of a test's.
type pinger interface {
	PingSeq(ctx context.Context, target string, opts *icmplib.PingOptions) iter.Seq2[icmplib.Result, error]
}

// tolerated losses in a row raise no alarm yet.
const tolerated = 2

// watch calls changed(false) on the third loss in a row, and changed(true) when
// the host answers after that. It ends with ctx, or with an error of this machine.
func watch(ctx context.Context, p pinger, host string, changed func(up bool)) error {
	lost, up := 0, true
	opts := &icmplib.PingOptions{Count: -1, Interval: time.Second, Timeout: 500 * time.Millisecond}
	for result, err := range p.PingSeq(ctx, host, opts) {
		switch {
		case err != nil:
			return err
		case result.Duplicate || result.Late:
			continue // the probe that it answers has been counted
		case result.Status == icmplib.StatusReply:
			lost = 0
		default:
			lost++
		}
		if now := lost <= tolerated; now != up {
			up = now
			changed(up)
		}
	}
	return nil
}
