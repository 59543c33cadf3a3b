package icmplib

import (
	"context"
	"net"
	"net/netip"

	"github.com/goicmp/icmplib/internal/engine"
)

// aim finds the address of a target, and the sockets for packets to it.
func (p *Prober) aim(ctx context.Context, target string, family Family, packet *Packet) (netip.Addr, *engine.Pool, error) {
	addrs, err := p.resolveFor(ctx, target, family, packet)
	if err != nil {
		return netip.Addr{}, nil, err
	}
	dst := thisHost(addrs[0])
	pool, err := p.poolFor(packet, dst)
	return dst, pool, err
}

// poolFor returns the engines for packets of this shape to dst, or why there can
// be none.
func (p *Prober) poolFor(packet *Packet, dst netip.Addr) (*engine.Pool, error) {
	key, err := packet.key(&p.cfg, dst)
	if err != nil {
		return nil, err
	}
	return p.pool(key)
}

// pool returns the engines for a key, and opens their first socket if need be.
func (p *Prober) pool(key socketKey) (*engine.Pool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ending:
		return nil, net.ErrClosed
	case p.closed == nil:
		return nil, errNotMade
	}
	if pool := p.pools[key]; pool != nil {
		return pool, nil
	}
	pool, err := engine.NewPool(func() (engine.Medium, error) { return p.listen(key) }, p.cfg.Logger)
	if err != nil {
		return nil, err
	}
	p.pools[key] = pool
	return pool, nil
}
