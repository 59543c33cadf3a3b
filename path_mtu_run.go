package icmplib

import (
	"context"
	"net/netip"
	"slices"

	"github.com/goicmp/icmplib/internal/engine"
)

// mtuRun finds the MTU of a path. First small packets find the hops, then the
// largest packet that gets to the end is searched for, and last, where on the
// way larger ones end.
type mtuRun struct {
	p      *Prober
	pool   *engine.Pool
	dst    netip.Addr
	opts   PathMTUOptions
	least  int // a size that passes everywhere
	result *MTUReport

	witness   int  // the distance of the farthest hop that answers; 0: none does
	vanishing bool // packets of some size have vanished
	// Of small packets, by distance: how well, and with what they are answered.
	scores   map[int]score
	statuses map[int]Status
}

// newPathMTU does all that can fail before anything is sent.
func (p *Prober) newPathMTU(ctx context.Context, target string, o *PathMTUOptions) (*mtuRun, error) {
	opts, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	dst, pool, err := p.aim(ctx, target, opts.Family, &opts.Packet)
	if err != nil {
		return nil, err
	}
	if err := opts.validateFor(dst); err != nil {
		return nil, err
	}
	return &mtuRun{
		p: p, pool: pool, dst: dst, opts: opts, least: leastMTU(dst),
		result: &MTUReport{Address: dst, Name: target},
		scores: map[int]score{}, statuses: map[int]Status{},
	}, nil
}

func (r *mtuRun) find(ctx context.Context) error {
	if err := r.survey(ctx); err != nil {
		return err
	}
	largest, err := r.findLocal(ctx)
	if err != nil {
		return err
	}
	b := mtuBounds{passes: r.least, proven: r.witness > 0, fails: largest + 1, shown: r.result.LocalMTU > 0, last: mtuVerdict{fate: mtuLocal}}
	ttl := r.witness
	if r.result.Reached || ttl == 0 {
		ttl = r.opts.MaxHops
	}
	err = r.search(ctx, ttl, &b)
	r.conclude(&b)
	if err != nil {
		return err
	}
	return r.profile(ctx, largest, ttl)
}

// conclude notes the MTU of the path.
func (r *mtuRun) conclude(b *mtuBounds) {
	r.result.MTU, r.result.Confirmed = b.passes, b.proven
	r.result.Exact = b.shown && b.fails == b.passes+1
	if b.open > 0 && b.passes == r.least {
		r.result.MTU, r.result.Confirmed = b.open, false // nothing speaks against it
	}
}

// survey finds the hops that there are by small packets.
func (r *mtuRun) survey(ctx context.Context) error {
	route, err := r.trace(ctx, r.least, 1)
	if err != nil {
		return err
	}
	r.result.Reached = route.Reached
	for i := range route.Hops {
		h := &route.Hops[i]
		r.result.Hops = append(r.result.Hops, HopMTU{Distance: h.Distance, Address: h.Address})
		if !h.IsSilent() && h.Status != StatusPacketTooBig {
			r.witness, r.statuses[h.Distance] = h.Distance, h.Status
		}
	}
	if r.witness > 0 {
		r.result.Hops = slices.DeleteFunc(r.result.Hops, func(h HopMTU) bool { return h.Distance > r.witness })
	}
	return nil
}

// trace traces the route by packets of a size.
func (r *mtuRun) trace(ctx context.Context, size, first int) (*Route, error) {
	packet := r.packet(mtuProbe{size: size})
	run := &traceRun{p: r.p, pool: r.pool, dst: r.dst, opts: TracerouteOptions{
		FirstHop: first, MaxHops: r.opts.MaxHops, Count: r.opts.Count, Interval: r.opts.Interval,
		Timeout: r.opts.Timeout, Fast: true, Packet: packet,
	}}
	return run.route(ctx, r.result.Name)
}
