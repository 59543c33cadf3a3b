package mda

import (
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/plan"
)

// table holds what is known of hops and flows. Each place in it is an ask, which is
// repeated until it is answered or was sent Count times.
type table struct {
	cfg  Config
	hops []hop    // from FirstHop on
	ends []int    // by flow: the nearest hop whose answer ended it
	near int      // the nearest of them
	far  int      // the farthest hop that answered
	last int      // index of the last hop that matters
	cut  plan.End // why that is the last hop
}

// hop is the state of a hop.
type hop struct {
	asks   []ask // by flow
	nodes  []netip.Addr
	merged []int     // by node: another node that packets of the same flow met, or itself
	probes []probe   // by number
	left   time.Time // when the first of the last burst left
	burst  int       // how many left with it

	// eachRouter is set if the stopping rule must hold behind each router of the hop
	// before, and not only for both hops as a whole: see rules.
	eachRouter bool
}

// probe is the state of a probe to a hop.
type probe struct {
	flow   int
	silent bool // it timed out
	heard  bool // it had an answer, or was refused
}

// ask is the state of a flow at a hop.
type ask struct {
	want      int // answers that are wanted
	sent      int
	discarded int // those of them that do not count
	below     int // probes with lower numbers count nowhere if they stay silent
	open      int
	answered  int
	left      time.Time
	nodes     []int // the nodes that answered, in order of their first answers
	said      plan.Answers
}

const never = 1 << 30 // the end of a flow without one

func newTable(cfg Config) table {
	last := cfg.MaxHops - cfg.FirstHop
	return table{cfg: cfg, hops: make([]hop, last+1), near: never, far: -1, last: last, cut: plan.EndMaxHops}
}

// ask returns a place of the table.
func (t *table) ask(hop, flow int) *ask {
	h := &t.hops[hop]
	for len(h.asks) <= flow {
		h.asks = append(h.asks, ask{})
	}
	for len(t.ends) <= flow {
		t.ends = append(t.ends, never)
	}
	return &h.asks[flow]
}

// settled reports whether an ask is answered, or all of its Count probes were in vain.
func (t *table) settled(a *ask) bool {
	return a.answered > 0 || a.open == 0 && a.sent-a.discarded >= t.cfg.Count
}

// silent reports whether it was asked in vain.
func (t *table) silent(a *ask) bool { return a.answered == 0 && t.settled(a) }

// wants reports whether an ask must be sent once more.
func (t *table) wants(a *ask) bool {
	if a.answered == 0 {
		return a.want > 0 && a.sent-a.discarded < t.cfg.Count
	}
	return a.answered+a.open < a.want && a.sent < a.want*(t.cfg.Count+1)
}

// isAsked reports whether something was asked at a hop.
func (t *table) isAsked(hop int) bool {
	return slices.ContainsFunc(t.hops[hop].asks, func(a ask) bool { return a.want > 0 })
}

// known reports whether something was asked at a hop, and all of it is settled.
func (t *table) known(hop int) bool {
	asked := false
	for flow := range t.hops[hop].asks {
		a := &t.hops[hop].asks[flow]
		if a.want == 0 || t.ends[flow] < hop {
			continue
		}
		if asked = true; !t.settled(a) || a.answered < a.want && a.open > 0 {
			return false
		}
	}
	return asked
}

// knownUpTo reports whether all hops up to one are known.
func (t *table) knownUpTo(hop int) bool {
	for i := range hop + 1 {
		if !t.known(i) {
			return false
		}
	}
	return true
}

// want asks for a flow at a hop, if the flow may have got that far.
func (t *table) want(hop, flow int) bool {
	a := t.ask(hop, flow)
	if a.want == 0 && t.mayReach(hop, flow) {
		a.want = 1
	}
	return a.want > 0
}

// mayReach reports whether a flow may be asked for at a hop: it must not have ended, and
// beyond the hop where another flow ended it must have been seen to go on. Otherwise the
// target would answer, although this is not its distance.
func (t *table) mayReach(hop, flow int) bool {
	if t.ends[flow] < hop {
		return false
	}
	if hop <= t.near {
		return true
	}
	if !t.settled(t.ask(hop-1, flow)) {
		return false
	}
	for i := hop - 1; i >= max(0, hop-pastEnd); i-- {
		if t.ask(i, flow).answered > 0 {
			return true
		}
	}
	return hop < pastEnd
}

// lead asks for a flow at the farthest hop, up to this one, at which it may be asked for.
func (t *table) lead(hop, flow int) bool {
	for ; hop >= 0 && t.ask(hop, flow).want == 0; hop-- {
		if t.ends[flow] < hop {
			return false
		}
		if t.want(hop, flow) {
			return true
		}
	}
	return false
}

