package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

const (
	soakRate   = 50_000 // packets per second
	soakHosts  = 40_000 // of a MultiPing
	soakCount  = 3
	soakSilent = 50 // one of so many hosts never answers
)

// footprint is what must not grow.
type footprint struct {
	goroutines, descriptors int
	heap, resident          float64 // MiB
}

func look() (f footprint, err error) {
	f.heap = float64(live()) / (1 << 20)
	f.goroutines = runtime.NumGoroutine()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return f, err
	}
	f.descriptors = len(entries)
	f.resident, err = status("VmRSS")
	f.resident /= 1024
	return f, err
}

// soak pings for so long, one MultiPing after another with one Prober, while
// another process pings the same hosts, and sees that nothing grows and no
// answer is lost.
func soak(d time.Duration) error {
	noise := again("noise")
	if err := noise.Start(); err != nil {
		return err
	}
	defer func() { _ = noise.Process.Kill(); _ = noise.Wait() }()
	p, err := icmplib.NewProber(&icmplib.Config{Mode: socket.Raw})
	if err != nil {
		return err
	}
	defer p.Close()
	var first, last footprint
	start := time.Now()
	for round := 0; round < 3 || time.Since(start) < d; round++ {
		if err := soakOnce(p, round); err != nil {
			return err
		}
		if last, err = look(); err != nil {
			return err
		}
		if round == 1 { // by then all that stays is there
			first = last
		}
		fmt.Printf("%6.1f s  %v packets  %d goroutines  %d descriptors  %.1f MiB heap  %.1f MiB resident\n",
			time.Since(start).Seconds(), p.Counters().PacketsSent, last.goroutines, last.descriptors, last.heap, last.resident)
	}
	return first.grown(last)
}

// grown tells what is more than it was. The heap may differ by the slots of
// probes that are remembered for a while, resident memory by a collection that
// was not due yet.
func (f footprint) grown(now footprint) error {
	var errs []error
	if now.goroutines > f.goroutines {
		errs = append(errs, fmt.Errorf("%d goroutines were %d", now.goroutines, f.goroutines))
	}
	if now.descriptors > f.descriptors {
		errs = append(errs, fmt.Errorf("%d descriptors were %d", now.descriptors, f.descriptors))
	}
	if now.heap > f.heap+2 || now.resident > 1.5*f.resident+4 {
		errs = append(errs, fmt.Errorf("memory grew: %.1f MiB were %.1f, resident %.1f were %.1f", now.heap, f.heap, now.resident, f.resident))
	}
	return errors.Join(errs...)
}

// soakOnce pings many hosts, of which some never answer.
func soakOnce(p *icmplib.Prober, round int) error {
	targets := make([]string, soakHosts)
	for i := range targets {
		prefix := local4
		if i%soakSilent == 0 {
			prefix = silent
		}
		targets[i] = host(prefix, 1+(round*soakHosts+i)%100_000).String()
	}
	opts := &icmplib.MultiPingOptions{Count: soakCount, Interval: 50 * time.Millisecond, Timeout: 500 * time.Millisecond, Rate: soakRate}
	for h, err := range p.MultiPingSeq(context.Background(), slices.Values(targets), opts) {
		if err != nil {
			return err
		}
		want := soakCount
		if silent.Contains(h.Address) {
			want = 0
		}
		if h.PacketsReceived != want || h.Duplicates+h.Altered > 0 {
			return fmt.Errorf("%d answers should be %d:\n%v", h.PacketsReceived, want, h)
		}
	}
	return nil
}

// makeNoise pings the same hosts until the process is ended.
func makeNoise() error {
	k := kind{raw: true}
	sock, err := openFloor(k, syscall.IP_PMTUDISC_DONT)
	if err != nil {
		return err
	}
	defer sock.Close()
	for {
		if err := runFloor(sock, k, k.addr(0), 1000); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}
