package icmplib

import "time"

// Snapshot is what a Monitor knows at the end of a round.
type Snapshot struct {
	// Round is the ordinal of the round, from 1.
	Round int

	// Time is when the snapshot was taken.
	Time time.Time

	// Route is the way to the target as it is now. The Stats of its hops are
	// those of all rounds.
	Route

	// Results are what became known since the snapshot before: of probes of
	// this round, and of earlier ones whose answers took longer. Result.TTL is
	// the hop, and Result.Seq the ordinal of the round less one.
	Results []Result

	// Events are what has changed since the snapshot before, in order of time.
	Events []Event
}
