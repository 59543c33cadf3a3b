// Sweep pings a row of addresses once each, as fast as can be, and does nothing
// else: the bench measures it as a process. It uses nothing but what the library
// exports, so that it can be built against another commit of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"runtime/pprof"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "sweep:", err)
		os.Exit(1)
	}
}

func run() error {
	raw := flag.Bool("raw", false, "use raw sockets, else datagram ones")
	first := flag.String("first", "127.0.0.1", "the first address")
	count := flag.Int("count", 1, "addresses, from the first on")
	requests := flag.Int("requests", 1, "requests to each")
	interval := flag.Duration("interval", time.Second, "between two requests to an address")
	rate := flag.Int("rate", -1, "packets per second; -1: no limit")
	profile := flag.String("cpuprofile", "", "write a processor profile to this file")
	flag.Parse()
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	addr, err := netip.ParseAddr(*first)
	if err != nil {
		return err
	}
	mode := socket.Datagram
	if *raw {
		mode = socket.Raw
	}
	p, err := icmplib.NewProber(&icmplib.Config{Mode: mode})
	if err != nil {
		return err
	}
	defer p.Close()
	names := func(yield func(string) bool) {
		for range *count {
			if !yield(addr.String()) {
				return
			}
			addr = addr.Next()
		}
	}
	opts := &icmplib.MultiPingOptions{Count: *requests, Interval: *interval, Rate: *rate, Timeout: 5 * time.Second}
	received := 0
	for h, err := range p.MultiPingSeq(context.Background(), names, opts) {
		if err != nil {
			return err
		}
		received += h.PacketsReceived
	}
	// Losses of its own are a figure of their own: a sweep that loses is cheaper.
	_, err = fmt.Println(*count**requests - received)
	return err
}
