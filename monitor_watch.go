package icmplib

import (
	"net/netip"
	"slices"
	"time"
)

// hopWatch watches who answers at a hop.
type hopWatch struct {
	members []hopMember // in the order of their first answers
}

// hopMember is one of those who answer at a hop.
type hopMember struct {
	address netip.Addr
	target  bool // it answers as the target does, not as a router on the way
	count   int
	first   time.Time // when its first answer came
	round   int       // of that answer
}

// answer takes an answer that came in time.
func (w *hopWatch) answer(r *Result, tag monitorTag, target bool) {
	i := slices.IndexFunc(w.members, func(m hopMember) bool { return m.address == r.Responder && m.target == target })
	if i < 0 {
		i = len(w.members)
		w.members = append(w.members, hopMember{
			address: r.Responder, target: target, first: r.Sent.Add(r.RTT), round: tag.round,
		})
	}
	w.members[i].count++
}

func (w *hopWatch) isKnown() bool { return len(w.members) > 0 }

// isEnd tells whether the target answers at the hop and nobody else does.
func (w *hopWatch) isEnd() bool {
	return len(w.members) > 0 && !slices.ContainsFunc(w.members, func(m hopMember) bool { return !m.target })
}

// address is who answers there; the zero Addr if that is not known.
func (w *hopWatch) address() netip.Addr {
	if len(w.members) == 0 {
		return netip.Addr{}
	}
	return w.members[0].address
}
