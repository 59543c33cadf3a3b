package engine

import (
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// core is the state machine of an engine: all of it but the clock, the locks
// and the socket. Every moment is an argument, measured from one epoch.
type core struct {
	id       uint16
	epoch    time.Time // from which every moment is measured
	table    table
	ops      opTable
	counters Counters
	loss     lossWindow
}

// launch puts a probe into flight, and returns its sequence number and nonce.
func (c *core) launch(op *Op, ref opRef, p *Probe, now time.Duration) (uint16, nonce, bool) {
	n := newNonce()
	seq, ok := c.table.add(slot{
		sent:  now,
		nonce: n,
		tag:   p.Tag,
		dst:   p.Dst.WithZone("").As16(),
		op:    ref,
		ttl:   uint8(p.TTL),
	}, op.timeout)
	if ok {
		c.counters.Sent++
	}
	return seq, n, ok
}

// abort takes back a launch: the kernel did not take the packet.
func (c *core) abort(seq uint16) {
	c.table.remove(seq)
	c.counters.Sent--
}

// receive takes a message that arrived at a moment, and hands its meaning to
// the operation that it concerns.
func (c *core) receive(r *icmp.Reply, arrival time.Duration) {
	seq, s, like := c.match(r)
	if s == nil {
		c.counters.Foreign++
		return
	}
	c.credit(seq, s, &heard{Reply: r, at: arrival, like: like})
}

// heard is a message about a probe.
type heard struct {
	*icmp.Reply
	at            time.Duration
	like          likeness
	answer        transport.Kind // of another protocol than ICMP
	retransmitted bool
}

// credit tells the operation what was heard about a probe, and settles the probe
// if it is open.
func (c *core) credit(seq uint16, s *slot, h *heard) {
	if s.state == inFlight && h.at > s.deadline {
		c.silence(seq, s) // its deadline was not noticed yet
	}
	fate := h.judge(s)
	switch fate {
	case Replied, Failed:
		c.table.settle(seq, s, answered)
		s.answeredBy(h)
	case Late:
		s.state = answered
		s.answeredBy(h)
	}
	rtt, by := roundTrip(h.Reply, h.at-s.sent)
	c.report(seq, s, &Outcome{
		Fate:           fate,
		RTT:            rtt,
		MeasuredBy:     by,
		PayloadChanged: h.like == partly,
		Unproven:       h.like == bare || h.like == alone,
		Answer:         h.answer,
		Retransmitted:  h.retransmitted,
	}, h.Reply)
}

// judge says what a message means for the probe that it is about.
func (h *heard) judge(s *slot) Fate {
	kind := h.Kind()
	switch {
	case kind == icmp.KindRedirect || kind == icmp.KindSourceQuench:
		return Advised
	case h.like == unlike:
		return Altered
	case s.state == answered:
		return Duplicate
	case s.state == silent:
		return Late
	case kind == icmp.KindEchoReply || h.answer != transport.None:
		return Replied
	}
	return Failed
}

// silence settles a probe to which nothing came in time.
func (c *core) silence(seq uint16, s *slot) {
	c.table.settle(seq, s, silent)
	c.report(seq, s, &Outcome{Fate: Silent, Suspect: c.loss.touches(s.sent, s.deadline)}, nil)
}

// report counts an outcome and delivers it, if its operation has not ended.
func (c *core) report(seq uint16, s *slot, o *Outcome, r *icmp.Reply) {
	c.counters.add(o.Fate)
	op := c.ops.get(s.op)
	if op == nil {
		return
	}
	o.Tag, o.TTL, o.Sent = s.tag, int(s.ttl), c.epoch.Add(s.sent)
	if r != nil {
		o.describe(r)
		o.Quoted.describe(r, c.id, seq, &op.payload)
	}
	op.deliver(o)
}

// expire settles the probes whose deadline lies at or before the horizon, up to
// which all that arrived has been received.
func (c *core) expire(horizon time.Duration) {
	c.table.overdue(horizon, c.silence)
	c.table.shrink(horizon)
}
