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
	if r.Sent.IsZero() {
		p.probes-- // the system did not take it
	}
	a.results = append(a.results, *r)
	p.careful.wait(quietAfter(r, p.opts.Timeout))
	if !r.Responder.IsValid() || r.Status.informs() || r.Duplicate {
		return
	}
	a.answered++
	node := slices.Index(h.nodes, r.Responder)
	if node < 0 {
		node = len(h.nodes)
		h.nodes = append(h.nodes, r.Responder)
	}
	if !slices.Contains(a.nodes, node) {
		a.nodes = append(a.nodes, node)
		h.perPacket = h.perPacket || len(a.nodes) > 1
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
