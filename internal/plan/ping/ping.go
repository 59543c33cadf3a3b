// Package ping is the strategy of pinging one host: which request leaves when, and when the
// ping is done. For strategies in general, see package plan.
package ping

import (
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// Options are the options of a ping.
type Options struct {
	Count    int           // of requests; negative: without end
	Interval time.Duration // 0: none
	Linger   time.Duration // after the last request, for a group of hosts; 0: for none
	Timeout  time.Duration // of a request
}

// RefusedPause keeps a ping without interval, whose packets the system refuses, from
// looping without a pause.
const RefusedPause = 10 * time.Millisecond

// MadeUp is how late a request may be without delaying the next ones.
const MadeUp = 2 * time.Millisecond

// Plan is a ping. Its rules:
//
//  1. The first request leaves at once, Count in all, and each has a number, from 0.
//  2. A request is due an Interval after the one before was due, so that delays do not add
//     up.
//  3. If that time has already passed, and the request before left more than MadeUp late,
//     it is due an Interval after the request before left: missed time is not made up for.
//     Shorter delays are, because the timers of systems are no finer.
//  4. Without an Interval, a request waits until the one before is settled.
//  5. Without an Interval, a request after one that the system refused waits for
//     RefusedPause.
//  6. An observation that does not settle a request changes nothing.
//  7. A ping is done when all requests are settled.
//  8. After an unreachable, the reply may still come within the Timeout, because some
//     routers report unreachable and still forward: the ping is not done before the Timeout
//     has passed, or the reply is there. After any other error, nothing more is expected.
//  9. The answers of a group are complete only when Linger has passed since the last
//     request left.
type Plan struct {
	plan.Prompt
	opts *Options

	asked int // requests that Next returned
	tried int // those of them that left or were refused
	open  int // those of them that are not settled
	due   time.Time
	until time.Time // the end of the linger
	over  bool      // there is nothing more to wait for

	doubted []doubt // requests that were reported unreachable, in the order of the reports
}

// doubt is a request whose error may not be true.
type doubt struct {
	key   plan.Key
	until time.Time
}

// New returns the plan of a ping.
func New(opts *Options) Plan { return Plan{opts: opts} }

// Open returns how many requests are in flight.
func (p *Plan) Open() int { return p.open }

// Tried returns how many requests left or were refused.
func (p *Plan) Tried() int { return p.tried }

// Next returns the request that may leave now: see [plan.Plan].
func (p *Plan) Next(now time.Time) (probe plan.Probe, ok bool, wake time.Time) {
	if p.asked > p.tried {
		return probe, false, wake
	}
	if p.opts.Count >= 0 && p.asked >= p.opts.Count {
		return probe, false, p.rest(now)
	}
	if p.opts.Interval == 0 && p.open > 0 {
		return probe, false, wake
	}
	if now.Before(p.due) {
		return probe, false, p.due
	}
	p.asked++
	return plan.Probe{Key: plan.MakeKey(0, p.asked-1)}, true, wake
}

// rest decides, after the last request, whether and until when the ping must wait; it
// returns the zero time if it waits only for answers, or for nothing.
func (p *Plan) rest(now time.Time) (wake time.Time) {
	if p.open > 0 {
		return wake
	}
	until := p.until
	for i := range p.doubted {
		if d := p.doubted[i].until; d.After(until) {
			until = d
		}
	}
	if p.over = !now.Before(until); p.over {
		return wake
	}
	return until
}

// Sent notes that a request has left.
func (p *Plan) Sent(_ plan.Key, at time.Time) {
	p.tried++
	p.open++
	if p.opts.Count < 0 || p.tried < p.opts.Count { // otherwise none follows
		p.schedule(at, p.opts.Interval)
	}
	if p.opts.Linger > 0 {
		p.until = at.Add(p.opts.Linger)
	}
}

// Refused notes that the system refused a request.
func (p *Plan) Refused(_ plan.Key, _ error, now time.Time) {
	p.tried++
	if p.opts.Interval == 0 {
		p.schedule(now, RefusedPause)
		return
	}
	p.schedule(now, p.opts.Interval)
}

// schedule makes the next request due a pause after this one was.
func (p *Plan) schedule(now time.Time, pause time.Duration) {
	late := now.Sub(p.due)
	if p.due = p.due.Add(pause); !p.due.After(now) && late > MadeUp {
		p.due = now.Add(pause)
	}
}

// Observe notes an observation of a request.
func (p *Plan) Observe(now time.Time, o *plan.Observation) {
	if !o.Settles {
		if o.Kind == plan.Reply && !o.Duplicate {
			p.doubted = slices.DeleteFunc(p.doubted, func(d doubt) bool { return d.key == o.Key })
		}
		return
	}
	p.open--
	if (o.Kind == plan.Unreachable || o.Kind == plan.Refused) && p.opts.Count >= 0 {
		for len(p.doubted) > 0 && !now.Before(p.doubted[0].until) {
			p.doubted = p.doubted[1:]
		}
		p.doubted = append(p.doubted, doubt{o.Key, o.Sent.Add(p.opts.Timeout)})
	}
}

// Done reports whether all requests are settled and no reply is expected any more.
func (p *Plan) Done() bool {
	if p.opts.Count < 0 || p.tried < p.opts.Count || p.open > 0 {
		return false
	}
	return p.over || p.until.IsZero() && len(p.doubted) == 0
}
