package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goicmp/icmplib"
)

// crowdCount is how many requests each call of a crowd sends.
const crowdCount = 4

// crowdTarget is the most that a probe of a crowd may cost, in floors.
const crowdTarget = 4

// crowdRTTTarget is the mean round-trip time, in microseconds.
const crowdRTTTarget = 10

// crowd runs many calls of Ping at the same time on one Prober.
func (b *bench) crowd() error {
	for _, calls := range []int{1000, 10_000} {
		for _, k := range []kind{{raw: true}, {raw: false}} {
			if err := b.crowdOf(k, calls); err != nil {
				return fmt.Errorf("%v: %w", k, err)
			}
		}
	}
	return nil
}

func (b *bench) crowdOf(k kind, calls int) error {
	t := k.targets(calls)
	var wrong atomic.Int64
	var rtt atomic.Int64 // of all answers together
	rounds := b.rounds
	b.rounds = min(rounds, 5)
	times, err := b.byTurns(
		turn{name: "floor", run: func() error { return b.floor(k, calls*crowdCount) }},
		turn{name: "Ping", profile: true, run: func() error {
			n, err := crowdOnce(k, t.names, &rtt)
			wrong.Add(n)
			return err
		}})
	b.rounds = rounds
	if err != nil {
		return err
	}
	b.table.add(median(times[1])/float64(calls*crowdCount)/1e3, "us", "", "%v: processor time per probe, %d calls of Ping at once", k, calls)
	b.table.bound(ratio(times[1], times[0]), crowdTarget, "", "", "%v: %d calls of Ping at once against the floor", k, calls)
	answers := calls * crowdCount * (min(rounds, 5) + 1)
	b.table.bound(float64(rtt.Load())/float64(answers)/1e3, crowdRTTTarget, "us", "on an idle machine", "%v: mean RTT of them", k)
	b.table.bound(float64(wrong.Load()), 0, "", "", "%v: wrong results of them", k)
	return nil
}

// crowdOnce pings every host in a call of its own and returns how many calls
// have a result that is not right.
func crowdOnce(k kind, names []string, rtt *atomic.Int64) (wrong int64, err error) {
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
			if err == nil {
				rtt.Add(int64(h.AvgRTT()) * int64(h.PacketsReceived))
			}
			if err != nil || h.Address.String() != name || h.PacketsReceived != crowdCount || h.Duplicates+h.Altered+h.Late > 0 {
				n.Add(1)
			}
		})
	}
	all.Wait()
	return n.Load(), nil
}
