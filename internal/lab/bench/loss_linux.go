package main

import (
	"fmt"
	"slices"
)

// loss counts the probes that are lost at full speed. The kernel answers every
// one of them, so each is a loss of this process's own making.
func (b *bench) loss() error {
	for _, k := range kinds {
		t := k.targets(b.hosts)
		lost := 0
		for range b.rounds {
			tally, err := sweepOnce(k, slices.Values(t.names), fullSpeed)
			if err != nil {
				return fmt.Errorf("%v: %w", k, err)
			}
			lost += b.hosts - tally.received
		}
		b.table.bound(float64(lost), 0, "", fmt.Sprintf("of %d", b.rounds*b.hosts), "%v: probes lost at full speed", k)
	}
	return nil
}
