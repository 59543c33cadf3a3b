package icmplib

import (
	"cmp"
	"context"
	"iter"
	"time"
)

// TracerouteOptions says how to trace a route. Nil and the zero value mean all
// defaults.
type TracerouteOptions struct {
	// FirstHop and MaxHops are the first and the last TTL that is tried, from 1
	// to 255. The defaults are 1, and 30 or FirstHop where that is more.
	FirstHop int
	MaxHops  int

	// Count is the number of probes to each hop, up to 1000. The default is 2;
	// a negative value is refused.
	Count int

	// Interval is the time from one probe to a hop to the next. The default is
	// 50 ms; a negative value means none.
	Interval time.Duration

	// Timeout is how long a probe waits for its answer. The default is 2 s, the
	// most 1 h, and a negative value is refused.
	Timeout time.Duration

	// Flows is the number of flows that are traced, up to [MaxFlows]. The
	// default of 0, and 1, is one: the trace then shows one path. With more,
	// routers that spread load send them different ways, and Route.Graph shows
	// these; a negative value draws flows until those ways are all known, with a
	// confidence of 95 % for each hop. Count is then the number of attempts
	// for each flow and hop, Fast is refused, and hops are handed out when all
	// are final. See https://github.com/goicmp/icmplib/blob/main/docs/multipath.md.
	Flows int

	// Fast asks each hop only until it has answered once: Count is then the
	// number of attempts.
	Fast bool

	// GapLimit ends the trace after so many silent hops in a row. The default
	// is none; a negative value is refused.
	GapLimit int

	// Family chooses among the addresses of a name. The default is
	// [AnyFamily]: IPv4 where this host has a route to such an address, else
	// IPv6.
	Family Family

	// Packet is the shape of the probes. All of them belong to one flow: what
	// routers that spread load look at is the same in each, so that they all
	// take the same path. TCP without raw sockets is the exception: each probe
	// has a source port of its own. Packet.TTL has to be 0. With Flows,
	// Packet.SourcePort is that of the first flow, and each further one has the
	// port behind; over IPv6 each has a flow label of its own, too.
	Packet Packet
}

// The defaults of icmplib.
const (
	defaultTracerouteCount    = 2
	defaultTracerouteInterval = 50 * time.Millisecond

	maxTracerouteCount = 1000
)

// Traceroute finds the way to a host, a name or an address: icmplib's
// traceroute. Several hops are probed at a time; how many adapts to the path.
// Calls share their sockets, which are open only while a call runs; see
// [Prober] for one that keeps them.
//
// A target that does not answer is no error: see Route.End. An error is returned
// as by [Ping]. When ctx ends after sending began, its cause is returned
// together with the Route as far as it is known.
func Traceroute(ctx context.Context, target string, opts *TracerouteOptions) (*Route, error) {
	p, release, err := acquireShared()
	if err != nil {
		return nil, err
	}
	defer release()
	return p.Traceroute(ctx, target, opts)
}

// Traceroute finds the way to a host. See the function [Traceroute].
func (p *Prober) Traceroute(ctx context.Context, target string, opts *TracerouteOptions) (*Route, error) {
	run, err := p.newTrace(ctx, target, opts)
	if err != nil {
		return nil, err
	}
	return run.route(ctx, target)
}

// TracerouteSeq finds the way to a host, a name or an address, and yields each
// [Hop] when it is final. Calls share their sockets, which are open only while a
// loop runs; see [Prober] for one that keeps them. See [Prober.TracerouteSeq] for
// the rest.
func TracerouteSeq(ctx context.Context, target string, opts *TracerouteOptions) iter.Seq2[*Hop, error] {
	return overShared(func(p *Prober) iter.Seq2[*Hop, error] { return p.TracerouteSeq(ctx, target, opts) })
}

// TracerouteSeq finds the way to a host and yields its hops in order of
// distance, each when it is final: when all of its probes, and those to the hops
// before it, have their fates. The last hop is the target, where that answers.
//
// An error ends the sequence; the context's cause is one. Leaving the loop ends
// the trace.
func (p *Prober) TracerouteSeq(ctx context.Context, target string, opts *TracerouteOptions) iter.Seq2[*Hop, error] {
	return func(yield func(*Hop, error) bool) {
		run, err := p.newTrace(ctx, target, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		yieldEach(yield, func(yield func(*Hop) bool) error { return run.each(ctx, yield) })
	}
}

// withDefaults returns the options as they take effect, or why they cannot.
func (o *TracerouteOptions) withDefaults() (TracerouteOptions, error) {
	var opts TracerouteOptions
	if o != nil {
		opts = *o
	}
	opts.FirstHop, opts.MaxHops = hopRange(opts.FirstHop, opts.MaxHops)
	opts.Count = cmp.Or(opts.Count, defaultTracerouteCount)
	if err := opts.validate(); err != nil {
		return opts, err
	}
	opts.Interval = orDefault(opts.Interval, defaultTracerouteInterval)
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	return opts, nil
}

func (o *TracerouteOptions) validate() error {
	if err := validateHops(o.FirstHop, o.MaxHops); err != nil {
		return err
	}
	switch {
	case o.Count < 1 || o.Count > maxTracerouteCount:
		return &ConfigError{Field: "Count", Value: o.Count, Allowed: "1 to 1000, or 0 for the default of 2"}
	case o.GapLimit < 0:
		return &ConfigError{Field: "GapLimit", Value: o.GapLimit, Allowed: "a number of hops, or 0 for none"}
	case o.Packet.TTL != 0:
		return &ConfigError{Field: "TTL", Value: o.Packet.TTL, Allowed: "0: a trace sets it"}
	}
	if err := o.validateFlows(); err != nil {
		return err
	}
	return cmp.Or(validateUnit("Interval", o.Interval), validateProbing(o.Timeout, o.Family, &o.Packet))
}
