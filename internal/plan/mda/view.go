package mda

import (
	"slices"

	"github.com/goicmp/icmplib/internal/pathgraph"
	"github.com/goicmp/icmplib/internal/plan"
)

// View is the reliable part of a trace: how far each flow was seen. Probes beyond the end
// of a flow are not part of its path.
type View struct {
	t      *Trace
	done   bool
	extent []int // by flow: the last hop on its path
	last   int   // the last hop of all
}

// Probe is a probe with a known result.
type Probe struct {
	Key  plan.Key
	Flow int
}

// View returns a view of the trace. If the trace is not done, it ends with the last hop
// that answered.
func (t *Trace) View(done bool) *View {
	v := &View{t: t, done: done, extent: make([]int, len(t.ends)), last: -1}
	for flow := range t.ends {
		v.extent[flow] = t.extent(flow)
	}
	for hop := range t.last + 1 {
		for flow := range t.hops[hop].asks {
			if a := v.ask(hop, flow); a != nil && (a.answered > 0 || done) {
				v.last = hop
			}
		}
	}
	return v
}

// extent returns the last hop on the path of a flow. It is certain that a flow ended at a
// hop only if it was seen to go on at the hop before, or if no flow ended nearer, because a
// target also answers probes that would have gone farther.
func (t *Trace) extent(flow int) int {
	end, seen := t.ends[flow], -1
	for hop := range min(end, t.last+1) {
		if flow < len(t.hops[hop].asks) && t.hops[hop].asks[flow].answered > 0 {
			seen = hop
		}
	}
	if end != never && (end == t.near || seen == end-1) {
		return end
	}
	return min(max(seen, t.near), t.last)
}

// ask returns the state of a flow at a hop, or nil if it was not asked for there or has
// not got that far.
func (v *View) ask(hop, flow int) *ask {
	if asks := v.t.hops[hop].asks; flow < len(asks) && asks[flow].sent > 0 && hop <= v.extent[flow] {
		return &asks[flow]
	}
	return nil
}

// Len returns how many hops there are.
func (v *View) Len() int { return v.last + 1 }

// Probes returns the probes to a hop, from 0, that count and have a known result, in the
// order of sending. A probe counts if its flow got there, unless it was discarded and
// stayed silent.
func (v *View) Probes(hop int) (all []Probe) {
	for number, p := range v.t.hops[hop].probes {
		if a := v.ask(hop, p.flow); a != nil && (p.heard || p.silent && number >= a.below) {
			all = append(all, Probe{plan.MakeKey(v.t.cfg.FirstHop+hop, number), p.flow})
		}
	}
	return all
}

// Open returns how many probes to a hop are not settled yet.
func (v *View) Open(hop int) (n int) {
	for flow := range v.t.hops[hop].asks {
		if a := v.ask(hop, flow); a != nil {
			n += a.open
		}
	}
	return n
}

// Flows returns the number of flows of which a probe has left.
func (v *View) Flows() (n int) {
	for flow := range v.t.ends {
		used := false
		for hop := range v.t.hops {
			asks := v.t.hops[hop].asks
			used = used || flow < len(asks) && asks[flow].sent > 0
		}
		if used {
			n++
		}
	}
	return n
}

// End returns how the trace ended.
func (v *View) End() plan.End {
	end := plan.EndUnknown
	if !v.done {
		return end
	}
	for hop := range v.last + 1 {
		for flow := range v.t.hops[hop].asks {
			if a := v.ask(hop, flow); a != nil && a.said.End() != plan.EndUnknown && end != plan.EndReached {
				end = a.said.End()
			}
		}
	}
	if end == plan.EndUnknown {
		return v.t.cut
	}
	return end
}

// Graph returns the graph of what the flows met.
func (v *View) Graph() *pathgraph.Graph {
	hops := make([]pathgraph.Hop, v.Len())
	for i := range hops {
		hops[i] = v.Hop(i)
	}
	return pathgraph.New(hops)
}

