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
	if end := endOf(r); end != EndUnknown {
		if a.end != EndReached {
			a.end = end
		}
		p.ends[flow] = min(p.ends[flow], hop)
		p.near = min(p.near, hop)
	}
}
