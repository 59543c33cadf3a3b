// Command services reports which services of a host answer, and how far away they are.
// Hosts that drop every other packet answer these.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/goicmp/icmplib"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: services HOST")
	}
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer prober.Close()
	if err := ask(context.Background(), prober, os.Args[1], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// tracer is what ask needs of a Prober: of the library's, or of a test's.
type tracer interface {
	Traceroute(ctx context.Context, target string, opts *icmplib.TracerouteOptions) (*icmplib.Route, error)
}

// ask writes a line for each service.
func ask(ctx context.Context, t tracer, host string, out io.Writer) error {
	for _, service := range []icmplib.Service{icmplib.DNS, icmplib.NTP, icmplib.QUIC} {
		route, err := t.Traceroute(ctx, host, &icmplib.TracerouteOptions{
			GapLimit: 3,
			Packet:   icmplib.Packet{Protocol: icmplib.UDP, Service: service},
		})
		if err != nil {
			return err
		}
		if route.Reached {
			target := &route.Hops[len(route.Hops)-1]
			fmt.Fprintf(out, "%v answers at distance %d in %v\n", service, target.Distance, target.AvgRTT())
		} else {
			fmt.Fprintf(out, "%v: %v\n", service, route.End)
		}
	}
	return nil
}
