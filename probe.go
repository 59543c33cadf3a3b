package icmplib

import (
	"context"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/drive"
	"github.com/goicmp/icmplib/internal/plan/ping"
)

// ProbeOptions says what to send. Nil and the zero value mean all defaults.
type ProbeOptions struct {
	// Timeout is how long to wait for an answer. The default is 2 s, the most
	// 1 h, and a negative value is refused.
	Timeout time.Duration

	// Packet is the shape of the probe.
	Packet Packet

	// ExtendedEcho, if not nil, is sent in place of an echo request: it asks the
	// target about one of its interfaces (RFC 8335), by Name, Index or Address; see
	// Result.ExtendedEcho. ID and Sequence are not looked at. Linux sends it without
	// privileges, and answers where net.ipv4.icmp_echo_enable_probe is 1. Systems
	// other than Linux need a raw socket to send it.
	ExtendedEcho *icmp.ExtendedEcho

	// Timestamp asks the target for its time of day in place of an echo (RFC 792); see
	// Result.Timestamp. IPv4 only, with a raw socket.
	Timestamp bool
}

// Probe sends one packet of any protocol and returns what became of it. Calls
// share their sockets, which are open only while a call runs: see [Prober] for
// one that keeps them, and [Prober.Probe] for the rest.
func Probe(ctx context.Context, dst netip.Addr, opts *ProbeOptions) (Result, error) {
	p, release, err := acquireShared()
	if err != nil {
		return Result{}, err
	}
	defer release()
	return p.Probe(ctx, dst, opts)
}

// Probe sends one packet of any protocol and returns what became of it. Any
// number of calls may run at once.
//
// Silence, ICMP errors and a packet that the system refused to send are a
// [Result]: see its Status, or [Result.Err]. An error is returned for an option
// that cannot be used ([*ConfigError]), for sockets that cannot be opened
// ([*socket.OpError]; [os.ErrPermission] or [errors.ErrUnsupported] where that
// is the reason), for a closed Prober ([net.ErrClosed]), and the context's cause
// when ctx ends first, with a Result of [StatusUnsettled] if the probe was sent.
func (p *Prober) Probe(ctx context.Context, dst netip.Addr, opts *ProbeOptions) (Result, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return Result{}, err
	}
	if !dst.IsValid() {
		return Result{}, &ConfigError{Field: "dst", Value: dst, Allowed: "an IP address"}
	}
	dst = thisHost(dst.Unmap())
	if o.isQuery() {
		return p.query(ctx, dst, &o)
	}
	pool, err := p.poolFor(&o.Packet, dst)
	if err != nil {
		return Result{}, err
	}
	run := pingRun{
		p: p, pool: pool, dst: dst, packet: &o.Packet, timeout: o.Timeout,
		ping: ping.Options{Count: 1}, cfg: drive.Config{Ends: isConfigError},
	}
	var fate Result
	err = run.each(ctx, func(r Result) bool {
		if r.Settles() {
			fate = r
		}
		return !r.Settles()
	})
	return fate, err
}

// withDefaults returns the options as they take effect, or why they cannot.
func (o *ProbeOptions) withDefaults() (ProbeOptions, error) {
	var opts ProbeOptions
	if o != nil {
		opts = *o
	}
	if err := validateProbing(opts.Timeout, AnyFamily, &opts.Packet); err != nil {
		return opts, err
	}
	if err := opts.validateQuery(); err != nil {
		return opts, err
	}
	opts.Timeout = orDefault(opts.Timeout, defaultTimeout)
	return opts, nil
}
