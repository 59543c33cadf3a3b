package icmplib

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Resolve returns the addresses of a host, at least one, each once, in the
// order that the system's resolver gives them.
//
// An IPv4 or IPv6 address is returned as it is, an IPv6 one with its zone; an
// IPv4-mapped one as the IPv4 address that it stands for. "localhost" and what
// ends in ".localhost" is the loopback address, whatever a server may say (RFC
// 6761 section 6.3). Any other name is looked up: for [AnyFamily] its IPv4
// addresses, and its IPv6 addresses only if it has no IPv4 address. A name that
// is not ASCII is to be given in its "xn--" form. The result for a name has no
// zones.
//
// A name that has no address of the family, that cannot be looked up or cannot
// be a name at all gives an error for which errors.Is finds [ErrNameLookup] and
// errors.As, where a lookup was made, [*net.DNSError]. When ctx ends the error
// is the cause of that, [context.Cause]. A family that is none of the three gives
// a [*ConfigError].
func Resolve(ctx context.Context, name string, family Family) ([]netip.Addr, error) {
	return resolve(ctx, net.DefaultResolver, name, family)
}

// resolver is a *net.Resolver, of which nil is the system's, or stands in for it.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// resolve is [Resolve] by means of r.
func resolve(ctx context.Context, r resolver, name string, family Family) ([]netip.Addr, error) {
	if err := validateFamily(family); err != nil {
		return nil, err
	}
	addrs, err := addressesOf(ctx, r, name, family)
	if err == nil {
		return addrs, nil
	}
	if cause := contextEnd(ctx); cause != nil && isLookup(err) {
		return nil, cause
	}
	return nil, &lookupError{name: name, err: err}
}

// addressesOf tries the name as an address, as this host, and as a name.
func addressesOf(ctx context.Context, r resolver, name string, family Family) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return literal(addr, family)
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	if isLocalhost(name) {
		return []netip.Addr{loopback(family)}, nil
	}
	return lookup(ctx, r, name, family)
}

// literal returns addr if it is of the family and its zone is one of this host.
func literal(addr netip.Addr, family Family) ([]netip.Addr, error) {
	if !family.includes(addr) {
		return nil, fmt.Errorf("it is an %v address, and %v is asked for", familyOf(addr), family)
	}
	if zone := addr.Zone(); zone != "" && !zoneExists(zone) {
		return nil, fmt.Errorf("this host has no network interface for the zone %q", zone)
	}
	return []netip.Addr{addr.Unmap()}, nil
}

// zoneError says what a link-local address lacks, which is on every link.
func zoneError(dst netip.Addr) error {
	example := "eth0"
	interfaces, _ := net.Interfaces()
	for _, i := range interfaces {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			example = i.Name
			break
		}
	}
	return &ConfigError{Field: "target", Value: dst, Allowed: "a link-local address with the interface of its link, such as " + dst.WithZone(example).String()}
}

// zoneExists reports whether a zone is the name or the index of an interface.
func zoneExists(zone string) bool {
	if _, err := net.InterfaceByName(zone); err == nil {
		return true
	}
	index, err := strconv.Atoi(zone)
	if err != nil {
		return false
	}
	_, err = net.InterfaceByIndex(index)
	return err == nil
}

