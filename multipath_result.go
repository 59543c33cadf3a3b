package icmplib

import "slices"

// result notes what was heard of a probe; settles says that it is its fate.
func (p *flowPlan) result(hop, flow int, r *Result, settles bool) {
	h, a := &p.hops[hop], p.ask(hop, flow)
	p.stale = true
	if settles {
		a.open--
		p.flying--
	}
	p.careful.wait(quietAfter(r, p.opts.Timeout))
	if !a.record(r) {
		return
	}
	if !r.Responder.IsValid() || r.informs() || r.Duplicate || r.Corrects {
		return
	}
	a.answered++
	node := slices.Index(h.nodes, r.Responder)
	if node < 0 {
		node = len(h.nodes)
		h.nodes = append(h.nodes, r.Responder)
		h.merged = append(h.merged, node)
	}
	if !slices.Contains(a.nodes, node) {
		a.nodes = append(a.nodes, node)
		h.merge(a.nodes[0], node)
	}
	p.far = max(p.far, hop)
	p.slow = max(p.slow, r.RTT)
	p.window = max(p.window, hop+1+traceAhead)
	if before := a.said.end(); before != EndReached {
		a.said |= answerOf(r)
		if a.said.end() != before {
			p.findEnd(flow)
		}
	}
}

// findEnd finds the nearest hop at which a flow ends by what is known so far: see
// hopAnswers.end. One that seemed to be the end is none any more when another probe
// of the flow passes it.
func (p *flowPlan) findEnd(flow int) {
	p.ends[flow] = never
	for hop := range p.hops {
		if asks := p.hops[hop].asks; flow < len(asks) && asks[flow].said.end() != EndUnknown {
			p.ends[flow] = hop
			break
		}
	}
	p.near = slices.Min(p.ends)
}

// record keeps a result, and reports whether it counts: silence does not where it
// may be due to an answer that did not say what it answered.
func (a *flowAsk) record(r *Result) bool {
	if r.Status == StatusNoReply && r.Seq < a.voided {
		a.vain = append(a.vain, *r)
		return false
	}
	if i := slices.IndexFunc(a.vain, func(v Result) bool { return v.Seq == r.Seq }); i >= 0 {
		a.results = append(a.results, a.vain[i]) // it was answered after all, late
		a.vain = slices.Delete(a.vain, i, i+1)
	}
	a.results = append(a.results, *r)
	return true
}

// void leaves out of account what is in flight. Of an ask without an answer, that
// is all that was sent.
func (a *flowAsk) void(number int) {
	a.voided = number
	if a.answered > 0 {
		return
	}
	a.discarded = a.sent
	silent := func(r Result) bool { return r.Status == StatusNoReply }
	for _, r := range a.results {
		if silent(r) {
			a.vain = append(a.vain, r)
		}
	}
	a.results = slices.DeleteFunc(a.results, silent)
}

// merge notes that packets of one flow met both nodes.
func (h *flowHop) merge(a, b int) {
	a, b = h.set(a), h.set(b)
	h.merged[max(a, b)] = min(a, b)
}

// set returns the first of the nodes among which one flow's packets are spread, as
// far as that is known: the node itself where load is spread by flow.
func (h *flowHop) set(node int) int {
	for h.merged[node] != node {
		node = h.merged[node]
	}
	return node
}

// isShared reports whether packets of one flow met the node and another one.
func (h *flowHop) isShared(node int) bool {
	for other := range h.nodes {
		if other != node && h.set(other) == h.set(node) {
			return true
		}
	}
	return false
}
