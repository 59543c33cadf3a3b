package icmplib

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// update decides anew where something became known.
func (p *flowPlan) update() {
	if !p.stale {
		return
	}
	p.stale = false
	p.endByShape()
	for hop := range min(p.window, p.last+1) {
		p.decide(hop)
	}
	p.todo = p.todo[:0]
	for _, again := range []bool{true, false} { // what checks a hop goes in one flock
		for hop := range p.last + 1 {
			for flow := range p.hops[hop].asks {
				a := &p.hops[hop].asks[flow]
				if p.wants(a) && (a.want > 1) == again && p.ends[flow] >= hop {
					p.todo = append(p.todo, askAt{hop, flow})
				}
			}
		}
	}
}

// decide says what is to be asked at a hop, by what is known of it and of the
// hop before. Nothing of that is ever taken back, so that the trace ends.
func (p *flowPlan) decide(hop int) {
	for flow := range p.base {
		if flow < scouts || hop <= p.far && hop <= p.near {
			p.want(hop, flow)
		}
	}
	p.decideChecks(hop)
	p.decideLinks(hop)
	if p.rule == nil || hop > p.far {
		return
	}
	for _, g := range p.groups(hop) {
		p.decideGroup(hop, &g)
	}
}

// want has a flow asked for at a hop, where it may have got that far.
func (p *flowPlan) want(hop, flow int) bool {
	a := p.ask(hop, flow)
	if a.want == 0 && p.mayReach(hop, flow) {
		a.want = 1
	}
	return a.want > 0
}

// mayReach tells whether a flow may be asked for at a hop: it must not have
// ended, and behind the hop where another flow ended it has to be seen to go on.
// Else the target would answer, whose distance that is not.
func (p *flowPlan) mayReach(hop, flow int) bool {
	switch {
	case p.ends[flow] < hop:
		return false
	case hop <= p.near:
		return true
	}
	if !p.settled(p.ask(hop-1, flow)) {
		return false
	}
	for i := hop - 1; i >= max(0, hop-pastEnd); i-- {
		if p.ask(i, flow).answered > 0 {
			return true
		}
	}
	return hop < pastEnd
}

// lead has a flow asked for at the farthest hop, up to this one, where it may be.
func (p *flowPlan) lead(hop, flow int) bool {
	for ; hop >= 0 && p.ask(hop, flow).want == 0; hop-- {
		if p.ends[flow] < hop {
			return false
		}
		if p.want(hop, flow) {
			return true
		}
	}
	return false
}

// checkedFlows is how many flows of a router with several next hops are asked for
// again. Of a router that spreads packets over two, one flow alone would meet the
// same one each time in 3 % of the cases.
const checkedFlows = 2

// decideChecks finds out which routers spread load packet by packet. Where several
// next hops of a router are known, flows that met different ones are asked for
// again, as often as the rule demands to tell one next hop from two: balancing by
// packet shows in that the same flow meets another node. Then all next hops of that
// router are met by the packets of any of its flows.
func (p *flowPlan) decideChecks(hop int) {
	h := &p.hops[hop]
	if len(h.nodes) < 2 {
		return
	}
	groups := p.groups(hop)
	if groups == nil {
		groups = []flowGroup{{any: true}}
	}
	for _, g := range groups {
		flows := g.flows
		if g.any {
			flows = allFlows(len(h.asks))
		}
		if p.spreads(hop, flows) && !g.any {
			p.mergeNodes(hop, flows)
			continue
		}
		p.checkFlows(hop, flows)
	}
}

// spreads reports whether one of the flows met several nodes of a hop.
func (p *flowPlan) spreads(hop int, flows []int) bool {
	return slices.ContainsFunc(flows, func(flow int) bool { return len(p.ask(hop, flow).nodes) > 1 })
}

// mergeNodes notes that the nodes that some flows met are met by all of them.
func (p *flowPlan) mergeNodes(hop int, flows []int) {
	first := -1
	for _, flow := range flows {
		a := p.ask(hop, flow)
		a.want = min(a.want, 1)
		if len(a.nodes) == 0 {
			continue
		}
		if first < 0 {
			first = a.nodes[0]
		}
		p.hops[hop].merge(first, a.nodes[0])
	}
}

// checkFlows has flows asked for again that met different nodes. Behind a silent
// hop, one router may spread packets and another one flows.
func (p *flowPlan) checkFlows(hop int, flows []int) {
	h := &p.hops[hop]
	most := checkedFlows
	if p.spreads(hop, flows) {
		most = len(h.nodes)
	}
	first := map[int]int{} // by set of nodes: the flow that stands for it
	for _, flow := range flows {
		if a := p.ask(hop, flow); len(a.nodes) > 0 && p.ends[flow] >= hop {
			if known, ok := first[h.set(a.nodes[0])]; !ok || a.want > p.ask(hop, known).want {
				first[h.set(a.nodes[0])] = flow
			}
		}
	}
	if len(first) < 2 {
		return
	}
	for _, flow := range slices.Sorted(maps.Values(first)) {
		if a := p.ask(hop, flow); most > 0 && !h.isShared(a.nodes[0]) {
			a.want = multipathRule()[0]
			most--
		}
	}
}

