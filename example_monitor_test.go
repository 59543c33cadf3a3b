package icmplib_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/goicmp/icmplib"
)

func ExampleProber_Monitor() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	opts := &icmplib.MonitorOptions{Interval: 20 * time.Millisecond, Rounds: 3} // Rounds 0: for ever
	for snapshot, err := range prober.Monitor(context.Background(), "127.0.0.1", opts) {
		if err != nil {
			log.Print(err) // it may be that pinging is not permitted here
			return
		}
		for hop := range snapshot.Responding() {
			fmt.Println(snapshot.Round, hop.Distance, hop.Address, hop.PacketLoss(), hop.AvgRTT())
		}
		for _, event := range snapshot.Events {
			fmt.Println(event.Time, event.Kind, event.Distance, event.From, event.To, event.Duration)
		}
	}
}

func ExampleMonitor() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	for snapshot, err := range icmplib.Monitor(ctx, "127.0.0.1", &icmplib.MonitorOptions{Interval: 20 * time.Millisecond}) {
		if err != nil {
			log.Print(err)
			return
		}
		if snapshot.Reached {
			break // nothing is left behind
		}
	}
}

func ExampleExplainLoss() {
	// With nil in place of these options it takes some 75 s, and is more certain.
	report, err := icmplib.ExplainLoss(context.Background(), "127.0.0.1", &icmplib.ExplainLossOptions{
		SlowCount: 10, SlowInterval: 20 * time.Millisecond, FastCount: 20, FastInterval: 2 * time.Millisecond,
	})
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(report.Address, report.Verdict)
	for _, hop := range report.Hops {
		fmt.Printf("%d %v: its answers %v, the way to it %v\n", hop.Distance, hop.Address, hop.Verdict, hop.Path)
	}
}

func ExampleProber_ExplainLoss() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	opts := &icmplib.ExplainLossOptions{SlowCount: 10, SlowInterval: 20 * time.Millisecond, FastCount: 20, FastInterval: 2 * time.Millisecond}
	report, err := prober.ExplainLoss(context.Background(), "127.0.0.1", opts)
	if err != nil {
		log.Print(err)
		return
	}
	if report.Verdict == icmplib.LossFound {
		fmt.Println("packets are lost from distance", report.From, "on")
	}
}
