package icmplib

import "time"

// progressEvery bounds how often Progress is called.
const progressEvery = 100 * time.Millisecond

// progressReport is how far a sweep has come, and who is told.
type progressReport struct {
	Progress
	tell func(Progress) // nil: nobody
	told time.Time
}

// report tells, but not too often save for the last time.
func (r *progressReport) report(targets *targetQueue, last bool) {
	if r.tell == nil {
		return
	}
	now := time.Now()
	if !last && now.Sub(r.told) < progressEvery {
		return
	}
	r.told = now
	r.Targets = targets.feed.count()
	r.tell(r.Progress)
}
