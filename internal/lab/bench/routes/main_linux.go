// Routes watches the routes to the addresses on its standard input with a Monitor for
// each, and says what that costs: the bench measures it as a process. It uses nothing but
// what the library exports, so that it can be built against another commit of it.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "routes:", err)
		os.Exit(1)
	}
}

// run prints the processor time and the memory, in nanoseconds per probe and bytes per
// route, the number of probes, and how many routes are wrong.
func run() error {
	hops := flag.Int("hops", 6, "of each route, all of which answer")
	settle := flag.Duration("settle", 6*time.Second, "before anything is measured")
	measure := flag.Duration("measure", 14*time.Second, "how long that lasts")
	profile := flag.String("cpuprofile", "", "write a processor profile to this file")
	flag.Parse()
	var targets []string
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		targets = append(targets, lines.Text())
	}
	p, err := icmplib.NewProber(&icmplib.Config{Mode: socket.Raw})
	if err != nil {
		return err
	}
	defer p.Close()
	ctx, stop := context.WithTimeout(context.Background(), *settle+*measure+time.Second)
	defer stop()
	empty := live()
	var all sync.WaitGroup
	var wrong atomic.Int64
	for i, target := range targets {
		all.Go(func() {
			time.Sleep(time.Duration(i) * time.Second / time.Duration(len(targets)))
			if !watch(ctx, p, target, *hops) {
				wrong.Add(1)
			}
		})
	}
	time.Sleep(*settle)
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
	}
	before, sent := used(), p.Counters().PacketsSent
	time.Sleep(*measure)
	spent, probes := used()-before, p.Counters().PacketsSent-sent
	pprof.StopCPUProfile()
	heap := live() - empty
	all.Wait()
	_, err = fmt.Println(int64(spent)/int64(max(probes, 1)), heap/int64(max(len(targets), 1)), probes, wrong.Load())
	return err
}

// watch watches a route, and reports whether it has as many hops as it should, all of
// which answer.
func watch(ctx context.Context, p *icmplib.Prober, target string, hops int) bool {
	var last *icmplib.Snapshot
	for s, err := range p.Monitor(ctx, target, nil) {
		if err != nil {
			break
		}
		last = s
	}
	if last == nil || len(last.Hops) != hops {
		return false
	}
	for i := range last.Hops {
		if last.Hops[i].PacketsReceived < last.Round-10 {
			return false
		}
	}
	return true
}

// live returns what the heap holds.
func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// used returns the processor time of this process, the kernel's share included.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
