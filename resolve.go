package icmplib

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/names"
)

// Resolve returns the addresses of a host: at least one, each once, in the order of the
// system's resolver.
//
// It returns an IPv4 or IPv6 address unchanged, IPv6 addresses with their zone, and an
// IPv4-mapped address as its IPv4 address. "localhost", and names that end in ".localhost",
// are the loopback address, whatever a server says (RFC 6761 section 6.3). Any other name
// is looked up: for [AnyFamily], its IPv4 addresses, and its IPv6 addresses only if it has
// no IPv4 address. A name that is not ASCII must be in its "xn--" form. Addresses of names
// have no zones.
//
// If a name has no address of the family, cannot be looked up or cannot be a name,
// errors.Is finds [ErrNameLookup] in the error and, if a lookup was made, errors.As finds
// [*net.DNSError]. If ctx ends, the error is its cause, [context.Cause]. An unknown family
// is a [*ConfigError].
func Resolve(ctx context.Context, name string, family Family) ([]netip.Addr, error) {
	if err := validateFamily(family); err != nil {
		return nil, err
	}
	return names.Resolve(ctx, net.DefaultResolver, name, names.Family(family))
}

// NameCache resolves names as [Resolve] does and remembers the results, separately for each
// family, for its Lifetime or until it is cleared. It does not remember failures. Calls
// that ask for the same name at the same time share one lookup. The zero value is ready for
// use, by any number of goroutines; set [Config.Names] to make a Prober use it.
//
// Addresses become outdated: a program that runs for long should set a Lifetime.
type NameCache struct {
	// Resolver looks names up. The default is [net.DefaultResolver]. Do not change it while
	// the cache is in use.
	Resolver *net.Resolver

	// Lifetime is how long the answer of a lookup is remembered after it came. With 0 or a
	// negative value, answers are remembered until Clear is called. The cache does not know
	// the TTLs that DNS servers give (RFC 1035 section 3.2.1). Do not change it while the
	// cache is in use.
	Lifetime time.Duration

	cache names.Cache
}

// Resolve returns the addresses of a host, as the function [Resolve] does. The caller owns
// the slice.
func (c *NameCache) Resolve(ctx context.Context, name string, family Family) ([]netip.Addr, error) {
	return c.resolve(ctx, c.Resolver, name, family)
}

// resolve is [NameCache.Resolve] with a resolver.
func (c *NameCache) resolve(ctx context.Context, r names.Resolver, name string, family Family) ([]netip.Addr, error) {
	if err := validateFamily(family); err != nil {
		return nil, err
	}
	return c.cache.Resolve(ctx, r, name, names.Family(family), c.Lifetime)
}

// Clear forgets all names.
func (c *NameCache) Clear() { c.cache.Clear() }
