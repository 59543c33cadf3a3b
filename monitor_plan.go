package icmplib

import "time"

// monitorPlan is the strategy of a Monitor: which hop is to be probed when, and
// what the answers say of the way. It neither sends nor looks at the clock.
type monitorPlan struct {
	opts   *MonitorOptions
	hops   []monitorHop // from FirstHop to MaxHops
	round  int          // from 1
	start  time.Time    // of the round
	at     int          // the hop whose turn it is
	due    time.Time    // when
	scout  int          // the hop far ahead that is probed in this round, -1: none
	sound  bool         // the scout has had its turn
	fly    []monitorTag // probes that have no fate yet, in order of sending
	sentAt []time.Time  // of each of them

	length int // of the way as it was told last, in hops; 0: not known

	beyond  beyondEnd
	single  singleFile
	ledger  monitorLedger
	results []Result // since the last snapshot
	events  []Event
}

// discoverySpacing is the time between two probes of the first round at the
// most, that a long interval does not delay what is known of the way.
const discoverySpacing = 50 * time.Millisecond

func newMonitorPlan(opts *MonitorOptions, now time.Time) *monitorPlan {
	p := &monitorPlan{opts: opts, hops: make([]monitorHop, opts.MaxHops-opts.FirstHop+1)}
	p.ledger.threshold = opts.Outage
	for i := range p.hops {
		p.hops[i].reset(opts.FirstHop + i)
	}
	p.begin(now)
	return p
}

// begin begins the next round: an interval after the one before it, or where
// that is past, now.
func (p *monitorPlan) begin(now time.Time) {
	p.round++
	p.start = p.start.Add(p.opts.Interval)
	if p.round == 1 || p.start.Add(p.opts.Interval/2).Before(now) {
		p.start = now
	}
	p.at, p.due = 0, p.start
	p.chooseScout()
	p.ledger.open(p.round, p.start)
}

// chooseScout chooses a hop beyond those that are probed anyway, another one in
// each round, while the end of the way is not known: the target may be behind
// any number of silent hops.
func (p *monitorPlan) chooseScout() {
	first := p.limit() + 1
	p.sound = first >= len(p.hops)
	if p.sound {
		return
	}
	p.scout++
	if p.scout < first || p.scout >= len(p.hops) {
		p.scout = first
	}
}

// next returns the hop to probe now, -1 if there is none, and when there may be
// one, or the round ends; the zero time if only an answer can tell. It is asked
// while the round is not over, see roundOver.
func (p *monitorPlan) next(now time.Time) (index int, at time.Time) {
	if at, wait := p.single.next(len(p.fly), now); wait {
		return -1, at
	}
	index = p.turn()
	switch {
	case index < 0:
		return -1, p.ends()
	case p.due.After(now):
		return -1, p.due
	}
	return index, now
}

// turn returns the hop whose turn it is, -1 if no more are to be probed in this
// round as far as it is known.
func (p *monitorPlan) turn() int {
	switch {
	case p.at <= p.limit():
		return p.at
	case !p.sound && p.scout >= p.at && (p.end() < 0 || p.beyond.look):
		return p.scout
	}
	return -1
}

// limit is the last hop that is to be probed, by what is known: the end of the
// way, or some hops ahead of the farthest that answered.
func (p *monitorPlan) limit() int {
	last := len(p.hops) - 1
	switch end := p.end(); {
	case end >= 0 && p.beyond.look:
		return min(end+lookBeyond, last)
	case end >= 0:
		return end
	}
	if stop := p.stop(); stop >= 0 {
		return stop
	}
	if p.round <= 1 && !p.single.on {
		return last
	}
	return min(p.far()+traceAhead, last)
}

// end is the hop where the target answers and nobody else does, -1 if there is
// none.
func (p *monitorPlan) end() int {
	for i := range p.hops {
		if p.hops[i].watch.IsEnd() {
			return i
		}
	}
	return -1
}

// stop is the hop behind which there is nothing to be found: somebody refuses to
// forward, or a circle of routers closes. It is -1 if there is none.
func (p *monitorPlan) stop() int {
	for i := range p.hops {
		if p.hops[i].refuses() || p.loops(i) {
			return i
		}
	}
	return -1
}

func (p *monitorPlan) loops(index int) bool {
	return closesLoop(index, func(i, j int) bool { return sameAddress(p.hops[i].last.Responder, p.hops[j].last.Responder) })
}

// far is the farthest hop that answered, -1 if none did.
func (p *monitorPlan) far() int {
	for i := len(p.hops) - 1; i >= 0; i-- {
		if p.hops[i].watch.IsKnown() {
			return i
		}
	}
	return -1
}

// spacing is the time from the probe to one hop to that to the next.
func (p *monitorPlan) spacing() time.Duration {
	end := p.end()
	n := p.limit() + 1
	if end >= 0 {
		n = end + 1
	} else if !p.sound {
		n++
	}
	space := p.opts.Interval / time.Duration(n)
	switch {
	case end >= 0 && p.at > end: // what lies beyond has a share of the last hop's time
		space /= lookBeyond + 2
	case end < 0 && p.round == 1:
		space = min(space, discoverySpacing)
	}
	return space
}

// ends is when the round is over at the earliest; the zero time if only an
// answer can tell.
func (p *monitorPlan) ends() time.Time {
	if p.isLast() || p.single.on && len(p.fly) > 0 {
		return time.Time{}
	}
	return p.start.Add(p.opts.Interval)
}

// isLast tells whether this round is the last.
func (p *monitorPlan) isLast() bool { return p.opts.Rounds > 0 && p.round >= p.opts.Rounds }

// roundOver tells whether the round has come to its end: the last one with the
// fate of its last probe, the others when their time is over.
func (p *monitorPlan) roundOver(now time.Time) bool {
	p.beyond.consider(p, now)
	switch {
	case p.turn() >= 0:
		return false
	case p.isLast(), p.single.on:
		return len(p.fly) == 0 && (p.isLast() || !now.Before(p.start.Add(p.opts.Interval)))
	}
	return !now.Before(p.ends())
}

// finish ends the round.
func (p *monitorPlan) finish() {
	p.measure()
	p.prune()
	p.ledger.close(p.isStuck())
	p.events = p.ledger.judge(p.events)
}
