// Command fromicmplib is the port of a script that used icmplib for Python: it pings
// hosts, and traces the route to those that do not answer.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/goicmp/icmplib"
)

func main() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer prober.Close()
	if err := report(context.Background(), prober, os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// prober is what report needs of a Prober: of the library's, or of a test's.
type prober interface {
	MultiPing(ctx context.Context, targets []string, opts *icmplib.MultiPingOptions) ([]*icmplib.Host, error)
	Traceroute(ctx context.Context, target string, opts *icmplib.TracerouteOptions) (*icmplib.Route, error)
}

func report(ctx context.Context, p prober, targets []string, out io.Writer) error {
	hosts, err := p.MultiPing(ctx, targets, &icmplib.MultiPingOptions{Count: 3, Interval: 200 * time.Millisecond})
	if err != nil {
		return err
	}
	for _, host := range hosts {
		switch {
		case host.IsAlive():
			fmt.Fprintf(out, "%v: %v, %.0f %% lost\n", host.Address, host.AvgRTT(), 100*host.PacketLoss())
		case host.Err != nil: // such as a name that there is not: the others have been asked
			fmt.Fprintf(out, "%s: %v\n", host.Name, host.Err)
		default:
			fmt.Fprintf(out, "%v is down\n", host.Address)
			route, err := p.Traceroute(ctx, host.Address.String(), &icmplib.TracerouteOptions{Count: 1})
			if err != nil {
				return err
			}
			for hop := range route.Responding() {
				fmt.Fprintf(out, "%4d %v %v\n", hop.Distance, hop.Address, hop.AvgRTT())
			}
		}
	}
	return nil
}