// draw asks for a number of further flows at a hop, once all earlier asks there are
// settled.
func (t *table) draw(hop, count int) {
	if !t.knownUpTo(hop) {
		return
	}
	for flow := 0; flow < t.cfg.most() && count > 0; flow++ {
		if t.lead(hop, flow) {
			count--
		}
	}
}

// goesOn reports whether a flow was seen at a hop, and may be met beyond it. Its first
// answer decides what it met there.
func (t *table) goesOn(hop, flow int) bool {
	a := t.ask(hop, flow)
	return len(a.nodes) > 0 && a.said.End() == plan.EndUnknown && t.ends[flow] > hop
}

// hasGaps reports whether a flow met silence at a hop where others were answered.
func (t *table) hasGaps(hop int) bool {
	h := &t.hops[hop]
	return len(h.nodes) > 0 && slices.ContainsFunc(h.asks, func(a ask) bool { return t.silent(&a) })
}

// width returns how many next hops the flows that go on have met at a hop, counting silence
// beside answers as one.
func (t *table) width(hop int) int {
	met := map[int]bool{}
	for flow := range t.hops[hop].asks {
		if t.goesOn(hop, flow) {
			met[t.hops[hop].asks[flow].nodes[0]] = true
		}
	}
	if t.hasGaps(hop) {
		return len(met) + 1
	}
	return len(met)
}

// tally counts what some flows met at a hop.
func (t *table) tally(hop int, flows []int) (n tally) {
	found := make([]bool, len(t.hops[hop].nodes))
	for _, flow := range flows {
		if flow >= len(t.hops[hop].asks) || t.ends[flow] < hop {
			continue
		}
		a := t.ask(hop, flow)
		switch {
		case a.want == 0:
		case a.answered > 0:
			n.answered++
			for _, node := range a.nodes {
				if !found[node] {
					found[node] = true
					n.nodes++
				}
			}
		case t.silent(a):
			n.silent++
		default:
			n.pending++
		}
	}
	return n
}

// answer notes the address that answered a flow at a hop, and what the answer means for the
// flow.
func (t *table) answer(hop, flow int, who netip.Addr, says plan.Answers) {
	h, a := &t.hops[hop], t.ask(hop, flow)
	a.answered++
	node := slices.Index(h.nodes, who)
	if node < 0 {
		node = len(h.nodes)
		h.nodes = append(h.nodes, who)
		h.merged = append(h.merged, node)
	}
	if !slices.Contains(a.nodes, node) {
		a.nodes = append(a.nodes, node)
		h.merge(a.nodes[0], node)
	}
	t.far = max(t.far, hop)
	before := a.said.End()
	if before == plan.EndReached {
		return
	}
	if a.said |= says; a.said.End() != before {
		t.findEnd(flow)
	}
}

// findEnd finds the nearest hop at which a flow ends, as far as is known. A hop is no
// longer the end when another probe of the flow passes it.
func (t *table) findEnd(flow int) {
	t.ends[flow] = never
	for hop := range t.hops {
		if asks := t.hops[hop].asks; flow < len(asks) && asks[flow].said.End() != plan.EndUnknown {
			t.ends[flow] = hop
			break
		}
	}
	t.near = slices.Min(t.ends)
}

// discard ignores the probes in flight, and all probes of asks without an answer.
func (t *table) discard() {
	for i := range t.hops {
		for f := range t.hops[i].asks {
			a := &t.hops[i].asks[f]
			a.below = len(t.hops[i].probes)
			if a.answered == 0 {
				a.discarded = a.sent
			}
		}
	}
}

// merge notes that packets of one flow met both nodes.
func (h *hop) merge(a, b int) {
	a, b = h.set(a), h.set(b)
	h.merged[max(a, b)] = min(a, b)
}

// set returns the first of the nodes among which the packets of one flow are spread, as far
// as that is known. If load is balanced per flow, that is the node itself.
func (h *hop) set(node int) int {
	for h.merged[node] != node {
		node = h.merged[node]
	}
	return node
}

// isShared reports whether packets of one flow met the node and another one.
func (h *hop) isShared(node int) bool {
	for other := range h.nodes {
		if other != node && h.set(other) == h.set(node) {
			return true
		}
	}
	return false
}

// hasShared reports whether any node is shared.
func (h *hop) hasShared() bool {
	for node := range h.nodes {
		if h.set(node) != node {
			return true
		}
	}
	return false
}

// isLike reports whether two hops have the same routers, at least one.
func (h *hop) isLike(other *hop) bool {
	if len(h.nodes) == 0 || len(h.nodes) != len(other.nodes) {
		return false
	}
	for _, n := range h.nodes {
		if !slices.Contains(other.nodes, n) {
			return false
		}
	}
	return true
}

// met reports whether a node was the first to answer.
func (a *ask) met(node int) bool { return len(a.nodes) > 0 && a.nodes[0] == node }
