package icmplib

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/hosts"
	"github.com/goicmp/icmplib/internal/plan/ping"
	"github.com/goicmp/icmplib/internal/query"
)

// ProbeOptions are the options of [Probe]. Nil and the zero value mean all defaults.
type ProbeOptions struct {
	// Timeout is how long to wait for an answer. The default is 2 s, the maximum 1 h; a
	// negative value is refused.
	Timeout time.Duration

	// Packet is the shape of the probe.
	Packet Packet

	// ExtendedEcho, if not nil, is sent instead of an echo request. It asks the target
	// about one of its interfaces (RFC 8335), by Name, Index or Address; see
	// Result.ExtendedEcho. ID and Sequence are ignored. On Linux it needs no privileges,
	// and targets answer if net.ipv4.icmp_echo_enable_probe is 1. On other systems it
	// requires a raw socket.
	ExtendedEcho *icmp.ExtendedEcho

	// Timestamp asks the target for its time of day instead of an echo (RFC 792); see
	// Result.Timestamp. It works with IPv4 only, and requires a raw socket.
	Timestamp bool
}

// Probe sends one packet of any protocol and returns its result. Calls share their sockets,
// which are open only while a call runs; a [Prober] keeps them open. For details, see
// [Prober.Probe].
func Probe(ctx context.Context, dst netip.Addr, opts *ProbeOptions) (Result, error) {
	return withShared(func(p *Prober) (Result, error) { return p.Probe(ctx, dst, opts) })
}

// Probe sends one packet of any protocol and returns its result. Any number of calls may
// run at once.
//
// Silence, ICMP errors and a packet that the system refused to send are a [Result]: see its
// Status, or [Result.Err]. Probe returns an error if an option cannot be used
// ([*ConfigError]), sockets cannot be opened ([*socket.OpError]; [os.ErrPermission] or
// [errors.ErrUnsupported] if that is the reason) or the Prober is closed ([net.ErrClosed]).
// If ctx ends first, it returns the context's cause, with a Result of [StatusUnsettled] if
// the probe was sent.
func (p *Prober) Probe(ctx context.Context, dst netip.Addr, opts *ProbeOptions) (Result, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return Result{}, err
	}
	if !dst.IsValid() {
		return Result{}, &ConfigError{Field: "dst", Value: dst, Allowed: "an IP address"}
	}
	dst = hosts.Target(dst)
	if o.isQuery() {
		return p.query(ctx, dst, &o)
	}
	pool, err := p.poolFor(&o.Packet, dst)
	if err != nil {
		return Result{}, err
	}
	run := pingRun{
		p: p, pool: pool, dst: dst, packet: &o.Packet, timeout: o.Timeout,
		ping: ping.Options{Count: 1}, cfg: drive.Config{Rules: drive.Rules{Ends: isConfigError}},
	}
	var fate Result
	err = run.run(ctx, &pinging{yield: func(r Result) bool {
		if r.Settles() {
			fate = r
		}
		return !r.Settles()
	}})
	return fate, err
}

// withDefaults returns the options with all defaults filled in, or an error if they cannot
// be used.
func (o *ProbeOptions) withDefaults() (ProbeOptions, error) {
	opts := given(o)
	if err := cmp.Or(validateProbing(opts.Timeout, AnyFamily, &opts.Packet), opts.validateQuery()); err != nil {
		return opts, err
	}
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	return opts, nil
}

// isQuery reports whether the probe is no echo request.
func (o *ProbeOptions) isQuery() bool { return o.ExtendedEcho != nil || o.Timestamp }

// validateQuery refuses a query that cannot be sent to any target.
func (o *ProbeOptions) validateQuery() error {
	if !o.isQuery() {
		return nil
	}
	field := "ExtendedEcho"
	if o.Timestamp {
		field = "Timestamp"
	}
	pk := &o.Packet
	return cmp.Or(
		refuse(o.Timestamp && o.ExtendedEcho != nil, field, true, "false where ExtendedEcho is set: a probe asks for one of the two"),
		refuse(pk.Protocol != ICMP, field, pk.Protocol, "ICMP as the Protocol of the Packet"),
		refuse(pk.Payload != nil || pk.Size > 0, "Size", max(pk.Size, len(pk.Payload)), "0, and no Payload, with ", field, ", whose message is given"),
		refuse(pk.Broadcast, "Broadcast", true, "false with ", field),
	)
}

// query sends a query and waits until it is settled.
func (p *Prober) query(ctx context.Context, dst netip.Addr, o *ProbeOptions) (Result, error) {
	q, err := p.newQuery(dst, o)
	if err != nil {
		return Result{}, err
	}
	defer q.Conn.Close()
	if err := p.pacer.Wait(ctx, 1); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.life, func() { cancel(net.ErrClosed) })()
	outcome, answer, err := q.Ask(ctx)
	p.pools.Count(q.Counters())
	switch {
	case err == nil:
	case !outcome.Sent.IsZero(): // its outcome is not known
		return Result{Dst: dst, TTL: outcome.TTL, Sent: outcome.Sent}, err
	case endsOperation(ctx, err):
		return Result{}, err
	default:
		return refusedResult(dst, 0, outcome.TTL, err), nil
	}
	var r Result
	p.outcome(&r, &outcome, dst, ICMP)
	if outcome.Fate == engine.Replied {
		r.Status = StatusReply
		r.ExtendedEcho, r.Timestamp = query.Answer(&answer.Message)
	}
	return r, nil
}

// newQuery does everything that can fail before anything is sent.
func (p *Prober) newQuery(dst netip.Addr, o *ProbeOptions) (*query.Query, error) {
	key, err := o.Packet.key(&p.cfg, dst)
	if err != nil {
		return nil, err
	}
	m, err := query.Message(key.Version, o.ExtendedEcho)
	if err != nil {
		return nil, err
	}
	switch {
	case p.closed == nil:
		return nil, errNotMade
	case p.life.Err() != nil:
		return nil, net.ErrClosed
	case p.other != nil:
		return nil, fmt.Errorf("a simulated network answers echo requests, and no %v: %w", m.Type, errors.ErrUnsupported)
	}
	conn, err := key.OpenQuery(m.Type)
	if err != nil {
		return nil, err
	}
	q := &query.Query{Conn: conn, Request: icmp.Request{
		Destination: dst, Message: m, TTL: o.Packet.ttl(), TrafficClass: o.Packet.TrafficClass, Timeout: o.Timeout,
	}}
	if p.tracer != nil {
		q.Tell = p.tracer.note
	}
	return q, nil
}

// ClockOffset returns how far the clock of the host that answered a timestamp request is
// ahead of ours, and reports whether that is known. It assumes that both directions take
// equally long, and is no more precise than the millisecond in which the host reports the
// time.
func (r Result) ClockOffset() (time.Duration, bool) {
	if r.Timestamp == nil || r.Sent.IsZero() {
		return 0, false
	}
	return query.ClockOffset(r.Timestamp, r.Sent, r.RTT)
}
