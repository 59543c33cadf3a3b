package engine

import (
	"errors"
	"log/slog"
	"net"
	"sync"
)

// Pools has a Pool for each key, the settings that its sockets share. Any number of
// goroutines may use it.
type Pools[K comparable] struct {
	open   func(K) (Medium, error)
	log    *slog.Logger
	budget *Budget

	mu     sync.Mutex
	pools  map[K]*Pool
	others Counters // of packets sent without a pool, and of closed pools
	closed bool
}

// receiveBudget limits the total size of the receive buffers of all sockets, as the kernel
// counts it.
const receiveBudget = 32 << 20

// NewPools returns an empty Pools; open opens the sockets for a key.
func NewPools[K comparable](open func(K) (Medium, error), log *slog.Logger) *Pools[K] {
	return &Pools[K]{open: open, log: log, budget: NewBudget(receiveBudget), pools: map[K]*Pool{}}
}

// Get returns the pool for a key. The first call for the key opens its first socket, and most
// is then the largest number of its sockets; 0 means the number that the probes in flight
// need.
func (p *Pools[K]) Get(key K, most int) (*Pool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, net.ErrClosed
	}
	if pool := p.pools[key]; pool != nil {
		return pool, nil
	}
	return p.add(key, most)
}

// add opens the pool for a key.
func (p *Pools[K]) add(key K, most int) (*Pool, error) {
	pool, err := NewPool(func() (Medium, error) { return p.open(key) }, p.log, p.budget)
	if err != nil {
		return nil, err
	}
	if most > 0 {
		pool.most = most
	}
	p.pools[key] = pool
	return pool, nil
}

// Count adds the counts of packets sent and received without a pool.
func (p *Pools[K]) Count(c Counters) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.others.merge(c)
}

// Counters returns the counts so far.
func (p *Pools[K]) Counters() Counters {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sum()
}

func (p *Pools[K]) sum() Counters {
	sum := p.others
	for _, pool := range p.pools {
		sum.merge(pool.Counters())
	}
	return sum
}

// Close closes the pools, and waits until no part of them runs any more. The caller must
// call it only once.
func (p *Pools[K]) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	var errs []error
	for _, pool := range p.pools { // none is added any more
		errs = append(errs, pool.Close())
	}
	// Both at once, so that Counters misses nothing and counts nothing twice.
	p.mu.Lock()
	defer p.mu.Unlock()
	p.others, p.pools = p.sum(), nil
	return errors.Join(errs...)
}
