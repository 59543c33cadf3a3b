package mda

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/goicmp/icmplib/internal/plan"
)

// rules decide what to ask, from what is known: see the package.
type rules struct {
	table
	stop  stoppingRule // nil if the number of flows is fixed
	base  int          // flows to probe at each hop
	todo  []place      // what to ask, as far as that is decided
	stale bool         // something became known since then
}

// place identifies an ask.
type place struct{ hop, flow int }

const (
	// scouts is how many flows are probed ahead of the answers.
	scouts = 1

	// pastEnd is the number of silent hops over which a flow is followed beyond the hop at
	// which another flow ended.
	pastEnd = 4

	// followed is how many flows of each router are followed to the next hop, so that a
	// router with several next hops is found even if others have one.
	followed = 2

	// doubt is the greatest accepted probability that a router that balances per packet is
	// taken for one that balances per flow.
	doubt = 1e-3

	// turns is how many times in a row a flow is sent again, to find a router that uses its
	// next hops in turn.
	turns = 3
)

func newRules(cfg Config) rules {
	r := rules{table: newTable(cfg), base: cfg.Flows, stale: true}
	if cfg.Flows < 0 {
		r.stop = usualRule()
		r.base = r.stop[0]
	}
	return r
}

// update decides anew if something became known, for the hops that may be probed.
func (r *rules) update(window int) {
	if !r.stale {
		return
	}
	r.stale = false
	r.endByShape()
	for again := true; again; again = r.distrust() {
		for hop := range min(window, r.last+1) {
			if hop > r.near && !r.isAsked(hop-1) {
				break
			}
			r.decide(hop)
		}
	}
	for hop := range r.far + 1 {
		r.check(hop, true)
	}
	r.todo = r.todo[:0]
	for _, repeated := range []bool{true, false} { // the probes that check a hop leave in a row
		for hop := range r.last + 1 {
			for flow := range r.hops[hop].asks {
				a := &r.hops[hop].asks[flow]
				if r.wants(a) && (a.want > 1) == repeated && r.ends[flow] >= hop {
					r.todo = append(r.todo, place{hop, flow})
				}
			}
		}
	}
}

// decide decides what to ask at a hop, from what is known of it and of the hop before. It
// never takes a decision back, so that the trace ends.
func (r *rules) decide(hop int) {
	for flow := range r.base {
		if flow < scouts || hop <= r.far {
			r.want(hop, flow)
		}
	}
	r.check(hop, false)
	r.link(hop)
	if r.stop == nil || hop > r.far {
		return
	}
	for _, g := range r.groups(hop) {
		r.enumerate(hop, &g)
	}
	r.follow(hop)
}

// endByShape ends the trace at a loop, or after too long a gap.
func (r *rules) endByShape() {
	for hop := range r.last {
		if hop >= r.near || !r.known(hop) {
			return
		}
		switch {
		case plan.ClosesLoop(hop, func(i, j int) bool { return r.hops[i].isLike(&r.hops[j]) }):
			r.last, r.cut = hop, plan.EndLoop
			return
		case r.closesGap(hop):
			r.last, r.cut = hop, plan.EndGap
			return
		}
	}
}

func (r *rules) closesGap(hop int) bool {
	gap := 0
	for ; hop >= 0 && len(r.hops[hop].nodes) == 0; hop-- {
		gap++
	}
	return r.cfg.GapLimit > 0 && gap >= r.cfg.GapLimit
}

// group is a set of flows for whose next hops the stopping rule must hold together.
type group struct {
	flows []int
	any   bool    // every other flow counts as well
	least int     // the least number of next hops to assume
	share float64 // the group's share of all flows at the hop before
}

// routers returns the flows of each router before a hop, or of each set of routers among
// which packets are spread. If it does not matter which flows they are, at the first hop
// and behind a silent one, it returns one group of any flows.
func (r *rules) routers(hop int) []group {
	if hop == 0 {
		return []group{{any: true}}
	}
	before := &r.hops[hop-1]
	if len(before.nodes) == 0 {
		if hop <= r.near {
			return []group{{any: true}}
		}
		return nil
	}
	groups := make([]group, len(before.nodes)) // the group of a set is that of its first node
	total := 0
	for flow := range before.asks {
		a := &before.asks[flow]
		switch {
		case r.silent(a):
			r.want(hop, flow) // it may have passed any of them
		case r.goesOn(hop-1, flow):
			set := before.set(a.nodes[0]) // the flow does not determine which node of a set a packet meets
			groups[set].flows = append(groups[set].flows, flow)
		}
		if len(a.nodes) > 0 {
			total++
		}
	}
	for node := range before.nodes {
		groups[before.set(node)].least++
	}
	groups = slices.DeleteFunc(groups, func(g group) bool { return len(g.flows) == 0 })
	for i := range groups {
		groups[i].share = float64(len(groups[i].flows)) / float64(max(total, 1))
	}
	return groups
}

