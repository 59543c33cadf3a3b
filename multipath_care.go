package icmplib

import "time"

// flowCare is how a trace of several flows gets along where answers do not say
// which probe they are to: see traceCare. From the first such answer on, probes
// leave one by one.
type flowCare struct {
	on    bool
	quiet time.Time // until then an answer may be to an earlier probe
}

// hold tells whether the next probe has to wait, and until when; the zero time
// if only the fate of the one before it can tell.
func (c *flowCare) hold(flying int, now time.Time) (at time.Time, wait bool) {
	switch {
	case !c.on:
		return at, false
	case flying > 0:
		return at, true
	}
	return c.quiet, now.Before(c.quiet)
}

// wait notes until when another answer may come: see quietAfter.
func (c *flowCare) wait(until time.Time) {
	c.quiet = later(c.quiet, until)
}

// unclear notes an answer that could be to any of several probes. Those that
// were not answered recognisably until then are out of account.
func (p *flowPlan) unclear() {
	if p.careful.on {
		return
	}
	p.careful.on = true
	p.stale = true
	for i := range p.hops {
		for f := range p.hops[i].asks {
			p.hops[i].asks[f].void(p.hops[i].sent)
		}
	}
}
