package icmplib

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/fields"
	"github.com/goicmp/icmplib/internal/hosts"
	"github.com/goicmp/icmplib/internal/stream"
	"github.com/goicmp/icmplib/internal/text"
)

// StreamProbe is one packet that a [Stream] sends.
type StreamProbe struct {
	Dst netip.Addr // an address, with its zone if it is link-local
	Tag uint64     // the caller's own name for it, handed back with its result
	ProbeOptions
}

// StreamResult is the result of a [StreamProbe].
type StreamResult struct {
	Tag uint64 // the Tag of the StreamProbe
	Result
}

// A Stream sends probes of any shape to any hosts and returns their results as they
// settle: it is [Prober.Probe] for very many packets. It has no goroutine, and probes that
// are sent together cost little more than their packets.
//
// One goroutine may send while another receives.
type Stream struct {
	p    *Prober
	core *stream.Stream[streamRecord]

	// Of the run that is being sent:
	batch   []engine.Probe
	records []streamRecord
}

// streamRecord is what a Stream keeps of a probe until it hands out the result.
type streamRecord struct {
	tag      uint64
	dst      netip.Addr // as the caller gave it
	ttl      int
	protocol Protocol
}

// NewStream returns a Stream on the Prober's sockets. It must be closed. The zero Stream
// cannot be used: its Send and Receive return an error.
func (p *Prober) NewStream() *Stream {
	return &Stream{p: p, core: stream.New[streamRecord](p.pacer, p.closed)}
}

// Send sends probes in order. Receive returns exactly one result for each. A probe whose
// options cannot be used, or that the system refuses, has the reason in its Cause. Send
// waits while there is no room for a packet, and while Receive has not returned the
// results of 131,072 probes: to send more than that, receive at the same time.
//
// The error is the context's cause if ctx ends, or [net.ErrClosed]; the probes that were
// not sent then have no result.
func (s *Stream) Send(ctx context.Context, probes []StreamProbe) error {
	if s.p == nil {
		return errStreamNotMade
	}
	return s.core.Send(ctx, len(probes), func(first, most int) (stream.Run[streamRecord], error) { return s.run(probes[first : first+most]) })
}

// run returns the first of the probes and those behind it that have its shape and its
// sockets.
func (s *Stream) run(probes []StreamProbe) (r stream.Run[streamRecord], err error) {
	r.Pool, r.Op, err = s.prepare(&probes[0])
	s.batch, s.records = s.batch[:0], s.records[:0]
	for i := range probes {
		p := &probes[i]
		if i > 0 && (err != nil || !sameRun(&probes[0], p)) {
			break
		}
		s.records = append(s.records, streamRecord{p.Tag, p.Dst, p.Packet.ttl(), p.Packet.Protocol})
		s.batch = append(s.batch, p.Packet.probe(hosts.Target(p.Dst), 0, p.Packet.ttl()))
	}
	r.Sent, r.Probes = s.batch, s.records
	return r, err
}

// Close ends the stream. Probes in flight get no results, and waiting calls return
// [net.ErrClosed]. The Prober stays open.
func (s *Stream) Close() {
	if s.p != nil { // otherwise NewStream did not make it
		s.core.Close()
	}
}

// Receive waits for at least one result, writes the available ones to results, up to its
// length, and returns their number. The error is the context's cause if ctx ends, or
// [net.ErrClosed] if the Stream or its Prober is closed.
func (s *Stream) Receive(ctx context.Context, results []StreamResult) (int, error) {
	if s.p == nil {
		return 0, errStreamNotMade
	}
	return s.core.Receive(ctx, len(results), s.into(results))
}

// Collect is like [Stream.Receive], but does not wait: without results it returns 0. With
// [Stream.Ready], one goroutine can send, receive and do other things.
func (s *Stream) Collect(results []StreamResult) int {
	if s.p == nil {
		return 0
	}
	return s.core.Collect(len(results), s.into(results))
}

