package icmplib

import (
	"cmp"
	"context"
	"iter"
	"time"
)

// PingOptions says how to ping a host. Nil and the zero value mean all defaults.
type PingOptions struct {
	// Count is the number of requests. The default is 4; a negative value
	// means to go on until the context ends.
	Count int

	// Interval is the time from one request to the next, whether or not the
	// first was answered. The default is 1 s; a negative value means none: each
	// request then waits for the fate of the one before. Intervals under a
	// millisecond are kept on the average: requests that are up to 2 ms late leave
	// together.
	Interval time.Duration

	// Timeout is how long a request waits for its reply. The default is 2 s,
	// the most 1 h, and a negative value is refused. A reply that comes later is
	// counted as late.
	Timeout time.Duration

	// Family chooses among the addresses of a name. The default is
	// [AnyFamily]: IPv4 where this host has a route to such an address, else
	// IPv6.
	Family Family

	// Packet is the shape of the requests.
	Packet Packet
}

// Ping sends echo requests to a host, a name or an address, and returns what
// became of them: icmplib's ping. Calls share their sockets, which are open
// only while a call runs; see [Prober] for one that keeps them.
//
// Silence, ICMP errors and packets that the system refused to send are data in
// the [Host]; if nothing could be sent at all, Host.Err says why. An error is
// returned for a name that cannot be resolved ([ErrNameLookup]), an option that
// cannot be used ([*ConfigError]) or a socket that cannot be opened
// ([*socket.OpError], with [os.ErrPermission] where that is the reason). When
// ctx ends, or the Prober is closed, after the target was resolved, Ping returns
// the cause together with the Host as it then stands.
func Ping(ctx context.Context, target string, opts *PingOptions) (*Host, error) {
	p, release, err := acquireShared()
	if err != nil {
		return nil, err
	}
	defer release()
	return p.Ping(ctx, target, opts)
}

// Ping sends echo requests to a host. See the function [Ping].
func (p *Prober) Ping(ctx context.Context, target string, opts *PingOptions) (*Host, error) {
	run, err := p.newPingRun(ctx, target, opts)
	if err != nil {
		return nil, err
	}
	host := &Host{Address: run.dst, Name: target}
	host.KeepRTTs(run.ping.Count)
	return host, run.into(ctx, host)
}

// PingSeq sends echo requests to a host, a name or an address, and yields each
// [Result] as it becomes known. Calls share their sockets, which are open only
// while a loop runs; see [Prober] for one that keeps them. See [Prober.PingSeq]
// for the rest.
func PingSeq(ctx context.Context, target string, opts *PingOptions) iter.Seq2[Result, error] {
	return overShared(func(p *Prober) iter.Seq2[Result, error] { return p.PingSeq(ctx, target, opts) })
}

// PingSeq sends echo requests to a host and yields each [Result] when it is
// settled, that is when the reply or an ICMP error has come or the timeout has
// passed, and late and duplicate replies as they come. Results are in the order
// in which they came to be known, which Seq tells apart from that of sending.
//
// A broadcast or multicast target may be answered by many hosts: the ping then
// lasts until the timeout of its last request. So it does where that was said to be
// unreachable, for some routers say so and forward: the reply corrects the error.
//
// An error ends the sequence. When ctx ends, the requests that are unanswered
// are yielded as [StatusUnsettled] and then the context's cause. Leaving the
// loop ends the ping. The loop drives the sending: no request leaves while its
// body runs. Times are measured apart from it, and are not affected.
func (p *Prober) PingSeq(ctx context.Context, target string, opts *PingOptions) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		run, err := p.newPingRun(ctx, target, opts)
		if err != nil {
			yield(Result{}, err)
			return
		}
		yieldEach(yield, func(yield func(Result) bool) error { return run.each(ctx, yield) })
	}
}

// withDefaults returns the options as they take effect, or why they cannot.
func (o *PingOptions) withDefaults() (PingOptions, error) {
	var opts PingOptions
	if o != nil {
		opts = *o
	}
	if opts.Count == 0 {
		opts.Count = defaultPingCount
	}
	if err := cmp.Or(validateUnit("Interval", opts.Interval), validateProbing(opts.Timeout, opts.Family, &opts.Packet)); err != nil {
		return opts, err
	}
	opts.Interval = orDefault(opts.Interval, defaultPingInterval)
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	return opts, nil
}
