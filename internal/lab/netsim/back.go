package netsim

import (
	"time"
)

// answer is a packet on its way to the client.
type answer struct {
	flight
	by    *node
	cause string
}

// respond sends a packet of the node's own to the client, along the way on
// which the packet with number ordinal came.
func (w *walk) respond(n *node, ordinal int, p packet, at time.Duration, cause string) {
	a := answer{flight: flight{p: p, at: at}, by: n, cause: cause}
	w.note(n, Answered, cause, at)
	n.dress(&a.p, ordinal)
	copies, lost := w.suffer(n, &n.Answer.Faults, &a.flight, ordinal)
	if lost {
		return
	}
	if hops := n.Answer.BackHops; hops > 0 {
		if hops >= int(a.p.ttl()) {
			w.note(n, Dropped, "TTL expired on the way back", at)
			return
		}
		a.p.setTTL(a.p.ttl() - uint8(hops))
	}
	last := len(w.trail) - 1
	w.trail[last].undo.apply(&a.p) // it may be about a packet that the node itself rewrote
	w.each(a, copies, func(a answer) { w.goBack(a, last) })
}

// each does something with an answer and its copies.
func (w *walk) each(a answer, copies int, do func(answer)) {
	for range copies {
		c := a
		c.p.b = w.n.memory.clone(a.p.b)
		do(c)
	}
	do(a)
}

// goBack takes an answer over the link that was crossed as the i-th.
func (w *walk) goBack(a answer, i int) {
	c := &w.trail[i]
	if most := c.node.BackMTU; most > 0 && len(a.p.b) > most {
		w.note(c.node, Dropped, "too large for the way back", a.at)
		return
	}
	a.at += c.node.delay(c.node.backDelays(), c.ordinal)
	copies, lost := w.suffer(c.node, &c.node.Back, &a.flight, c.ordinal)
	if lost || w.tooFar(&a.flight) {
		return
	}
	w.each(a, copies, func(a answer) { w.land(a, i) })
}

// land is the end of the i-th link: the client, or the router before it.
func (w *walk) land(a answer, i int) {
	if i == 0 {
		w.deliver(a)
		return
	}
	c := &w.trail[i-1]
	if !c.node.Router.Tunnel {
		if a.p.ttl() <= 1 {
			w.note(c.node, Dropped, "TTL expired on the way back", a.at)
			return
		}
		a.p.setTTL(a.p.ttl() - 1)
	}
	c.undo.apply(&a.p)
	w.goBack(a, i-1)
}

func (w *walk) deliver(a answer) {
	if !w.forClient(a.p.destination()) {
		w.note(a.by, Dropped, "not for the client", a.at)
		return
	}
	w.note(a.by, Delivered, a.cause, a.at)
	name := ""
	if a.by != nil {
		name = a.by.Name
	}
	w.out = append(w.out, Delivery{At: w.now.Add(a.at), Packet: a.p.b, Node: name, Cause: a.cause})
}

// dress gives a packet of the node's own what the node's packets have.
func (n *node) dress(p *packet, ordinal int) {
	a := &n.Answer
	if from := pick(a.From, p.v6); from.IsValid() && a.FromWhen.covers(p, ordinal, n.random) {
		p.setSource(from)
		p.seal()
	}
	if a.CutWhen.covers(p, ordinal, n.random) && p.isICMP() {
		p.cut(a.Cut)
	}
	if a.Options {
		p.addOptions()
	}
}
