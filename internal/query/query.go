// Package query sends ICMP requests other than echo requests. Such a message has no room for
// a nonce, so each query has its own socket, whose id and sequence number identify it.
package query

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/sockets"
	"github.com/goicmp/icmplib/socket"
)

// Message returns the request about an interface or, if about is nil, for the time of day.
func Message(v icmp.Version, about *icmp.ExtendedEcho) (*icmp.Message, error) {
	if about != nil {
		e := *about
		e.Sequence = uint8(rand.Uint32())
		return e.Request(v)
	}
	if v != icmp.V4 {
		return nil, &icmp.FieldError{Field: "Timestamp", Value: true, Allowed: "a target of IPv4: ICMPv6 has no timestamps"}
	}
	s := icmp.Timestamp{Sequence: uint16(rand.Uint32()), Originate: icmp.MillisecondOfDay(time.Now())}
	return s.Request(), nil
}

// Answer reads the reply to a request about an interface, or for the time of day. For a
// reply that is too short, the fields stay zero.
func Answer(m *icmp.Message) (about *icmp.ExtendedEcho, at *icmp.Timestamp) {
	if m.Type == icmp.V4TimestampReply {
		at = &icmp.Timestamp{}
		_ = at.Parse(m)
		return nil, at
	}
	about = &icmp.ExtendedEcho{}
	_ = about.Parse(m)
	return about, nil
}

// ClockOffset returns how far the clock of a timestamp reply is ahead of ours, assuming that
// both directions take equally long. It reports whether the timestamp has times of day.
func ClockOffset(t *icmp.Timestamp, sent time.Time, rtt time.Duration) (time.Duration, bool) {
	received, ok := icmp.TimeOfDay(t.Receive)
	answered, known := icmp.TimeOfDay(t.Transmit)
	if !ok || !known {
		return 0, false
	}
	const day = 24 * time.Hour
	sent = sent.UTC()
	ours := sent.Sub(sent.Truncate(day)) + rtt/2
	offset := (received+answered)/2 - ours
	if answered < received { // midnight came between
		offset += day / 2
	}
	return (offset+day+day/2)%day - day/2, true
}

// Query is a request in flight.
type Query struct {
	Conn    socket.Conn // for this query only
	Request icmp.Request
	Tell    func(engine.Event) // receives the events of its packets; nil: none

	counts engine.Counters
}

// Ask sends the request and waits until it is settled, by an answer or by silence. It returns
// the answer beside the outcome. With an error, the outcome's fate is unknown, and it has a
// Sent time if the request was sent.
func (q *Query) Ask(ctx context.Context) (o engine.Outcome, answer *icmp.Reply, err error) {
	req := &q.Request
	o.TTL = req.TTL
	err = q.Conn.Send(ctx, req)
	told := q.tellSent(err)
	if err != nil {
		return o, nil, err
	}
	o.Sent = req.Time
	q.counts.PacketsSent, q.counts.Silent = 1, 1
	if err := q.Conn.SetReadDeadline(o.Sent.Add(req.Timeout)); err != nil {
		return o, nil, err
	}
	answer, err = q.Conn.Receive(ctx, req)
	q.tellHeard(told, answer)
	switch {
	case err == nil && answer.Time.Sub(o.Sent) <= req.Timeout:
		q.settle(&o, answer)
		return o, answer, nil
	case ctx.Err() != nil:
		return o, nil, context.Cause(ctx)
	case err == nil, errors.Is(err, os.ErrDeadlineExceeded):
		o.Fate, o.Suspect = engine.Silent, q.Conn.Counters().Dropped > 0
	default:
		o.Fate, o.Cause = engine.Silent, err
	}
	return o, nil, nil
}

// settle sets the fields of the outcome from an answer.
func (q *Query) settle(o *engine.Outcome, r *icmp.Reply) {
	q.counts.Silent = 0
	o.RTT, o.MeasuredBy = max(0, r.Time.Sub(o.Sent)), engine.ByRead
	if r.Stamped {
		o.MeasuredBy = engine.ByClock
	}
	o.Responder, o.Type, o.Code, o.MTU = r.Source, r.Type, r.Code, r.MTU
	o.ReplyTTL, o.TrafficClass, o.Size = r.TTL, r.TrafficClass, r.Size
	o.Unproven = true // only id and sequence number identify it
	if !r.Type.IsError() {
		q.counts.PacketsReceived = 1
		o.Fate = engine.Replied
		return
	}
	q.counts.ICMPErrors = 1
	o.Fate = engine.Failed
	o.MPLS, o.Interfaces = r.Extensions.AppendMPLS(nil), r.Extensions.AppendInterfaces(nil)
}

// Counters returns the counts of the query and of its socket.
func (q *Query) Counters() engine.Counters {
	c, s := q.counts, q.Conn.Counters()
	c.Malformed, c.Dropped = s.Malformed, s.Dropped
	return c
}

// tellSent reports that the request was sent or refused, and returns the event.
func (q *Query) tellSent(err error) (e engine.Event) {
	if q.Tell == nil {
		return e
	}
	req := &q.Request
	e = engine.Event{
		Time: req.Time, Probe: rand.Uint64(), Protocol: icmp.ICMP, Dst: req.Destination, TTL: req.TTL,
		Packet: engine.SentPacket(sockets.SourceTo(req.Destination), req),
	}
	if err != nil {
		e.Kind, e.Time, e.Err = engine.EventRefused, time.Now(), err
	}
	q.Tell(e)
	return e
}

// tellHeard reports the answer to a request after tellSent; nil means silence.
func (q *Query) tellHeard(e engine.Event, r *icmp.Reply) {
	if q.Tell == nil {
		return
	}
	sent := e.Time
	if r == nil {
		e.Kind, e.Time, e.Packet, e.Verdict = engine.EventSilent, time.Now(), nil, "silent: nothing was credited to it before its timeout"
	} else {
		e.Kind, e.Time, e.RTT, e.Responder = engine.EventReceived, r.Time, r.Time.Sub(sent), r.Source
		e.Verdict, e.Packet = "reply, unproven: id and sequence number are those of the query", engine.ReceivedPacket(r, r.Destination)
	}
	q.Tell(e)
}
