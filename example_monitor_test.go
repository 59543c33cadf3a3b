package icmplib_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/goicmp/icmplib"
)

func ExampleMonitor() {
	opts := &icmplib.MonitorOptions{Interval: 10 * time.Millisecond, Outage: 5}
	for snapshot, err := range icmplib.Monitor(context.Background(), "127.0.0.1", opts) {
		if err != nil {
			log.Print(err) // it may be that pinging is not permitted here
			return
		}
		for _, event := range snapshot.Events { // another route, an outage and its end
			fmt.Println(event.Time, event.Kind, event.Distance, event.From, event.To, event.Duration)
		}
		if snapshot.Reached {
			fmt.Println(snapshot.Address, "is", len(snapshot.Hops), "hop away")
			break // nothing is left behind
		}
	}
	// Output: 127.0.0.1 is 1 hop away
}

func ExampleProber_Monitor() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	opts := &icmplib.MonitorOptions{Interval: 10 * time.Millisecond, Rounds: 3} // Rounds 0: for ever
	var last *icmplib.Snapshot
	for snapshot, err := range prober.Monitor(context.Background(), "127.0.0.1", opts) {
		if err != nil {
			log.Print(err)
			return
		}
		last = snapshot // it is the caller's to keep
	}
	for hop := range last.Responding() {
		fmt.Println(hop.Distance, hop.Address, "loss", hop.PacketLoss(), "measured", hop.AvgRTT() > 0)
	}
	fmt.Println("after round", last.Round)
	// Output:
	// 1 127.0.0.1 loss 0 measured true
	// after round 3
}

// A slow rate and a fast one: with nil in place of these options it takes some 75
// seconds, and is more certain.
var inAHurry = &icmplib.ExplainLossOptions{
	SlowCount: 10, SlowInterval: 4 * time.Millisecond, FastCount: 20, FastInterval: time.Millisecond,
}

func ExampleExplainLoss() {
	report, err := icmplib.ExplainLoss(context.Background(), "127.0.0.1", inAHurry)
	if err != nil {
		log.Print(err)
		return
	}
	for _, hop := range report.Hops {
		fmt.Printf("%d %v: its answers %v, the way to it %v\n", hop.Distance, hop.Address, hop.Verdict, hop.Path)
	}
	// Output: 1 127.0.0.1: its answers none, the way to it none
}

func ExampleProber_ExplainLoss() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()

	report, err := prober.ExplainLoss(context.Background(), "127.0.0.1", inAHurry)
	if err != nil {
		log.Print(err)
		return
	}
	if report.Verdict == icmplib.LossFound {
		fmt.Println("packets are lost from distance", report.From, "on")
	}
	fmt.Println("on the way to", report.Address, "there is", report.Verdict, "loss")
	// Output: on the way to 127.0.0.1 there is none loss
}

func ExampleWatch() {
	prober, err := icmplib.NewProber(nil)
	if err != nil {
		log.Print(err)
		return
	}
	defer prober.Close()
	watch, err := prober.NewWatch(&icmplib.WatchOptions{Probing: icmplib.WatchProbing{Interval: 10 * time.Millisecond}})
	if err != nil {
		log.Print(err)
		return
	}
	defer watch.Close()
	targets := []icmplib.WatchTarget{{Host: "127.0.0.1"}, {Host: "localhost", ID: "this host, by its name", Probing: &icmplib.WatchProbing{Family: icmplib.IPv4}}}
	if err := watch.Set(targets); err != nil {
		log.Print(err)
		return
	}
	up := 0
	for event, err := range watch.Events(context.Background()) {
		if err != nil {
			log.Print(err)
			return
		}
		switch event.Kind {
		case icmplib.WatchUp:
			fmt.Println(event.ID, "is up at", event.Address)
			up++
		case icmplib.WatchDown:
			fmt.Println(event.ID, "is down:", event.Result.Err())
		}
		if up == len(targets) {
			break
		}
	}
	// Unordered output:
	// 127.0.0.1 is up at 127.0.0.1
	// this host, by its name is up at 127.0.0.1
}
