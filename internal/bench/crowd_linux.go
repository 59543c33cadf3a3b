package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goicmp/icmplib"
)

const (
	crowdCalls = 10_000 // that run at the same time
	crowdCount = 4      // requests of each
)

// crowd runs many calls of Ping at the same time on one Prober.
func (b *bench) crowd() error {
	for _, k := range []kind{{raw: true}, {raw: false}} {
		t := k.targets(crowdCalls)
		var wrong atomic.Int64
		probes := crowdCalls * crowdCount
		floorRun := turn{name: "floor", run: func() error {
			for range crowdCount {
				if err := floorOnce(k, true, t.addrs); err != nil {
					return err
				}
			}
			return nil
		}}
		crowdRun := turn{name: "Ping", profile: true, run: func() error {
			n, err := crowdOnce(k, t.names)
			wrong.Add(int64(n))
			return err
		}}
		rounds := b.rounds
		b.rounds = min(rounds, 5)
		times, err := b.byTurns(floorRun, crowdRun)
		b.rounds = rounds
		if err != nil {
			return fmt.Errorf("%v: %w", k, err)
		}
		b.table.add(median(times[1])/float64(probes)/1e3, "us", "", "%v: processor time per probe, %d calls of Ping at once", k, crowdCalls)
		b.table.bound(ratio(times[1], times[0]), crowdTarget, "", "", "%v: %d calls of Ping at once against the floor", k, crowdCalls)
		b.table.bound(float64(wrong.Load()), 0, "", "", "%v: wrong results of them", k)
	}
	return nil
}

// crowdOnce pings every host in a call of its own and returns how many calls
// have a result that is not right.
func crowdOnce(k kind, names []string) (wrong int64, err error) {
	p, err := icmplib.NewProber(&icmplib.Config{Mode: k.mode()})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	opts := &icmplib.PingOptions{Count: crowdCount, Interval: 100 * time.Millisecond, Timeout: 10 * time.Second}
	var n atomic.Int64
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() {
			h, err := p.Ping(context.Background(), name, opts)
			if err != nil || h.Address.String() != name || h.PacketsReceived != crowdCount || h.Duplicates+h.Altered+h.Late > 0 {
				n.Add(1)
			}
		})
	}
	all.Wait()
	return n.Load(), nil
}
