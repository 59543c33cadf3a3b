package engine

import (
	"slices"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/transport"
)

// core is the state machine of an engine, without the clock, the locks and the
// socket. Callers pass the time as an argument, measured from the epoch.
type core struct {
	id       uint16
	epoch    time.Time // the zero of all times
	table    table
	ops      opTable
	counters Counters
	loss     losses
	deaf     error   // why receiving fails; nil: it works
	traced   *traced // nil: no tracing

	// departing are the probes that are being sent: the system has them, but has
	// not reported yet whether it takes them. Outcomes of such a probe, such as the
	// ICMP error of a local firewall that then refuses the packet, are held until
	// it has.
	departing []uint16
	held      []heldOutcome
}

// heldOutcome is an outcome of a probe that is being sent.
type heldOutcome struct {
	seq uint16
	op  opRef
	at  time.Duration // when it arrived
	Outcome
}

// launch begins to send a probe, and returns its sequence number and nonce. The
// caller must end it by commit or abort.
func (c *core) launch(op *Op, ref opRef, p *Probe, now time.Duration) (uint16, nonce, bool) {
	n := newNonce()
	seq, ok := c.table.add(slot{
		sent:  now,
		nonce: n,
		tag:   p.Tag,
		dst:   p.Dst.WithZone("").As16(),
		op:    ref,
		ttl:   uint8(p.TTL),
	}, op.cfg.Timeout, c.id != 0 && !op.payload.hasNonce())
	if ok {
		c.departing = append(c.departing, seq)
	}
	return seq, n, ok
}

// commit ends a launch: the system took the packet at the time sent. commit delivers
// the outcomes that were held meanwhile.
func (c *core) commit(seq uint16, sent time.Duration) {
	s := c.table.slot(seq)
	late := sent - s.sent
	s.sent = sent
	if s.state == inFlight {
		s.deadline += late
	}
	c.counters.PacketsSent++
	c.depart(seq, func(h *heldOutcome) {
		h.Sent = c.epoch.Add(sent)
		if by := h.MeasuredBy; by == ByClock || by == ByRead || by == ByNotice {
			h.RTT = max(0, h.RTT-late)
		}
		c.judgeHeld(h, h.at-sent)
		c.deliver(h.op, &h.Outcome)
	})
}

// judgeHeld judges an outcome that was held while its probe was being sent. It came after
// the given time from the send, which may exceed the timeout if the call took long.
func (c *core) judgeHeld(h *heldOutcome, after time.Duration) {
	op := c.ops.get(h.op)
	if op == nil || after <= op.cfg.Timeout {
		return
	}
	switch {
	case h.Fate == Corrected:
		h.Overdue = true
	case h.Fate.Settles() && h.Fate != Silent:
		c.deliver(h.op, &Outcome{Fate: Silent, Tag: h.Tag, TTL: h.TTL, Sent: h.Sent})
		h.Fate = Late
	}
}

// abort takes back a launch: the system did not take the packet. It drops the outcomes
// that were held meanwhile, because they concern no packet that left this host.
func (c *core) abort(seq uint16) {
	c.depart(seq, func(*heldOutcome) {})
	c.table.remove(seq)
}

// depart ends the departure of a probe, and hands out its held outcomes.
func (c *core) depart(seq uint16, hand func(h *heldOutcome)) {
	if i := slices.Index(c.departing, seq); i >= 0 {
		c.departing = slices.Delete(c.departing, i, i+1)
	}
	if len(c.held) == 0 {
		return
	}
	for i := range c.held {
		if c.held[i].seq == seq {
			hand(&c.held[i])
		}
	}
	c.held = slices.DeleteFunc(c.held, func(h heldOutcome) bool { return h.seq == seq })
}

func (c *core) isDeparting(seq uint16) bool {
	return len(c.departing) > 0 && slices.Contains(c.departing, seq)
}

// receive takes a message with its time of arrival, and hands its meaning to the
// operation that it concerns.
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
	noticed       bool // at is when it was noticed; the time of its arrival is not known
}

