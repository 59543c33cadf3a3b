// Package query asks a host for something else than an echo. Such a message has no room for
// a nonce, so each query has a socket of its own, whose id identifies it together with the
// sequence number.
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

// Query is a request on its way.
type Query struct {
	Conn    socket.Conn // that nothing else uses
	Request icmp.Request
	Tell    func(engine.Event) // is told of its packets; nil: nobody

	counts engine.Counters
}

// Ask sends the request and waits until it is settled: by an answer, which is then returned
// beside the outcome, or by silence. With an error, the outcome has a Sent time if the
// request was sent, and its fate is not known.
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

// settle fills in what an answer says.
func (q *Query) settle(o *engine.Outcome, r *icmp.Reply) {
	q.counts.Silent = 0
	o.RTT, o.MeasuredBy = max(0, r.Time.Sub(o.Sent)), engine.ByRead
	if r.Stamped {
		o.MeasuredBy = engine.ByClock
	}
	o.Responder, o.Type, o.Code, o.MTU = r.Source, r.Type, r.Code, r.MTU
	o.ReplyTTL, o.TrafficClass, o.Size = r.TTL, r.TrafficClass, r.Size
	o.Unproven = true // id and sequence number are all that proves it
	if !r.Type.IsError() {
		q.counts.PacketsReceived = 1
		o.Fate = engine.Replied
		return
	}
	q.counts.ICMPErrors = 1
	o.Fate = engine.Failed
	o.MPLS, o.Interfaces = r.Extensions.AppendMPLS(nil), r.Extensions.AppendInterfaces(nil)
}

// Counters returns what was counted, by the query and by its socket.
func (q *Query) Counters() engine.Counters {
	c, s := q.counts, q.Conn.Counters()
	c.Malformed, c.Dropped = s.Malformed, s.Dropped
	return c
}

// tellSent tells that the request was sent or refused, and returns the event.
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

// tellHeard tells what became of a request that was told of; nil is silence.
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
