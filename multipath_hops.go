package icmplib

import (
	"cmp"
	"slices"
)

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
