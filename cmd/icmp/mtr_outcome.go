package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/cmd/icmp/internal/live"
)

// mtrOutcome is what is known of a target when its watching has ended.
type mtrOutcome struct {
	name   string
	began  time.Time         // when the first probe was sent
	last   *icmplib.Snapshot // nil if there was none
	events []icmplib.Event
	err    error
	unsent error // why the system has sent nothing of late; nil: it has
}

// maxMTREvents bounds what is kept of a target that is watched for very long.
const maxMTREvents = 10_000

// collect watches all targets at once, until their rounds are over or ctx ends:
// what there is by then is the outcome.
func collect(ctx context.Context, watch live.Watch, targets []string, opts *icmplib.MonitorOptions) []*mtrOutcome {
	outcomes := make([]*mtrOutcome, len(targets))
	var all sync.WaitGroup
	for i, target := range targets {
		o := &mtrOutcome{name: target}
		outcomes[i] = o
		all.Go(func() {
			for snapshot, err := range watch(ctx, target, opts) {
				switch {
				case err != nil && ctx.Err() != nil:
					return
				case err != nil:
					o.err = err
					return
				}
				if o.last == nil {
					o.began = live.Began(snapshot)
				}
				o.last = snapshot
				o.unsent = live.Unsent(snapshot.Results, o.unsent)
				o.events = append(o.events, snapshot.Events...)
				if excess := len(o.events) - maxMTREvents; excess > 0 {
					o.events = slices.Delete(o.events, 0, excess)
				}
			}
		})
	}
	all.Wait()
	return outcomes
}

// rounds returns how many have been completed.
func (o *mtrOutcome) rounds() int {
	if o.last == nil {
		return 0
	}
	return o.last.Round
}

// route returns the last state of the route, an empty one if there is none.
func (o *mtrOutcome) route() *icmplib.Route {
	if o.last == nil {
		return &icmplib.Route{Name: o.name}
	}
	route := o.last.Route
	route.Name = o.name
	return &route
}

// isAlive tells whether the target has answered.
func (o *mtrOutcome) isAlive() bool {
	route := o.route()
	if route.Reached {
		return true
	}
	for _, hop := range route.Hops {
		for _, r := range hop.Responders {
			if r.Status == icmplib.StatusReply {
				return true
			}
		}
	}
	return false
}

// fault returns why there is nothing to see of a target, or nil.
func (o *mtrOutcome) fault() error {
	if o.err == nil && o.unsent != nil {
		return &notSentError{o.unsent}
	}
	return o.err
}

// verdict returns the error that a target stands for. Packets that the system
// did not send make an unreachable target, unless it lacked the permission.
func (o *mtrOutcome) verdict() error {
	switch {
	case o.err != nil:
		return o.err
	case o.isAlive():
		return nil
	case errors.Is(o.unsent, os.ErrPermission):
		return o.fault()
	}
	return errDead
}

// mtrVerdict returns every fault, and if there is none, whether a target is dead.
func mtrVerdict(outcomes []*mtrOutcome) error {
	return verdictOf(outcomes, (*mtrOutcome).verdict)
}
