// Command watchroute prints what changes on the path to a host: routes, outages and
// recoveries.
package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"time"

	"github.com/goicmp/icmplib"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: watchroute HOST")
	}
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer prober.Close()
	log.Fatal(report(context.Background(), prober, os.Args[1], nil, os.Stdout))
}

// monitor is what report needs of a Prober: of the library's, or of a test's.
type monitor interface {
	Monitor(ctx context.Context, target string, opts *icmplib.MonitorOptions) iter.Seq2[*icmplib.Snapshot, error]
}

// report writes a line for each event.
func report(ctx context.Context, m monitor, host string, opts *icmplib.MonitorOptions, out io.Writer) error {
	for snapshot, err := range m.Monitor(ctx, host, opts) {
		if err != nil {
			return err
		}
		for _, e := range snapshot.Events {
			switch e.Kind {
			case icmplib.EventRouteChange:
				fmt.Fprintf(out, "hop %d: %v instead of %v\n", e.Distance, e.To, e.From)
			case icmplib.EventAddressChange:
				fmt.Fprintf(out, "the name has the address %v instead of %v\n", e.To, e.From)
			case icmplib.EventOutage:
				fmt.Fprintf(out, "no answer since %v\n", e.Time.UTC().Format(time.TimeOnly))
			case icmplib.EventRecovery:
				fmt.Fprintf(out, "an answer again, after %v\n", e.Duration)
			}
		}
	}
	return nil
}