// met tells whether a node was the first to answer.
func (a *flowAsk) met(node int) bool { return len(a.nodes) > 0 && a.nodes[0] == node }

// decideLinks has asked what leads to each node of a hop, where no flow has
// shown it yet, and to the end of each flow; and what follows each node of the
// hop before.
func (p *flowPlan) decideLinks(hop int) {
	h := &p.hops[hop]
	if hop == 0 {
		return
	}
	p.decideSuccessors(hop)
	if len(h.nodes) == 0 {
		return
	}
	for node := range h.nodes {
		linked := false
		for flow := range h.asks {
			linked = linked || h.asks[flow].met(node) && p.ask(hop-1, flow).want > 0
		}
		for flow := range h.asks {
			if a := &h.asks[flow]; a.met(node) && (!linked || a.said.end() != EndUnknown) {
				p.want(hop-1, flow)
				linked = true
			}
		}
	}
}

// decideSuccessors has a flow of each node of the hop before asked for at a hop,
// where none is yet: a router whose rule holds for others beside it, among which
// packets are spread, has next hops as well.
func (p *flowPlan) decideSuccessors(hop int) {
	before := &p.hops[hop-1]
	for node := range before.nodes {
		flow, asked := -1, false
		for f := range before.asks {
			if a := &before.asks[f]; slices.Contains(a.nodes, node) && a.said.end() == EndUnknown && p.ends[f] >= hop {
				flow, asked = f, asked || p.ask(hop, f).want > 0
			}
		}
		if flow >= 0 && !asked {
			p.want(hop, flow)
		}
	}
}

// endByShape ends the trace where the hops go round in a circle, or where there
// is too long a gap.
func (p *flowPlan) endByShape() {
	for hop := range p.last {
		if hop >= p.near || !p.known(hop) {
			return
		}
		switch {
		case p.closesLoop(hop):
			p.last, p.cut = hop, EndLoop
			return
		case p.closesGap(hop):
			p.last, p.cut = hop, EndGap
			return
		}
	}
}

// known tells whether all that was asked at a hop is settled.
func (p *flowPlan) known(hop int) bool {
	h := &p.hops[hop]
	for flow := range h.asks {
		if a := &h.asks[flow]; a.want > 0 && p.ends[flow] >= hop && !p.settled(a) {
			return false
		}
	}
	return len(h.asks) > 0 && h.asks[0].want > 0
}

// closesLoop tells whether the hops up to this one end with the same circle
// twice, or with one set of routers three times: see tracePlan.closesLoop.
func (p *flowPlan) closesLoop(hop int) bool {
	return closesLoop(hop, func(i, j int) bool { return len(p.hops[i].nodes) > 0 && sameNodes(&p.hops[i], &p.hops[j]) })
}

func sameNodes(a, b *flowHop) bool {
	if len(a.nodes) != len(b.nodes) {
		return false
	}
	for _, n := range a.nodes {
		if !slices.Contains(b.nodes, n) {
			return false
		}
	}
	return true
}

func (p *flowPlan) closesGap(hop int) bool {
	gap := 0
	for ; hop >= 0 && len(p.hops[hop].nodes) == 0; hop-- {
		gap++
	}
	return p.opts.GapLimit > 0 && gap >= p.opts.GapLimit
}

// multipathFailure is how often the stopping rule may miss a next hop of a
// router whose load balancing is even.
const multipathFailure = 0.05

// stoppingRule returns how many flows through a router have to be seen at the
// next hop before those next hops are taken for all: the k-th number, from 0, is
// n_k+1, for k+1 that were found. (Veitch, Augustin, Teixeira, Friedman: Failure
// Control in Multipath Route Tracing, INFOCOM 2009.)
//
// How many of k+2 next hops were found after n flows is a Markov chain: a flow
// meets one that is known, or a further one. The number is the least n after
// which one is still missing with a probability of at most failure.
//
// To stop too early, with fewer found, comes on top of that. With 5 %, it makes
// 5.01 % of 8 next hops, 5.06 % of 9, and at most 5 % of any other number up
// to 16.
func stoppingRule(failure float64, limit int) []int {
	rule := make([]int, 0, 64)
	for {
		n := stopAfter(len(rule)+1, failure, limit)
		if n > limit {
			return rule
		}
		rule = append(rule, n)
	}
}