// isLocalhost reports whether RFC 6761 section 6.3 reserves a name for loopback.
func isLocalhost(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// loopback returns the loopback address of the family.
func loopback(family Family) netip.Addr {
	if family == IPv6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// lookup asks for the addresses of the family. IPv6 ones are asked for second,
// and only after the answer that there is no IPv4 one: a server that fails has
// not said so, and a name must not change its family with the server's health.
func lookup(ctx context.Context, r resolver, name string, family Family) ([]netip.Addr, error) {
	if family == AnyFamily {
		addrs, err := lookupFamily(ctx, r, "ip4", name)
		if !isNotFound(err) {
			return addrs, err
		}
		family = IPv6
	}
	network := "ip4"
	if family == IPv6 {
		network = "ip6"
	}
	return lookupFamily(ctx, r, network, name)
}

// lookupFamily returns the addresses of a name, each once, or a *net.DNSError.
func lookupFamily(ctx context.Context, r resolver, network, name string) ([]netip.Addr, error) {
	found, err := r.LookupNetIP(ctx, network, name)
	// Addresses, but all of the other family: in the hosts file, for one.
	if _, ok := errors.AsType[*net.AddrError](err); ok {
		err = notFound(name)
	}
	if err != nil {
		return nil, err
	}
	addrs := make([]netip.Addr, 0, len(found))
	for _, addr := range found {
		if addr = addr.Unmap(); !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 {
		return nil, notFound(name)
	}
	return addrs, nil
}

func notFound(name string) *net.DNSError {
	return &net.DNSError{Err: "no address of this family", Name: name, IsNotFound: true}
}

// isNotFound reports whether err is the answer that there is no such address.
func isNotFound(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}

// isLookup reports whether err comes of a lookup, which the end of a context
// explains; that a name is impossible it does not.
func isLookup(err error) bool {
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

// contextEnd returns why ctx ended, nil if it has not. The resolver keeps to
// the deadline by itself, and may be back a moment before ctx tells of it.
func contextEnd(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// lookupError says which name could not be resolved, and why.
type lookupError struct {
	name string
	err  error
}

func (e *lookupError) Error() string {
	reason := e.err.Error()
	if dns, ok := errors.AsType[*net.DNSError](e.err); ok {
		reason = dns.Err // without the name, which is told already
	}
	return fmt.Sprintf("cannot resolve %q: %s", e.name, reason)
}

func (e *lookupError) Unwrap() []error { return []error{ErrNameLookup, e.err} }

// Bounds of a name in its presentation form (RFC 1035 section 2.3.4: 255 bytes
// on the wire, where each label has a length byte before it, and so has the
// root behind them all).
const (
	maxLabel = 63
	maxName  = 253
)

// Why a name is refused before anybody is asked.
var (
	errNameEmpty   = errors.New("it is empty")
	errNameLong    = errors.New("a name has at most 253 bytes")
	errLabelEmpty  = errors.New("it has an empty label")
	errLabelLong   = errors.New("a label has at most 63 bytes")
	errNameNumeric = errors.New("it is neither an IPv4 address nor a name")
	errNameColon   = errors.New("it is neither an IPv6 address nor a name")
	errNameByte    = errors.New("a name has letters, digits, hyphens, underscores and dots only; others go in xn-- form")
)

// checkName refuses what can be no name of a host, so that it never reaches a
// server: the bounds of RFC 1035 section 2.3.4 and the characters of RFC 1123
// section 2.1, and the underscore, which is in use. Whether the name exists is
// for the resolver to say.
func checkName(name string) error {
	name = strings.TrimSuffix(name, ".")
	switch {
	case name == "":
		return errNameEmpty
	case strings.Contains(name, ":"):
		return errNameColon
	case len(name) > maxName:
		return errNameLong
	}
	numeric := true
	for label := range strings.SplitSeq(name, ".") {
		if err := checkLabel(label); err != nil {
			return err
		}
		numeric = numeric && isNumber(label)
	}
	// RFC 1123 section 2.1: no name looks like dotted decimal. Some resolvers
	// read such a thing as an address all the same, "1234" as 0.0.4.210.
	if numeric {
		return errNameNumeric
	}
	return nil
}

// checkLabel checks what stands between two dots.
func checkLabel(label string) error {
	switch {
	case label == "":
		return errLabelEmpty
	case len(label) > maxLabel:
		return errLabelLong
	}
	for i := range len(label) {
		if !isNameByte(label[i]) {
			return errNameByte
		}
	}
	return nil
}

func isNameByte(c byte) bool {
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '_'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isNumber reports whether a label is a number, as inet_aton reads one: decimal
// or octal, or hexadecimal behind 0x.
func isNumber(label string) bool {
	if len(label) > 1 && label[0] == '0' && label[1]|0x20 == 'x' {
		return strings.Trim(label[2:], "0123456789abcdefABCDEF") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

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
