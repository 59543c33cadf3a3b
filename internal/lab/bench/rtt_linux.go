package main

import (
	"fmt"
	"slices"
	"strconv"
)

// roundTrip compares the mean round-trip time that is reported with fping's.
func (b *bench) roundTrip() error {
	for _, k := range []kind{{ipv6: false, raw: true}, {ipv6: true, raw: true}} {
		if err := b.roundTripAt(k, -1, 2); err != nil {
			return err
		}
		if err := b.roundTripAt(k, 10_000, 1.2); err != nil {
			return err
		}
	}
	return nil
}

// roundTripAt compares at so many packets per second; -1 is full speed.
func (b *bench) roundTripAt(k kind, rate int, target float64) error {
	hosts, rounds, speed, interval := b.hosts, b.rounds, "full speed", "0"
	if rate > 0 {
		hosts, rounds = min(hosts, rate), min(rounds, 5) // a second for each turn
		speed, interval = fmt.Sprintf("%d/s", rate), strconv.FormatFloat(1e3/float64(rate), 'f', -1, 64)
	}
	t := k.targets(hosts)
	tool, err := newFping(k, t.names)
	if err != nil {
		return err
	}
	defer tool.close()
	opts := fullSpeed
	opts.Rate = rate
	var ours, theirs []float64
	lost := 0
	for range rounds {
		tally, err := sweepOnce(k, slices.Values(t.names), opts)
		if err != nil {
			return err
		}
		ours = append(ours, tally.averageRTT())
		if tool == nil {
			continue
		}
		if err := tool.run("-C1", "-t5000", "-i"+interval); err != nil {
			return err
		}
		average, missing, err := tool.result()
		if err != nil {
			return err
		}
		theirs, lost = append(theirs, average), lost+missing
	}
	b.table.add(median(ours), "us", "", "%v: mean RTT at %s, MultiPingSeq", k, speed)
	if tool != nil {
		note := fmt.Sprintf("%d of %d lost", lost, rounds*hosts)
		b.table.add(median(theirs), "us", note, "%v: mean RTT at %s, fping", k, speed)
		b.table.bound(ratio(ours, theirs), target, "", "", "%v: mean RTT at %s against fping", k, speed)
	}
	return nil
}
