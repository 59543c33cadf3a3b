package icmplib

import (
	"slices"
	"time"

	"github.com/goicmp/icmplib/internal/plan/watch"
)

// monitorHop is a hop that is being watched.
type monitorHop struct {
	hop   Hop
	sent  int    // probes to it so far
	base  int    // the first of them that counts
	last  Result // the last answer that settled a probe
	watch watch.Hop
	shown bool // it was part of a snapshot

	// See beyondEnd.
	turnout watch.Ratio // answers of the target, out of the probes to it
	passed  time.Time   // when a probe beyond was sent that the target answered, since it answered here
}

// maxResponders bounds what is kept of those who answer at a hop. With more, who
// answered longest ago is forgotten.
const maxResponders = 16

// reset forgets everything about a hop, and what is in flight to it.
func (h *monitorHop) reset(distance int) {
	h.hop = Hop{Distance: distance, Status: StatusNoReply}
	h.hop.receiveEveryAnswer()
	h.base, h.last, h.watch = h.sent, Result{}, watch.Hop{}
	h.turnout, h.passed = watch.Ratio{}, time.Time{}
}

// add takes a result of one of the hop's probes, and tells whether somebody else
// answers there now.
func (h *monitorHop) add(r *Result, tag monitorTag) (change watch.Change, changed bool) {
	if tag.ordinal < h.base {
		return change, false
	}
	inHop := *r
	inHop.Seq = tag.ordinal - h.base // without gaps: rounds may have left the hop out
	h.hop.Stats.Add(inHop)
	if !r.Responder.IsValid() || r.informs() {
		return change, false
	}
	h.count(r)
	if !r.Settles() {
		return change, false
	}
	h.last = *r
	h.hop.MPLS, h.hop.Status = r.MPLS, r.Status
	if r.MTU > 0 {
		h.hop.MTU = r.MTU
	}
	if end := endOf(r); !end.isRefusal() {
		return h.watch.Answer(watch.Answer{
			Responder: r.Responder, Target: end == EndReached, At: r.Sent.Add(r.RTT), Round: tag.round, Ordinal: tag.ordinal,
		})
	}
	return change, false
}

// skip leaves a probe out of account.
func (h *monitorHop) skip(tag monitorTag) {
	if tag.ordinal >= h.base {
		h.hop.Stats.rtts.Skip(tag.ordinal - h.base)
	}
}

// count counts who answered.
func (h *monitorHop) count(r *Result) {
	all := h.hop.Responders
	i := slices.IndexFunc(all, func(e Responder) bool { return e.Address == r.Responder })
	if i >= 0 {
		all[i].count(r)
		return
	}
	if len(all) == maxResponders {
		all = slices.Delete(all, 0, 1)
	}
	h.hop.Responders = append(all, newResponder(r))
}

// refuses tells whether the last answer says that the packet goes no further.
func (h *monitorHop) refuses() bool {
	return h.last.Responder.IsValid() && endOf(&h.last).isRefusal()
}

// snapshot returns the hop as it is, sharing nothing that changes.
func (h *monitorHop) snapshot() Hop {
	h.shown = true
	c := h.hop
	c.Stats = h.hop.Stats.Snapshot()
	c.Responders = slices.Clone(h.hop.Responders)
	c.Address = h.last.Responder
	if m := h.watch.Main(); m != nil {
		c.Address = m.Address
	}
	for i := range c.Responders {
		if e := &c.Responders[i]; e.Address == c.Address {
			c.ReturnDistance = returnDistance(e.ReplyTTL)
		}
	}
	return c
}
