package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"github.com/goicmp/icmplib"
)

const (
	busyPings = 1000
	busyFor   = 100 * time.Second // at the most, should nobody end it
)

// busy measures what round-trip times become while every core is busy, by us
// and by ping.
func (b *bench) busy() error {
	if err := b.pingsWhen("idle"); err != nil {
		return err
	}
	return whileBusy(func() error { return b.pingsWhen("every core busy") })
}

// whileBusy runs f while every core is busy with other things.
func whileBusy(f func() error) error {
	load := again("busy")
	if err := load.Start(); err != nil {
		return err
	}
	defer func() { _ = load.Process.Kill(); _ = load.Wait() }()
	return f()
}

func (b *bench) pingsWhen(when string) error {
	var ours, theirs []float64
	_, lookErr := exec.LookPath("ping")
	for range 3 {
		average, err := pingOurs()
		if err != nil {
			return err
		}
		ours = append(ours, average)
		if lookErr != nil {
			continue
		}
		if average, err = pingTheirs(); err != nil {
			return err
		}
		theirs = append(theirs, average)
	}
	b.table.add(median(ours), "us", "", "mean RTT of %d pings, %s, Ping", busyPings, when)
	if theirs != nil {
		b.table.add(median(theirs), "us", "", "mean RTT of %d pings, %s, ping of iputils", busyPings, when)
		b.table.add(ratio(ours, theirs), "", "", "mean RTT, %s, against ping of iputils", when)
	}
	return nil
}

func pingOurs() (float64, error) {
	h, err := icmplib.Ping(context.Background(), "127.0.0.1", &icmplib.PingOptions{Count: busyPings, Interval: 2 * time.Millisecond})
	if err != nil {
		return 0, err
	}
	if h.PacketsReceived != busyPings {
		return 0, fmt.Errorf("%d of %d answered", h.PacketsReceived, busyPings)
	}
	return float64(h.AvgRTT().Nanoseconds()) / 1e3, nil
}

func pingTheirs() (float64, error) {
	return meanRTT([]string{"ping", "-q", "-i0.002", "-c" + strconv.Itoa(busyPings), "127.0.0.1"})
}

// keepBusy keeps every core busy for busyFor, or until the process is ended.
func keepBusy() error {
	end := time.Now().Add(busyFor)
	for range runtime.NumCPU() {
		go func() {
			for time.Now().Before(end) {
			}
		}()
	}
	time.Sleep(busyFor)
	return nil
}

// child is what a child of the program does.
func child(stage string) error {
	switch stage {
	case "rss":
		return residentChild(kind{raw: true})
	case "rss6":
		return residentChild(kind{ipv6: true})
	case "busy":
		return keepBusy()
	case "tree":
		return carryTree()
	case "short-tree":
		return carryShortTree()
	case "steady":
		return carrySteady()
	case "far":
		return carryFar()
	case "floor":
		return goFloorChild(os.Args[1:])
	case "noise":
		return makeNoise()
	}
	return fmt.Errorf("%s=%s: no such stage", stageVariable, stage)
}