// into returns a function that puts results into their places.
func (s *Stream) into(results []StreamResult) stream.Take[streamRecord] {
	return func(place int, r *streamRecord, o *engine.Outcome, err error) {
		result := &results[place]
		result.Tag = r.tag
		if err != nil {
			result.Result = refusedResult(r.dst, 0, r.ttl, err)
			return
		}
		s.p.outcome(&result.Result, o, hosts.Target(r.dst), r.protocol)
		result.Seq = 0
	}
}

// Ready returns a channel that delivers a value when there may be results to collect. After
// each value, call [Stream.Collect] until it returns fewer results than it has room for.
func (s *Stream) Ready() <-chan struct{} {
	if s.p == nil {
		return nil
	}
	return s.core.Ready()
}

// errStreamNotMade is the error of the zero Stream.
var errStreamNotMade = errors.New("the Stream was not made by NewStream: call Prober.NewStream")

// prepare finds the sockets and the engine's operation for a probe.
func (s *Stream) prepare(p *StreamProbe) (*engine.Pool, *stream.Op, error) {
	opts, err := p.ProbeOptions.withDefaults()
	if err != nil {
		return nil, nil, err
	}
	if opts.isQuery() {
		return nil, nil, &ConfigError{Field: "ExtendedEcho and Timestamp", Value: true, Allowed: "none in a Stream: Prober.Probe sends them"}
	}
	if !p.Dst.IsValid() {
		return nil, nil, &ConfigError{Field: "Dst", Value: p.Dst, Allowed: "an IP address"}
	}
	dst := hosts.Target(p.Dst)
	pool, err := s.p.poolFor(&opts.Packet, dst)
	if err != nil {
		return nil, nil, err
	}
	return pool, s.core.Op(s.p.opConfig(&opts.Packet, opts.Timeout, dst)), nil
}

// sameRun reports whether b can be sent together with a, which is valid.
func sameRun(a, b *StreamProbe) bool {
	x, y := &a.Packet, &b.Packet
	return b.Dst.IsValid() && !b.isQuery() && a.Dst.Unmap().Is4() == b.Dst.Unmap().Is4() &&
		(!lacksZone(b.Dst) || lacksZone(a.Dst)) && a.Timeout == b.Timeout &&
		x.Protocol == y.Protocol && x.Source == y.Source && x.Interface == y.Interface && x.Mark == y.Mark &&
		x.SourcePort == y.SourcePort && x.TrafficClass == y.TrafficClass && x.Size == y.Size &&
		x.Service == y.Service && x.ServiceName == y.ServiceName &&
		x.DontFragment == y.DontFragment && x.Broadcast == y.Broadcast && x.RequireSource == y.RequireSource &&
		x.isGroup(a.Dst) == y.isGroup(b.Dst) &&
		(x.Payload == nil) == (y.Payload == nil) && bytes.Equal(x.Payload, y.Payload) && variesWell(y, b.Dst)
}

// variesWell reports whether the fields that may differ from probe to probe are valid for
// an address.
func variesWell(p *Packet, dst netip.Addr) bool {
	return p.TTL >= 0 && p.TTL <= maxTTL && (p.Protocol != ICMP || p.Port == 0) &&
		(p.FlowLabel == 0 || p.FlowLabel < 1<<20 && p.Protocol != ICMP && dst.Unmap().Is6())
}

// endsOperation reports whether a failure to send ends the operation, and is not just the
// result of one packet: the operation was stopped, by its context or with the Prober, or
// has an option that only the system could find to be wrong.
func endsOperation(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, net.ErrClosed) || isConfigError(err)
}

func isConfigError(err error) bool {
	_, ok := errors.AsType[*ConfigError](err)
	return ok
}

// LogValue returns the tag and what [Result.LogValue] returns.
func (r StreamResult) LogValue() slog.Value {
	a := fields.Attrs{slog.Uint64("tag", r.Tag), slog.String("dst", text.Addr(r.Dst)), slog.String("status", r.Status.String())}
	logResult(&a, &r.Result)
	return a.Group()
}