// groups returns the groups for which the stopping rule must hold at a hop: each router
// before it, or all of them together.
func (r *rules) groups(hop int) []group {
	routers := r.routers(hop)
	if r.hops[hop].eachRouter || len(routers) == 0 || hop == 0 || len(r.hops[hop-1].nodes) == 0 {
		return routers
	}
	all := group{any: hop <= r.near}
	rank := map[int]int{} // by flow: its place among those of its router
	for _, g := range routers {
		asked := func(flow int) int { // flows that are probed anyway come first
			if r.ask(hop, flow).want > 0 {
				return 0
			}
			return 1
		}
		slices.SortStableFunc(g.flows, func(a, b int) int { return cmp.Compare(asked(a), asked(b)) })
		for i, flow := range g.flows {
			rank[flow] = i
		}
		all.flows = append(all.flows, g.flows...)
		all.share += g.share
	}
	slices.SortStableFunc(all.flows, func(a, b int) int { return cmp.Or(cmp.Compare(rank[a], rank[b]), cmp.Compare(a, b)) })
	return []group{all}
}

// tallyOf counts what the flows of a group met at a hop.
func (r *rules) tallyOf(hop int, g *group) tally {
	if g.any {
		return r.tally(hop, firstFlows(len(r.hops[hop].asks)))
	}
	return r.tally(hop, g.flows)
}

// enumerate asks for more flows of a group at a hop, until the stopping rule holds, first
// for those that are known to pass. If there are no more of these, it asks for further
// flows at the hop before.
func (r *rules) enumerate(hop int, g *group) {
	missing := r.stop.missing(r.tallyOf(hop, g), g.least)
	if missing <= 0 {
		return
	}
	missing -= r.askMore(hop, g.flows, missing)
	if g.any {
		r.askMore(hop, firstFlows(r.cfg.most()), missing)
	} else {
		r.drawThrough(hop-1, missing, g.share)
	}
}

// askMore asks at a hop for up to count of the given flows that are not asked for yet, and
// returns how many it asked for.
func (r *rules) askMore(hop int, flows []int, count int) (asked int) {
	for _, flow := range flows {
		if asked >= count {
			break
		}
		if r.ask(hop, flow).want == 0 && r.want(hop, flow) {
			asked++
		}
	}
	return asked
}

// drawThrough draws so many flows at a hop that count of them are expected to be in a group
// with the given share; it draws none if count is not positive.
func (r *rules) drawThrough(hop, count int, share float64) {
	// Rounded up, except for what is only the error of the division.
	r.draw(hop, int(float64(count)/share+0.999))
}

// follow asks for flows of each of several routers at the next hop, and for flows of each
// of several next hops at the hop before.
func (r *rules) follow(hop int) {
	if hop == 0 {
		return
	}
	routers := r.routers(hop)
	if len(routers) < 2 {
		return
	}
	for _, g := range routers {
		r.drawThrough(hop-1, followed-r.askFor(hop, g.flows, followed), g.share)
	}
	h := &r.hops[hop]
	if len(h.nodes) < 2 {
		return
	}
	for node := range h.nodes {
		var flows []int
		for flow := range h.asks {
			if h.asks[flow].met(node) {
				flows = append(flows, flow)
			}
		}
		r.askFor(hop-1, flows, followed)
	}
}

// askFor makes sure that up to count of the given flows are asked for at a hop, and returns
// how many are.
func (r *rules) askFor(hop int, flows []int, count int) (asked int) {
	for _, flow := range flows {
		if r.ask(hop, flow).want > 0 {
			asked++
		}
	}
	return asked + r.askMore(hop, flows, count-asked)
}