// credit reports a message about a probe to the operation, and settles the probe if it
// is open.
func (c *core) credit(seq uint16, s *slot, h *heard) {
	if s.state == inFlight && (h.at > s.deadline || h.retransmitted) && !c.isDeparting(seq) {
		// Its deadline was not noticed yet, or its first packet was lost: an
		// answer to a later packet is late (tcpi_total_retrans of tcp(7)).
		c.silence(seq, s)
	}
	fate := h.judge(s, c.ops.get(s.op))
	end := answered
	if !h.isReply() {
		end = failed
	}
	switch fate {
	case Replied, Failed:
		c.table.settle(seq, s, end)
		s.answeredBy(h)
	case Late, Corrected:
		s.state = end
		s.answeredBy(h)
	}
	rtt, by := roundTrip(h.Reply, h.at-s.sent)
	if fate.Settles() || fate == Late {
		c.loss.answered(rtt)
	}
	if h.noticed {
		by = ByNotice
	}
	if c.traced != nil {
		c.traced.credited(s, h, fate, rtt)
	}
	c.report(seq, s, &Outcome{
		Fate:           fate,
		RTT:            rtt,
		MeasuredBy:     by,
		PayloadChanged: h.like == partly,
		Unproven:       h.like == bare || h.like == alone,
		Answer:         h.answer,
		Retransmitted:  h.retransmitted,
		Overdue:        fate == Corrected && c.overdue(s, h.at),
	}, h.Reply)
}

// overdue reports whether a time is past the timeout of a failed probe, whose slot does
// not keep the deadline.
func (c *core) overdue(s *slot, at time.Duration) bool {
	op := c.ops.get(s.op)
	return op == nil || at-s.sent > op.cfg.Timeout
}

// isReply reports whether a message is an answer of the target, and not an error.
func (h *heard) isReply() bool {
	return h.Kind() == icmp.KindEchoReply || h.answer != transport.None
}

// advises reports whether a message settles no probe of an operation: the probe was
// forwarded nevertheless or, after a parameter problem, the operation waits for a reply
// that may still come. A packet with an unrecognized next header is always discarded
// (RFC 4443 section 3.4).
func (h *heard) advises(op *Op) bool {
	switch h.Kind() {
	case icmp.KindRedirect, icmp.KindSourceQuench:
		return true
	case icmp.KindParameterProblem:
		return op != nil && op.cfg.Patient && (h.Type != icmp.V6ParameterProblem || h.Code != icmp.V6CodeUnrecognizedNextHeader)
	}
	return false
}

// judge returns the meaning of a message for the probe that it is about.
func (h *heard) judge(s *slot, op *Op) Fate {
	switch {
	case h.advises(op):
		return Advised
	case h.like == unlike:
		return Altered
	case s.state == failed && h.isReply():
		return Corrected
	case s.state == answered || s.state == failed:
		return Duplicate
	case s.state == silent:
		return Late
	case h.isReply():
		return Replied
	}
	return Failed
}

// silence settles a probe that nothing answered in time.
func (c *core) silence(seq uint16, s *slot) {
	if c.traced != nil {
		c.traced.silent(c, s)
	}
	c.table.settle(seq, s, silent)
	c.report(seq, s, &Outcome{
		Fate:    Silent,
		Suspect: c.deaf != nil || c.loss.touches(s.sent, s.deadline),
		Cause:   c.deaf,
	}, nil)
}

// report delivers an outcome to the operation of its probe, or holds it while the probe
// is being sent.
func (c *core) report(seq uint16, s *slot, o *Outcome, r *icmp.Reply) {
	if op := c.ops.get(s.op); op != nil {
		o.Tag, o.TTL, o.Sent = s.tag, int(s.ttl), c.epoch.Add(s.sent)
		if r != nil {
			o.describe(r)
			o.Quoted.describe(r, c.id, seq, &op.payload)
		}
	}
	if c.isDeparting(seq) {
		held := heldOutcome{seq: seq, op: s.op, Outcome: *o}
		if r != nil {
			held.at = r.Time.Sub(c.epoch)
		}
		c.held = append(c.held, held)
		return
	}
	c.deliver(s.op, o)
}

// deliver counts an outcome and delivers it, if its operation has not ended.
func (c *core) deliver(ref opRef, o *Outcome) {
	c.counters.add(o)
	if op := c.ops.get(ref); op != nil {
		op.deliver(o)
	}
}

// expire settles the probes with a deadline at or before the horizon, the time up to
// which all messages that arrived have been received. A probe that is being sent has no
// deadline yet.
func (c *core) expire(horizon time.Duration) {
	c.table.overdue(horizon, c.isDeparting, c.silence)
	if len(c.departing) == 0 {
		c.table.shrink(horizon)
	}
}