// stopAfter returns the number for so many next hops that were found, or one
// above the limit.
func stopAfter(found int, failure float64, limit int) int {
	branches := float64(found + 1) // one more than were found
	state := make([]float64, found+2)
	state[0] = 1 // no flow has met any
	for n := 1; n <= limit; n++ {
		for k := found; k >= 0; k-- {
			state[k+1] += state[k] * (branches - float64(k)) / branches
			state[k] *= float64(k) / branches
		}
		if missing := 1 - state[found+1]; missing <= failure {
			return n
		}
	}
	return limit + 1
}

// multipathRule is the rule for as many flows as there may be.
var multipathRule = sync.OnceValue(func() []int { return stoppingRule(multipathFailure, MaxFlows) })

// flowGroup is the flows that are known to pass a router, or some among which
// packets are spread, at the hop before the one in question; or all flows, where it cannot matter which they are: at the
// first hop, and behind a silent one.
type flowGroup struct {
	flows []int
	any   bool
	share float64 // of the flows at that hop
}

// groups returns the routers before a hop.
func (p *flowPlan) groups(hop int) []flowGroup {
	if hop == 0 {
		return []flowGroup{{any: true}}
	}
	before := &p.hops[hop-1]
	if len(before.nodes) == 0 {
		if hop <= p.near {
			return []flowGroup{{any: true}}
		}
		return nil
	}
	groups := make([]flowGroup, len(before.nodes)) // that of a set is that of its first node
	total := 0
	for flow := range before.asks {
		a := &before.asks[flow]
		switch {
		case p.silent(a):
			p.want(hop, flow) // it may have passed any of them
		case len(a.nodes) == 0 || a.said.end() != EndUnknown || p.ends[flow] < hop:
		default:
			g := &groups[before.set(a.nodes[0])] // which of a set a packet meets is not the flow's choice
			g.flows = append(g.flows, flow)
		}
		if len(a.nodes) > 0 {
			total++
		}
	}
	for i := range groups {
		groups[i].share = float64(len(groups[i].flows)) / float64(max(total, 1))
	}
	return groups
}

// decideGroup has more flows through a router asked for at the next hop, until
// the rule holds. Where there are no more of them, further flows are asked for at
// the router's own hop.
func (p *flowPlan) decideGroup(hop int, g *flowGroup) {
	if len(g.flows) == 0 && !g.any {
		return
	}
	flows := g.flows
	if g.any {
		flows = allFlows(p.most)
	}
	missing := p.missing(hop, flows)
	for _, flow := range flows {
		if missing <= 0 {
			return
		}
		if p.ask(hop, flow).want == 0 && p.want(hop, flow) {
			missing--
		}
	}
	if missing > 0 && !g.any {
		// Rounded up, but not for what is only the error of a division.
		p.draw(hop-1, int(float64(missing)/g.share+0.999))
	}
}

func allFlows(n int) []int {
	flows := make([]int, n)
	for i := range flows {
		flows[i] = i
	}
	return flows
}

// missing returns how many more flows the rule demands at a hop, of a group of
// them, beside those that are asked for. Silence is a next hop of its own, but
// does not help to tell the others apart.
func (p *flowPlan) missing(hop int, flows []int) int {
	t := p.tally(hop, flows)
	need := p.required(t.outcomes())
	settled := t.answered + t.silent
	more := need - settled
	if t.nodes > 0 {
		more = max(more, min(p.required(t.nodes)-t.answered, 3*need-settled))
	}
	return more - t.pending
}

// flowTally is what some flows met at a hop.
type flowTally struct{ nodes, silent, answered, pending int }

// outcomes is how many next hops they make, silence being one.
func (t flowTally) outcomes() int {
	if t.silent > 0 {
		return t.nodes + 1
	}
	return t.nodes
}

// holds reports whether the rule holds for the next hops of some flows.
func (p *flowPlan) holds(t flowTally) bool {
	return t.answered+t.silent >= p.required(t.outcomes()) && (t.nodes == 0 || t.answered >= p.required(t.nodes))
}

func (p *flowPlan) tally(hop int, flows []int) (t flowTally) {
	found := make([]bool, len(p.hops[hop].nodes))
	for _, flow := range flows {
		if flow >= len(p.hops[hop].asks) || p.ends[flow] < hop {
			continue
		}
		a := p.ask(hop, flow)
		switch {
		case a.want == 0:
		case a.answered > 0:
			t.answered++
			for _, n := range a.nodes {
				if !found[n] {
					found[n] = true
					t.nodes++
				}
			}
		case p.silent(a):
			t.silent++
		default:
			t.pending++
		}
	}
	return t
}

// required returns how many flows have to be seen where so many next hops are.
func (p *flowPlan) required(found int) int {
	if found > len(p.rule) {
		return p.most
	}
	return p.rule[max(found, 1)-1]
}

