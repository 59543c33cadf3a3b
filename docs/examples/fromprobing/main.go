// Command fromprobing is the port of a program that used pro-bing: it pings a host, prints
// each reply, and then a summary.
package main

import (
	"context"
	"errors"
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
		log.Fatal("usage: fromprobing HOST")
	}
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer prober.Close()
	if err := ping(prober, os.Args[1], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// pinger is what ping needs of a Prober: of the library's, or of a test's.
type pinger interface {
	PingSeq(ctx context.Context, target string, opts *icmplib.PingOptions) iter.Seq2[icmplib.Result, error]
}

func ping(p pinger, host string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	var stats icmplib.Stats
	opts := &icmplib.PingOptions{Count: 5, Interval: 200 * time.Millisecond}
	for result, err := range p.PingSeq(ctx, host, opts) {
		if errors.Is(err, context.DeadlineExceeded) {
			break // the time is over, which is no error of a ping
		}
		if err != nil {
			return err
		}
		stats.Add(result)
		switch {
		case result.Status != icmplib.StatusReply: // silence, or a router with an error
		case result.Duplicate:
			fmt.Fprintf(out, "%v seq=%d again\n", result.Responder, result.Seq)
		default:
			fmt.Fprintf(out, "%v seq=%d ttl=%d %v\n", result.Responder, result.Seq, result.TTL, result.RTT)
		}
	}
	fmt.Fprintf(out, "%d sent, %d received, %.0f %% lost, %v on average\n",
		stats.PacketsSent, stats.PacketsReceived, 100*stats.PacketLoss(), stats.AvgRTT())
	return nil
}