// Hop returns what the flows met at a hop: the addresses that answered, then silence.
func (v *View) Hop(i int) pathgraph.Hop {
	h := &v.t.hops[i]
	silence := len(h.nodes)
	met, ends := make([][]int, silence+1), make([]bool, silence+1)
	for flow := range h.asks {
		for _, node := range v.nodes(i, flow) {
			met[node] = append(met[node], flow)
			ends[node] = ends[node] || v.t.ends[flow] == i
		}
	}
	hop := pathgraph.Hop{Distance: v.t.cfg.FirstHop + i}
	for n := range met {
		if len(met[n]) == 0 {
			continue
		}
		if n == silence {
			hop.Seen = append(hop.Seen, pathgraph.Seen{Flows: met[n], Set: n, Any: silence == 0})
		} else {
			hop.Seen = append(hop.Seen, pathgraph.Seen{Address: h.nodes[n], Flows: met[n], Set: h.set(n), Ends: ends[n]})
		}
	}
	return hop
}

// nodes returns what a flow met at a hop: nodes of the table, or silence, whose number
// follows theirs.
func (v *View) nodes(i, flow int) []int {
	a := v.ask(i, flow)
	if a == nil {
		return nil
	}
	if a.answered > 0 {
		return a.nodes
	}
	if v.t.silent(a) {
		return []int{len(v.t.hops[i].nodes)}
	}
	return nil
}

// Holds reports whether all next hops were found, with the confidence of the stopping rule:
// the rule holds at each hop or, if the hops of a diamond are not treated as a whole,
// behind each router, and nothing is left to ask. Flows that met silence beside answers may
// have passed a router of their own.
func (v *View) Holds() bool {
	t := v.t
	if !v.done || t.stop == nil || t.refused {
		return false
	}
	for hop := range min(t.far, v.last) + 1 {
		groups := t.groups(hop)
		if hop > 0 {
			if silent := v.silentFlows(hop - 1); len(silent) > 0 {
				groups = append(groups, group{flows: silent})
			}
		}
		for i := range groups {
			if !t.stop.holds(t.tallyOf(hop, &groups[i]), groups[i].least) {
				return false
			}
		}
		if !v.follows(hop) || !v.isChecked(hop) {
			return false
		}
	}
	return true
}

// silentFlows returns the flows that go on beyond a hop where they met silence. It returns
// none if all flows did, because these count as one group.
func (v *View) silentFlows(hop int) (flows []int) {
	if len(v.t.hops[hop].nodes) == 0 && hop < v.t.near {
		return nil
	}
	for flow := range v.t.hops[hop].asks {
		if a := v.ask(hop, flow); a != nil && v.t.silent(a) && v.ask(hop+1, flow) != nil {
			flows = append(flows, flow)
		}
	}
	return flows
}

// follows reports whether enough flows of each of several routers were followed to a hop.
func (v *View) follows(hop int) bool {
	routers := v.t.routers(hop)
	for _, g := range routers {
		settled := slices.DeleteFunc(slices.Clone(g.flows), func(flow int) bool { a := v.ask(hop, flow); return a == nil || !v.t.settled(a) })
		if len(routers) > 1 && len(settled) < followed {
			return false
		}
	}
	return true
}

// isChecked reports whether it is known, for each router before a hop, whether it balances
// per packet.
func (v *View) isChecked(hop int) bool {
	routers := v.t.routers(hop)
	for i := range routers {
		flows := v.t.passing(hop, routers, i)
		found := v.t.representatives(hop, flows)
		if len(found) < 2 || v.t.spreads(hop, flows) {
			continue
		}
		again := 0
		for _, flow := range flows {
			again += max(v.t.ask(hop, flow).answered-1, 0)
		}
		agree, _ := v.t.agreement(hop, flows)
		if enough := repeats(len(found)); again+agree < enough || again < min(turns, enough) {
			return false
		}
	}
	return true
}
