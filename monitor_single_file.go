package icmplib

import (
	"context"
	"slices"
	"time"
)

// singleFile is how a Monitor gets along where there can be but one probe in
// flight, for the same two reasons as a trace: answers that do not say which
// probe they are to (see traceCare), and connections with a port that the caller
// chose (see postpone). Once it is so, it remains so.
//
// The probes that were in flight when the first such answer came are left out of
// account where nothing else comes: it may have been theirs.
type singleFile struct {
	on    bool
	turns bool         // other operations have to wait meanwhile, too
	quiet time.Time    // until then an answer may be to an earlier probe
	retry time.Time    // when a connection may be tried again
	took  time.Time    // when the system last took one
	void  []monitorTag // see above
}

// next tells whether the next probe has to wait, and until when; the zero time if
// only an answer can tell.
func (f *singleFile) next(flying int, now time.Time) (at time.Time, wait bool) {
	switch {
	case !f.on:
		return at, false
	case flying > 0:
		return at, true
	case f.turns && now.Before(f.quiet):
		return f.quiet, true
	}
	return f.retry, now.Before(f.retry)
}

// unclear notes an answer that could be to any of the probes in flight.
func (f *singleFile) unclear(flying []monitorTag) {
	f.on, f.turns = true, true
	for _, tag := range flying {
		if !slices.Contains(f.void, tag) {
			f.void = append(f.void, tag)
		}
	}
}

// takeVoid tells whether a probe that has met its fate is to be left out of
// account.
func (f *singleFile) takeVoid(tag monitorTag) bool {
	i := slices.Index(f.void, tag)
	if i >= 0 {
		f.void = slices.Delete(f.void, i, i+1)
	}
	return i >= 0
}

// settled notes the fate of a probe, after which another answer may come.
func (f *singleFile) settled(r *Result, timeout time.Duration) {
	f.quiet = later(f.quiet, quietAfter(r, timeout))
}

// postpone takes back a probe that has to wait for a connection to end, and tells
// whether it has to.
func (r *monitorRun) postpone(tag monitorTag, err error) bool {
	f, now := &r.plan.single, time.Now()
	if !r.opts.Packet.waitsForConnection(err) || f.took.IsZero() {
		return false
	}
	if len(r.plan.fly) == 1 && now.Sub(f.took) > connectionPatience {
		return false
	}
	r.plan.unsent(tag)
	r.plan.at = tag.index
	f.on, f.retry = true, now.Add(connectionPause)
	return true
}

// takeTurn waits for the turn among the operations that can have but one probe to
// the target in flight, and tells whether it had to be taken.
func (r *monitorRun) takeTurn(ctx context.Context) (taken bool, err error) {
	if !r.plan.single.turns || r.turn != nil {
		return false, nil
	}
	turn, err := r.p.turns.take(ctx, turnKey{r.pool, r.dst})
	if err != nil {
		return false, err
	}
	r.turn = turn
	r.plan.single.quiet = later(r.plan.single.quiet, turn.quiet)
	return true, nil
}

// giveTurn gives the turn back.
func (r *monitorRun) giveTurn() {
	if r.turn == nil {
		return
	}
	r.p.turns.give(r.turn, r.plan.single.quiet, len(r.plan.fly), r.opts.Timeout)
	r.turn = nil
}
