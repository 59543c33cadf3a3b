package icmplib

import (
	"context"
	"math/rand/v2"
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

	witness   int            // the distance of the farthest hop that answers; 0: none does
	vanishing bool           // packets of some size have vanished
	statuses  map[int]Status // with what small packets are answered, by distance
	order     *rand.Rand     // of packets that are sent together
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
		result:   &MTUReport{Address: dst, Name: target},
		statuses: map[int]Status{}, order: rand.New(rand.NewPCG(1, 2)), // the same each time: nobody works against it
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
	if err := r.findBetween(ctx, &b, largest, ttl); err != nil {
		return err
	}
	return r.tellReplies(ctx, largest, ttl)
}

// findBetween finds the MTU of the path between bounds, and where it falls.
func (r *mtuRun) findBetween(ctx context.Context, b *mtuBounds, largest, ttl int) error {
	err := r.search(ctx, ttl, b)
	r.conclude(b)
	if err != nil {
		return err
	}
	return r.profile(ctx, largest, ttl)
}

// tellReplies tells large probes that vanish in front of the target from its large
// replies that do. Its answer to an echo request is as large as the request, that to
// a datagram is small; and so are those of routers.
func (r *mtuRun) tellReplies(ctx context.Context, largest, ttl int) error {
	holes := r.result.BlackHoles
	if len(holes) == 0 || !r.result.Reached || r.opts.Packet.Protocol != ICMP {
		return nil
	}
	hole := &holes[len(holes)-1]
	if hole.Before < r.witness {
		return nil // a router behind it would have answered
	}
	if !r.useDatagrams() {
		r.doubt(hole)
		return nil
	}
	v, err := r.tryBesideSmall(ctx, hole.Fails, ttl)
	switch {
	case v.fate == mtuVanishes:
		return nil
	case v.fate != mtuPasses:
		r.doubt(hole)
		return err
	}
	replies := BlackHole{After: r.witness, Passes: hole.Passes, Fails: hole.Fails, Replies: true}
	b := mtuBounds{passes: hole.Fails, proven: true, fails: largest + 1, shown: r.result.LocalMTU > 0, last: mtuVerdict{fate: mtuLocal}}
	r.result.BlackHoles = nil
	for i := range r.result.Hops {
		h := &r.result.Hops[i]
		*h = HopMTU{Distance: h.Distance, Address: h.Address}
	}
	err = r.findBetween(ctx, &b, largest, ttl)
	r.result.BlackHoles = append(r.result.BlackHoles, replies)
	return err
}

// useDatagrams goes on with UDP, and reports whether it can.
func (r *mtuRun) useDatagrams() bool {
	packet := r.opts.Packet
	packet.Protocol = UDP
	pool, err := r.p.poolFor(&packet, r.dst)
	if err == nil {
		r.opts.Packet, r.pool = packet, pool
	}
	return err == nil
}

// doubt notes that the replies may vanish as well.
func (r *mtuRun) doubt(hole *BlackHole) {
	hole.Unsure, r.result.Exact = true, false
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