// link asks what leads to each node of a hop, if no flow has shown it yet, and to the end
// of each flow, and what follows each node of the hop before.
func (r *rules) link(hop int) {
	if hop == 0 {
		return
	}
	r.leadOn(hop)
	h := &r.hops[hop]
	for node := range h.nodes {
		linked := false
		for flow := range h.asks {
			linked = linked || h.asks[flow].met(node) && r.ask(hop-1, flow).want > 0
		}
		for flow := range h.asks {
			if a := &h.asks[flow]; a.met(node) && (!linked || a.said.End() != plan.EndUnknown) {
				r.want(hop-1, flow)
				linked = true
			}
		}
	}
}

// leadOn asks at a hop for a flow of each node of the hop before, if there is none yet: a
// router has its own next hops, even if the stopping rule holds for others beside it, among
// which packets are spread.
func (r *rules) leadOn(hop int) {
	before := &r.hops[hop-1]
	for node := range before.nodes {
		last, asked := -1, false
		for flow := range before.asks {
			a := &before.asks[flow]
			if slices.Contains(a.nodes, node) && a.said.End() == plan.EndUnknown && r.ends[flow] >= hop {
				last, asked = flow, asked || r.ask(hop, flow).want > 0
			}
		}
		if last >= 0 && !asked {
			r.want(hop, last)
		}
	}
}

// check finds the routers that balance load per packet: the same flow, sent again, then
// meets another node. Then the packets of any flow of that router meet all of its next
// hops. If last is set, all other decisions have been made.
func (r *rules) check(hop int, last bool) {
	h := &r.hops[hop]
	if len(h.nodes) < 2 {
		return
	}
	routers := r.routers(hop)
	if routers == nil {
		routers = []group{{any: true}}
	}
	for i := range routers {
		flows := r.passing(hop, routers, i)
		switch {
		case routers[i].any && hop > 0:
			r.checkHidden(hop, flows)
		case r.spreads(hop, flows):
			r.mergeNodes(hop, flows)
		default:
			r.checkRouter(hop, flows, last)
		}
	}
}

// passing returns the flows that pass one of the routers before a hop. If there is only one
// router, all flows pass it.
func (r *rules) passing(hop int, routers []group, router int) []int {
	if routers[router].any || len(routers) == 1 && hop <= r.near {
		return firstFlows(len(r.hops[hop].asks))
	}
	return routers[router].flows
}

// firstFlows returns the first n flows.
func firstFlows(n int) []int {
	flows := make([]int, n)
	for i := range flows {
		flows[i] = i
	}
	return flows
}

// spreads reports whether one of the flows met several nodes of a hop.
func (r *rules) spreads(hop int, flows []int) bool {
	return slices.ContainsFunc(flows, func(flow int) bool { return len(r.ask(hop, flow).nodes) > 1 })
}

// mergeNodes notes that all of the given flows meet all of the nodes that any of them met.
func (r *rules) mergeNodes(hop int, flows []int) {
	first := -1
	for _, flow := range flows {
		a := r.ask(hop, flow)
		a.want = min(a.want, 1)
		if len(a.nodes) == 0 {
			continue
		}
		if first < 0 {
			first = a.nodes[0]
		}
		r.hops[hop].merge(first, a.nodes[0])
	}
}

// repeats returns how many times flows must be sent again, and meet the same node as
// before, to rule out that a router spreads packets over that many next hops at random.
func repeats(nodes int) int {
	return int(math.Ceil(math.Log(doubt)/math.Log(1/float64(nodes)) - 1e-9))
}

// representatives returns a flow for each set of nodes that the given flows met, preferring
// flows that are already sent again.
func (r *rules) representatives(hop int, flows []int) []int {
	h := &r.hops[hop]
	first := map[int]int{}
	for _, flow := range flows {
		a := r.ask(hop, flow)
		if len(a.nodes) == 0 || r.ends[flow] < hop {
			continue
		}
		set := h.set(a.nodes[0])
		if known, ok := first[set]; !ok || a.want > r.ask(hop, known).want {
			first[set] = flow
		}
	}
	found := slices.Sorted(maps.Values(first))
	slices.SortStableFunc(found, func(a, b int) int { return -cmp.Compare(r.ask(hop, a).want, r.ask(hop, b).want) })
	return found
}

// checkRouter sends flows of one router again: one of them several times in a row and, if
// in the end the next hop does not show that flows keep their paths, another one.
func (r *rules) checkRouter(hop int, flows []int, last bool) {
	found := r.representatives(hop, flows)
	if len(found) < 2 {
		return
	}
	more := repeats(len(found))
	if agree, settled := r.agreement(hop, flows); last && settled {
		more = max(more-agree, turns)
	} else {
		more = min(more, turns)
	}
	first := max((more+1)/2, min(more, turns))
	r.again(hop, found[0], first)
	r.again(hop, found[1], more-first)
}

