package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/internal/lab/netsim"
)

const (
	monitors      = 1000 // routes that are watched at once
	monitorRounds = 20   // once a second
	monitorSettle = 5    // of these, before anything is measured
	monitorTarget = 40   // KiB a route
)

// shortTree is the network of the monitors: routes of six hops.
var shortTree = netsim.Tree{
	Levels: []int{1, 4, 16, 64, 64},
	Words:  func(int) string { return "delay=1ms jitter=200us" },
	Last:   "delay=1ms",
}

func carryShortTree() error { return carryNetwork(netsim.MustParse(shortTree.String())) }

// monitors measures what it costs to watch many routes at once.
func (b *bench) monitors() error { return behind("short-tree", b.watchMany) }

func (b *bench) watchMany() error {
	p, err := icmplib.NewProber(&icmplib.Config{Mode: kind{raw: true}.mode()})
	if err != nil {
		return err
	}
	defer p.Close()
	empty := live()
	var all sync.WaitGroup
	var short atomic.Int64
	ctx, stop := context.WithTimeout(context.Background(), (monitorRounds+1)*time.Second)
	defer stop()
	for i := range monitors {
		all.Go(func() {
			time.Sleep(time.Duration(i) * time.Second / monitors)
			if !watchOne(ctx, p, shortTree.Target(i, false).String(), len(shortTree.Levels)+1) {
				short.Add(1)
			}
		})
	}
	time.Sleep((monitorSettle + 1) * time.Second)
	before, sent := used(syscall.RUSAGE_SELF), p.Counters().PacketsSent
	b.profile.start(b.cpuProfile)
	time.Sleep((monitorRounds - monitorSettle - 1) * time.Second)
	b.profile.pause()
	probes := p.Counters().PacketsSent - sent
	spent := float64(used(syscall.RUSAGE_SELF)-before) / float64(probes) / 1e3
	heap := live() - empty
	all.Wait()
	b.table.add(spent, "us", fmt.Sprintf("%d probes", probes), "processor time per probe, %d routes of 6 hops watched once a second", monitors)
	b.table.bound(float64(heap)/monitors/1024, monitorTarget, "KiB", "of the heap", "memory per watched route")
	b.table.bound(float64(short.Load()), monitors/100, "", "a hop was not answered in ten rounds, or there are not six", "wrong routes of %d", monitors)
	return nil
}

// watchOne watches a route, and reports whether it has as many hops as it should, all of
// which answer.
func watchOne(ctx context.Context, p *icmplib.Prober, target string, hops int) bool {
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
