// Package names resolves host names to addresses, and caches them. The rules:
//
//  1. An address resolves to itself, if it is of the family and its zone exists on this
//     host.
//  2. "localhost", and names that end in ".localhost", resolve to the loopback address,
//     whatever a server answers (RFC 6761 section 6.3).
//  3. A name that cannot be that of a host reaches no server.
//  4. For [Any], a name resolves to its IPv4 addresses, and to its IPv6 addresses only if
//     a server answered that it has no IPv4 address.
//  5. Each address occurs once, and IPv4-mapped addresses become IPv4 addresses.
//  6. If a context ends, its cause explains a failed lookup, but not an invalid name.
//  7. A cache remembers successes for its lifetime, separately for each family. Calls for
//     the same name at the same time share one lookup, but not its failure.
package names

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

// Family is an IP version, or any.
type Family uint8

// The families, by IP version.
const (
	Any  Family = 0
	IPv4 Family = 4
	IPv6 Family = 6
)

// String returns "any", "IPv4" or "IPv6", and "Family(n)" for any other value.
func (f Family) String() string {
	switch f {
	case Any:
		return "any"
	case IPv4:
		return "IPv4"
	case IPv6:
		return "IPv6"
	}
	return "Family(" + strconv.Itoa(int(f)) + ")"
}

// Includes reports whether addr belongs to f. An IPv4-mapped IPv6 address counts as IPv4,
// because its packets are IPv4.
func (f Family) Includes(addr netip.Addr) bool {
	switch f {
	case Any:
		return addr.IsValid()
	case IPv4, IPv6:
		return FamilyOf(addr) == f
	}
	return false
}

// FamilyOf returns the family of addr, or Any for the zero Addr.
func FamilyOf(addr netip.Addr) Family {
	switch {
	case !addr.IsValid():
		return Any
	case addr.Unmap().Is4():
		return IPv4
	}
	return IPv6
}

// ErrLookup is the error that all errors of this package wrap, except the cause of a context.
var ErrLookup = errors.New("name lookup failed")

// Resolver is a *net.Resolver, whose nil value is the system's, or the resolver of a test.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Resolve returns the addresses of a host. Without an error, there is at least one.
func Resolve(ctx context.Context, r Resolver, name string, family Family) ([]netip.Addr, error) {
	addrs, err := addressesOf(ctx, r, name, family)
	if err == nil {
		return addrs, nil
	}
	if cause := contextEnd(ctx); cause != nil && (err == cause || isLookup(err)) {
		return nil, cause
	}
	return nil, &lookupError{name: name, err: err}
}

// Usable returns those of the addresses from a caller's own look-up that Resolve would return:
// of the family or, for Any, of the family of the first one. It fails if there is none.
func Usable(name string, family Family, found []netip.Addr) (addrs []netip.Addr, err error) {
	for _, addr := range found {
		if addr = addr.Unmap(); family.Includes(addr) {
			family = FamilyOf(addr)
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "the Lookup found no address of " + family.String() + " family", Name: name, IsNotFound: true}
	}
	return addrs, nil
}

// Reachable returns the addresses of a name to which this host can send. For Any, these are
// the IPv4 addresses if there is a route to the first of them, and otherwise the IPv6
// addresses if there are any. lookUp returns the addresses of a family, for Any those of IPv4
// if there are any. A name that is an address resolves to itself.
func Reachable(name string, family Family, lookUp func(Family) ([]netip.Addr, error), routed func(netip.Addr) bool) ([]netip.Addr, error) {
	addrs, err := lookUp(family)
	if _, none := netip.ParseAddr(name); err != nil || none == nil || family != Any || !addrs[0].Is4() || routed(addrs[0]) {
		return addrs, err
	}
	if others, err := lookUp(IPv6); err == nil {
		return others, nil
	}
	return addrs, nil // sending to them then fails for lack of a route
}

// Literal returns the address in a text, if it belongs to a family and has no zone, which
// would require a look-up.
func Literal(text string, family Family) (addr netip.Addr, ok bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" || !family.Includes(addr) {
		return netip.Addr{}, false
	}
	return addr, true
}

// addressesOf resolves a name as an address, as this host, and as a name.
func addressesOf(ctx context.Context, r Resolver, name string, family Family) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return literal(addr, family)
	}
	if err := Check(name); err != nil {
		return nil, err
	}
	if isLocalhost(name) {
		return []netip.Addr{Loopback(family)}, nil
	}
	if cause := contextEnd(ctx); cause != nil { // else the resolver may answer first
		return nil, cause
	}
	return lookup(ctx, r, name, family)
}