// draw has so many further flows asked for at a hop, once all those that are
// asked for have settled.
func (p *flowPlan) draw(hop, count int) {
	for i := range hop + 1 {
		if !p.known(i) {
			return
		}
	}
	drawn := 0
	for flow := 0; flow < p.most && drawn < count; flow++ {
		if p.lead(hop, flow) {
			drawn++
		}
	}
}

// hops makes the hops out of what the flows saw, in order of distance. The end of the
// trace is that of the last.
func (v *flowView) hops(end RouteEnd) []*Hop {
	hops := make([]*Hop, v.last+1)
	for i := range hops {
		hops[i] = v.hop(i)
	}
	if v.last >= 0 {
		hops[v.last].End = end
	}
	return hops
}

// hop makes a hop: its statistics are those of all probes of all flows that got
// that far.
func (v *flowView) hop(i int) *Hop {
	h := &Hop{Distance: v.p.opts.FirstHop + i, Status: StatusNoReply}
	h.receiveEveryAnswer()
	h.KeepRTTs(v.p.hops[i].sent)
	var results []Result
	open := 0
	for flow := range v.p.hops[i].asks {
		if a := v.ask(i, flow); a != nil {
			results = append(results, a.results...)
			open += a.open
			v.compare(h, i, flow)
		}
	}
	slices.SortStableFunc(results, func(a, b Result) int { return cmp.Compare(a.Seq, b.Seq) })
	seq, number := -1, -1
	for k := range results {
		if results[k].Seq != seq { // those of flows that were left out make gaps
			seq = results[k].Seq
			number++
		}
		results[k].Seq = number
		h.add(&results[k])
	}
	h.abandon(open)
	return h
}

// compare notes what a hop saw otherwise of a flow than the hop before it that
// quotes. Flows differ in their ports and labels, which the Packet says of none.
func (v *flowView) compare(h *Hop, hop, flow int) {
	seen := v.quoted(hop, flow)
	if !seen.isKnown() {
		return
	}
	packet := v.p.opts.Packet
	packet.SourcePort, packet.FlowLabel = 0, 0
	sent := sentAs(&packet, &seen)
	before := sent
	for i := hop - 1; i >= 0; i-- {
		if was := v.quoted(i, flow); was.isKnown() {
			before = was
			break
		}
	}
	h.Rewritten |= differences(&before, &seen) & sent.telling()
}

// quoted returns how the first router that answered for a flow saw its probe.
func (v *flowView) quoted(hop, flow int) Quoted {
	if a := v.ask(hop, flow); a != nil {
		for i := range a.results {
			if r := &a.results[i]; r.Responder.IsValid() && !r.informs() {
				return r.Quoted
			}
		}
	}
	return Quoted{}
}

// flowView is what of a flowPlan's table can be relied on: how far each flow was
// seen. What was asked for behind the end of a flow is none of its way.
type flowView struct {
	p      *flowPlan
	extent []int // by flow: the last hop that is on its way
	last   int   // the last hop of all
}

// view looks at the table. Where the plan is not done, it ends with the last
// hop that answered.
func (p *flowPlan) view(done bool) *flowView {
	v := &flowView{p: p, extent: make([]int, len(p.ends)), last: -1}
	for flow := range p.ends {
		v.extent[flow] = p.extent(flow)
	}
	for hop := range p.last + 1 {
		for flow := range p.hops[hop].asks {
			if a := v.ask(hop, flow); a != nil && (a.answered > 0 || done && p.near > p.last) {
				v.last = hop
			}
		}
	}
	return v
}

// extent returns the last hop that is on the way of a flow. That it ended at a
// hop shows only if it was seen to go on at the hop before, or if no flow ended
// nearer: a target also answers what would have got farther.
func (p *flowPlan) extent(flow int) int {
	end, seen := p.ends[flow], -1
	for hop := min(end-1, p.last); hop >= 0 && seen < 0; hop-- {
		if flow < len(p.hops[hop].asks) && p.hops[hop].asks[flow].answered > 0 {
			seen = hop
		}
	}
	switch {
	case end != never && (end == p.near || seen == end-1):
		return end
	case p.near > p.last:
		return p.last
	}
	return max(seen, p.near)
}

// ask returns what is known of a flow at a hop; nil where it was not asked for,
// or has not got that far.
func (v *flowView) ask(hop, flow int) *flowAsk {
	if asks := v.p.hops[hop].asks; flow < len(asks) && asks[flow].sent > 0 && hop <= v.extent[flow] {
		return &asks[flow]
	}
	return nil
}

// end says how the trace ended.
func (v *flowView) end() RouteEnd {
	end := EndUnknown
	for hop := range v.last + 1 {
		for flow := range v.p.hops[hop].asks {
			a := v.ask(hop, flow)
			if a != nil && a.said.end() != EndUnknown && end != EndReached {
				end = a.said.end()
			}
		}
	}
	if end == EndUnknown {
		return v.p.cut
	}
	return end
}
