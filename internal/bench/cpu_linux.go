package main

import (
	"fmt"
	"slices"
)

// The most that a probe may cost, as a multiple of the floor.
const (
	engineTarget = 1.3
	crowdTarget  = 2
)

// processorTime compares what a probe costs.
func (b *bench) processorTime() error {
	for _, k := range kinds {
		if err := b.processorTimeOf(k); err != nil {
			return fmt.Errorf("%v: %w", k, err)
		}
	}
	return nil
}

func (b *bench) processorTimeOf(k kind) error {
	t := k.targets(b.hosts)
	turns := []turn{
		{name: "floor", run: func() error { return floorOnce(k, true, t.addrs) }},
		{name: "floor without timestamps", run: func() error { return floorOnce(k, false, t.addrs) }},
		{name: "MultiPingSeq", profile: true, run: func() error {
			_, err := sweepOnce(k, slices.Values(t.names), fullSpeed)
			return err
		}},
	}
	tool, err := newFping(k, t.names)
	if err != nil {
		return err
	}
	defer tool.close()
	if tool != nil && k.raw {
		turns = append(turns, turn{name: "fping", run: func() error { return tool.run("0") }})
	}
	times, err := b.byTurns(turns...)
	if err != nil {
		return err
	}
	for i, turn := range turns {
		perProbe := median(times[i]) / float64(b.hosts) / 1e3
		note := fmt.Sprintf("%.2f of the floor", ratio(times[i], times[0]))
		b.table.add(perProbe, "us", note, "%v: processor time per probe, %s", k, turn.name)
	}
	b.table.bound(ratio(times[2], times[0]), engineTarget, "", "with timestamps", "%v: MultiPingSeq against the floor", k)
	if len(turns) > 3 {
		b.table.add(ratio(times[2], times[3]), "", "", "%v: MultiPingSeq against fping", k)
	}
	return nil
}