// again sends a flow again a number of times.
func (r *rules) again(hop, flow, times int) {
	a := r.ask(hop, flow)
	a.want = max(a.want, 1+times)
}

// agreement returns how many flows met the same node at the next hop as earlier flows that
// had met the same node at this one. Settled means that no more will become known. If
// packets are spread at random, each agreement is chance. Agreement counts only if each
// node leads to its own next hop.
func (r *rules) agreement(hop int, flows []int) (agree int, settled bool) {
	if hop == r.last {
		return 0, true
	}
	before, after := map[int]int{}, map[int]int{}
	own, goOn := true, false
	for _, flow := range flows {
		if !r.goesOn(hop, flow) {
			continue
		}
		goOn = true
		a := r.ask(hop+1, flow)
		if len(a.nodes) == 0 {
			continue
		}
		from, to := r.ask(hop, flow).nodes[0], a.nodes[0]
		known, seen := after[from]
		origin, met := before[to]
		if seen && known != to || met && origin != from {
			own = false
		} else if seen {
			agree++
		}
		after[from], before[to] = to, from
	}
	if len(after) < 2 || !own {
		agree = 0
	}
	return agree, !goOn || r.knownUpTo(hop+1)
}

// checkHidden sends flows again behind a silent hop, where one router may balance per
// packet and another per flow.
func (r *rules) checkHidden(hop int, flows []int) {
	h := &r.hops[hop]
	most := 2
	if r.spreads(hop, flows) {
		most = len(h.nodes)
	}
	found := r.representatives(hop, flows)
	if len(found) < 2 {
		return
	}
	for _, flow := range found {
		if a := r.ask(hop, flow); most > 0 && !h.isShared(a.nodes[0]) {
			r.again(hop, flow, (repeats(2)+1)/2)
			most--
		}
	}
}

// distrust finds hops at which the routers do not all have the same number of next hops,
// and reports whether there are new ones. There the stopping rule must hold behind each
// router.
func (r *rules) distrust() (found bool) {
	if r.stop == nil {
		return false
	}
	for hop := 1; hop <= min(r.far, r.last); hop++ {
		if r.hops[hop].eachRouter || !r.isIrregular(hop) {
			continue
		}
		found = true
		first, last := hop, hop
		for first > 1 && r.width(first-1) > 1 {
			first--
		}
		for last < r.last && r.width(last) > 1 {
			last++
		}
		for ; first <= last; first++ {
			r.hops[first].eachRouter = true
		}
	}
	return found
}

// isIrregular reports whether there is evidence against the assumption that the routers
// before a hop all have the same number of next hops, and share none unless they share all.
func (r *rules) isIrregular(hop int) bool {
	before, here := &r.hops[hop-1], &r.hops[hop]
	switch {
	case before.hasShared(), here.hasShared(), r.hasGaps(hop - 1), r.hasGaps(hop):
		return true
	case before.eachRouter && r.width(hop-1) > 1:
		return true
	case len(before.nodes) < 2 || len(here.nodes) < 2 || !r.knownUpTo(hop):
		return false
	}
	next, previous := map[place]bool{}, map[int]int{}
	out := map[int]int{}
	for flow := range here.asks {
		if !r.goesOn(hop-1, flow) || len(here.asks[flow].nodes) == 0 {
			continue
		}
		from, to := before.asks[flow].nodes[0], here.asks[flow].nodes[0]
		if !next[place{from, to}] {
			next[place{from, to}] = true
			out[from]++
			previous[to]++
		}
	}
	if len(out) < 2 || len(previous) < 2 {
		return false
	}
	leastOut, mostOut := extremes(out)
	leastIn, mostIn := extremes(previous)
	switch {
	case len(out) < len(previous):
		return mostIn > 1 || leastOut != mostOut
	case len(out) > len(previous):
		return mostOut > 1 || leastIn != mostIn
	}
	return mostOut > 1 || mostIn > 1
}

// extremes returns the least and the greatest of some numbers; there must be at least one.
func extremes(numbers map[int]int) (least, most int) {
	all := slices.Collect(maps.Values(numbers))
	return slices.Min(all), slices.Max(all)
}