// literal returns addr if it is of the family and its zone exists on this host.
func literal(addr netip.Addr, family Family) ([]netip.Addr, error) {
	if !family.Includes(addr) {
		return nil, fmt.Errorf("it is an %v address, and %v is asked for", FamilyOf(addr), family)
	}
	if zone := addr.Zone(); zone != "" && !zoneExists(zone) {
		return nil, fmt.Errorf("this host has no network interface for the zone %q", zone)
	}
	return []netip.Addr{addr.Unmap()}, nil
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

// Loopback returns the loopback address of the family.
func Loopback(family Family) netip.Addr {
	if family == IPv6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// lookup looks up the addresses of the family. For Any, it asks for IPv6 addresses only after
// the answer that there is no IPv4 address. A failing server gives no such answer, so the
// family of a name does not depend on the health of its server.
func lookup(ctx context.Context, r Resolver, name string, family Family) ([]netip.Addr, error) {
	if family == Any {
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
func lookupFamily(ctx context.Context, r Resolver, network, name string) ([]netip.Addr, error) {
	found, err := r.LookupNetIP(ctx, network, name)
	// There are addresses, but all of the other family, for example in the hosts file.
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

// isLookup reports whether err comes from a lookup, which the end of a context may explain; it
// does not explain an invalid name.
func isLookup(err error) bool {
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

// contextEnd returns why ctx ended, or nil. The resolver keeps the deadline itself, and may
// return a moment before ctx ends.
func contextEnd(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// lookupError reports a name that could not be resolved, and the reason.
type lookupError struct {
	name string
	err  error
}

func (e *lookupError) Error() string {
	reason := e.err.Error()
	if dns, ok := errors.AsType[*net.DNSError](e.err); ok {
		reason = dns.Err // without the name, which the text already has
	}
	return fmt.Sprintf("cannot resolve %q: %s", e.name, reason)
}

func (e *lookupError) Unwrap() []error { return []error{ErrLookup, e.err} }

// Limits of a name in its presentation form. RFC 1035 section 2.3.4 allows 255 bytes on
// the wire, where a length byte precedes each label, and the root at the end is another
// length byte.
const (
	maxLabel = 63
	maxName  = 253
)

// Reasons to refuse a name without a look-up.
var (
	errNameEmpty   = errors.New("it is empty")
	errNameLong    = errors.New("a name has at most 253 bytes")
	errLabelEmpty  = errors.New("it has an empty label")
	errLabelLong   = errors.New("a label has at most 63 bytes")
	errNameNumeric = errors.New("it is neither an IPv4 address nor a name")
	errNameColon   = errors.New("it is neither an IPv6 address nor a name")
	errNameByte    = errors.New("a name has letters, digits, hyphens, underscores and dots only; others go in xn-- form")
)

// Check refuses names that cannot belong to a host, so that they never reach a server. It
// applies the limits of RFC 1035 section 2.3.4, and allows the characters of RFC 1123 section
// 2.1 and the underscore, which is in use. The resolver decides whether the name exists.
func Check(name string) error {
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
	// nevertheless read such a name as an address, "1234" as 0.0.4.210.
	if numeric {
		return errNameNumeric
	}
	return nil
}

// checkLabel checks one label of a name.
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

// isNumber reports whether a label is a number as inet_aton reads it: decimal, octal, or
// hexadecimal after 0x.
func isNumber(label string) bool {
	if len(label) > 1 && label[0] == '0' && label[1]|0x20 == 'x' {
		return strings.Trim(label[2:], "0123456789abcdefABCDEF") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// Cache remembers the addresses of names. The zero value is ready for use, by any number of
// goroutines.
type Cache struct {
	mu    sync.Mutex
	found map[nameKey]*lookedUp
}

type nameKey struct {
	name   string
	family Family
}

// lookedUp is a lookup that is running or has succeeded.
type lookedUp struct {
	done  chan struct{} // closed at its end
	addrs []netip.Addr
	err   error
	ended time.Time // when it succeeded; zero while it runs
}

// Resolve returns the remembered addresses if they are no older than lifetime, and otherwise
// the result of the function [Resolve]. A lifetime of 0 or less has no end. The caller owns the
// slice.
func (c *Cache) Resolve(ctx context.Context, r Resolver, name string, family Family, lifetime time.Duration) ([]netip.Addr, error) {
	key := nameKey{name, family}
	for {
		entry, ours := c.entry(key, lifetime)
		if ours {
			entry.addrs, entry.err = Resolve(ctx, r, name, family)
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
		// It failed for another caller, perhaps because of that caller's context:
		// this call tries again.
	}
}

// entry returns the lookup of a key; ours reports whether the caller must make it.
func (c *Cache) entry(key nameKey, lifetime time.Duration) (entry *lookedUp, ours bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if entry = c.found[key]; entry != nil && !entry.isOld(lifetime) {
		return entry, false
	}
	if c.found == nil {
		c.found = map[nameKey]*lookedUp{}
	}
	entry = &lookedUp{done: make(chan struct{})}
	c.found[key] = entry
	return entry, true
}

// isOld reports whether the lifetime of an answer has passed.
func (l *lookedUp) isOld(lifetime time.Duration) bool {
	return lifetime > 0 && !l.ended.IsZero() && time.Since(l.ended) >= lifetime
}

// settle ends a lookup, and forgets it if it failed.
func (c *Cache) settle(key nameKey, entry *lookedUp) {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry.ended = time.Now()
	if entry.err != nil && c.found[key] == entry {
		delete(c.found, key)
	}
	close(entry.done)
}

// Clear forgets all names.
func (c *Cache) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found = nil
}
