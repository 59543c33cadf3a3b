package icmplib

import (
	"net/netip"
	"time"
)

// flowPlan is the strategy of a trace of several flows: which flow is to be
// asked for at which hop, and when. It neither sends nor looks at the clock.
//
// What it knows is a table of hops and flows. Each place of it is an ask, which
// is repeated until it is answered or was made Count times. What is to be asked
// follows from what is known: see decide.
type flowPlan struct {
	opts *TracerouteOptions
	rule []int // see stoppingRule; nil where the number of flows is given
	base int   // flows that each hop is asked for
	most int   // flows there may be

	hops   []flowHop // from FirstHop on
	ends   []int     // by flow: the nearest hop whose answer ended it
	near   int       // the nearest of them
	far    int       // the farthest hop that answered
	window int       // hops that may be asked
	grow   time.Time // when it opens by itself
	last   int       // index of the last hop that matters
	cut    RouteEnd  // why that is the last

	todo    []askAt // what is to be asked, as far as that is decided
	stale   bool    // something became known since
	slow    time.Duration
	flying  int
	careful flowCare
}

// flowHop is what is known of a hop.
type flowHop struct {
	asks   []flowAsk // by flow
	nodes  []netip.Addr
	merged []int     // by node: one that packets of the same flow met, or itself
	sent   int       // probes
	left   time.Time // when the first of the last flock left
	flock  int       // how many left with it
}

// flowAsk is what is known of a flow at a hop.
type flowAsk struct {
	want      int // answers that are wanted
	sent      int
	discarded int // of those, such that do not count: see flowCare
	voided    int // probes with lower numbers that stay silent count nowhere
	open      int
	answered  int
	left      time.Time
	nodes     []int // who answered, the first first
	said      hopAnswers
	results   []Result
	vain      []Result // of probes that count nowhere
}

// askAt names an ask.
type askAt struct{ hop, flow int }

const (
	// flowFlock is how many probes to one hop leave together. The next as many
	// leave an Interval later: routers limit how many errors they send.
	flowFlock = 8

	// scouts is how many flows are asked for ahead of the answers.
	scouts = 2

	// pastEnd is how many silent hops a flow is followed behind the hop at
	// which another one has ended.
	pastEnd = 4

	never = 1 << 30 // the end of a flow that has none
)

func newFlowPlan(opts *TracerouteOptions, now time.Time) *flowPlan {
	p := &flowPlan{opts: opts, base: opts.Flows, most: opts.Flows, near: never, far: -1, stale: true}
	if opts.Flows < 0 {
		p.rule = multipathRule()
		p.base, p.most = p.rule[0], MaxFlows
	}
	p.window, p.grow = traceAhead, now.Add(growAfter(opts))
	p.last, p.cut = opts.MaxHops-opts.FirstHop, EndMaxHops
	p.hops = make([]flowHop, p.last+1)
	return p
}

// settled tells whether all is known that an ask can tell.
func (p *flowPlan) settled(a *flowAsk) bool {
	return a.answered > 0 || a.open == 0 && a.sent-a.discarded >= p.opts.Count
}

// silent tells whether it was asked in vain.
func (p *flowPlan) silent(a *flowAsk) bool { return a.answered == 0 && p.settled(a) }

// ask returns a place of the table.
func (p *flowPlan) ask(hop, flow int) *flowAsk {
	h := &p.hops[hop]
	for len(h.asks) <= flow {
		h.asks = append(h.asks, flowAsk{})
	}
	for len(p.ends) <= flow {
		p.ends = append(p.ends, never)
	}
	return &h.asks[flow]
}

// next returns what to ask now, hop -1 if there is nothing, and when there may
// be something; the zero time if only an answer can tell.
func (p *flowPlan) next(now time.Time) (hop, flow int, at time.Time) {
	if at, wait := p.careful.hold(p.flying, now); wait {
		return -1, 0, at
	}
	if !now.Before(p.grow) && p.window <= p.last && p.near == never {
		p.window += traceAhead
		p.grow = now.Add(growAfter(p.opts))
		p.stale = true
	}
	p.update()
	for _, k := range p.todo {
		a := p.ask(k.hop, k.flow)
		if !p.wants(a) {
			continue
		}
		due := p.due(&p.hops[k.hop], a, now)
		if !due.After(now) {
			return k.hop, k.flow, now
		}
		if at.IsZero() || due.Before(at) {
			at = due
		}
	}
	if p.window <= p.last && p.near == never && (at.IsZero() || p.grow.Before(at)) {
		at = p.grow
	}
	return -1, 0, at
}

// wants tells whether an ask is to be made once more.
func (p *flowPlan) wants(a *flowAsk) bool {
	if a.answered == 0 {
		return a.want > 0 && a.sent-a.discarded < p.opts.Count
	}
	return a.answered+a.open < a.want && a.sent < a.want*(p.opts.Count+1)
}

// due is when an ask may be made.
func (p *flowPlan) due(h *flowHop, a *flowAsk, now time.Time) time.Time {
	due := now
	if h.flock >= flowFlock {
		due = h.left.Add(p.opts.Interval)
	}
	if again := a.sent - a.discarded; again > 0 && a.answered == 0 {
		// Longer each time, for the sake of routers that limit their errors.
		pause := max(p.opts.Interval, fastPatience<<min(again-1, 4), 2*p.slow)
		if after := a.left.Add(min(pause, p.opts.Timeout)); after.After(due) {
			due = after
		}
	}
	return due
}

// sent notes that a probe has left, and returns its number at its hop.
func (p *flowPlan) sent(hop, flow int, now time.Time) (number int) {
	h, a := &p.hops[hop], p.ask(hop, flow)
	if !now.Before(h.left.Add(p.opts.Interval)) {
		h.left, h.flock = now, 0
	}
	h.flock++
	h.sent++
	a.sent++
	a.open++
	a.left = now
	p.flying++
	return h.sent - 1
}

// unsent takes back what sent noted, but for the number.
func (p *flowPlan) unsent(hop, flow int) {
	a := p.ask(hop, flow)
	a.sent--
	a.open--
	p.flying--
}

// done tells whether all is known that was to be found out.
func (p *flowPlan) done() bool {
	if p.flying > 0 || p.window <= p.last && p.near == never {
		return false
	}
	p.update()
	for _, k := range p.todo {
		if p.wants(p.ask(k.hop, k.flow)) {
			return false
		}
	}
	return true
}
