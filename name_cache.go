package icmplib

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// NameCache resolves names as [Resolve] does and remembers what it found, for
// each family by itself, for its Lifetime or until it is cleared. Failures are not remembered.
// Calls that ask for the same name at the same time share one lookup. The zero
// value is ready for use, by any number of goroutines; give it to
// [Config.Names] for a Prober to use it.
//
// What it remembers grows old: a program that runs for long sets a Lifetime.
type NameCache struct {
	// Resolver looks names up. The default is [net.DefaultResolver]. It is not
	// to be changed while the cache is in use.
	Resolver *net.Resolver

	// Lifetime is how long the answer of a lookup is remembered, from when it came.
	// The default is for as long as the cache lives; so is a negative value. The
	// lifetimes that servers give (RFC 1035 section 3.2.1) are not known here. It is
	// not to be changed while the cache is in use.
	Lifetime time.Duration

	mu    sync.Mutex
	found map[nameKey]*lookedUp
}

type nameKey struct {
	name   string
	family Family
}

// lookedUp is a lookup that runs, or has succeeded.
type lookedUp struct {
	done  chan struct{} // closed when it has ended
	addrs []netip.Addr
	err   error
	ended time.Time // when it has succeeded; zero while it runs
}

// Resolve returns the addresses of a host, as the function [Resolve] does. The
// slice is the caller's own.
func (c *NameCache) Resolve(ctx context.Context, name string, family Family) ([]netip.Addr, error) {
	return c.resolve(ctx, c.Resolver, name, family)
}

// resolve is [NameCache.Resolve] by means of r.
func (c *NameCache) resolve(ctx context.Context, r resolver, name string, family Family) ([]netip.Addr, error) {
	key := nameKey{name, family}
	for {
		entry, ours := c.entry(key)
		if ours {
			entry.addrs, entry.err = resolve(ctx, r, name, family)
			c.settle(key, entry)
			return slices.Clone(entry.addrs), entry.err
		}
		select {
		case <-entry.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if entry.err == nil {
			return slices.Clone(entry.addrs), nil
		}
		// It failed for another caller, whose context may have been the
		// reason: this one tries for itself.
	}
}

// entry returns the lookup of a key; ours says that it is for the caller to make.
func (c *NameCache) entry(key nameKey) (entry *lookedUp, ours bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if entry = c.found[key]; entry != nil && !c.isOld(entry) {
		return entry, false
	}
	if c.found == nil {
		c.found = map[nameKey]*lookedUp{}
	}
	entry = &lookedUp{done: make(chan struct{})}
	c.found[key] = entry
	return entry, true
}

// isOld reports whether the lifetime of what was looked up is over.
func (c *NameCache) isOld(entry *lookedUp) bool {
	return c.Lifetime > 0 && !entry.ended.IsZero() && time.Since(entry.ended) >= c.Lifetime
}

// settle ends a lookup, and forgets it if it failed.
func (c *NameCache) settle(key nameKey, entry *lookedUp) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry.ended = time.Now()
	if entry.err != nil && c.found[key] == entry {
		delete(c.found, key)
	}
	close(entry.done)
}

// Clear forgets all names.
func (c *NameCache) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found = nil
}
