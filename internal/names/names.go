// Package names turns names of hosts into addresses, and remembers them. The rules:
//
//  1. An address is itself, if it is of the family and its zone exists on this host.
//  2. "localhost", and names that end in ".localhost", are the loopback address,
//     whatever a server says (RFC 6761 section 6.3).
//  3. What cannot be the name of a host reaches no server.
//  4. Of any family, a name has its IPv4 addresses; its IPv6 addresses only if a server
//     said that it has no IPv4 address.
//  5. Each address is there once, and IPv4-mapped ones are IPv4.
//  6. The end of a context explains a lookup that failed, and no impossible name.
//  7. A cache remembers successes, each family apart, for its lifetime. Calls that ask for
//     the same at the same time share one lookup; one that failed is no other caller's.
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

// The families, by the version.
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

// Includes reports whether addr belongs to f. An IPv4-mapped IPv6 address is an IPv4
// address: that is what travels on the wire.
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

// ErrLookup is found in all errors of this package but the cause of a context.
var ErrLookup = errors.New("name lookup failed")

// Resolver is a *net.Resolver, of which nil is the system's, or a test's.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Resolve returns the addresses of a host: at least one.
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

// Usable returns those of the addresses that a look-up of a caller's own found which the
// resolver would return: of the family or, for Any, of that of the first. That there is none
// is an error.
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

// Reachable returns the addresses of a name to which something can be sent: for Any those
// of IPv4 if there is a route to the first of them, else those of IPv6 if there are any.
// LookUp returns the addresses of a family, for Any those of IPv4 if there are any. A name
// that is an address stands for itself.
func Reachable(name string, family Family, lookUp func(Family) ([]netip.Addr, error), routed func(netip.Addr) bool) ([]netip.Addr, error) {
	addrs, err := lookUp(family)
	if _, none := netip.ParseAddr(name); err != nil || none == nil || family != Any || !addrs[0].Is4() || routed(addrs[0]) {
		return addrs, err
	}
	if others, err := lookUp(IPv6); err == nil {
		return others, nil
	}
	return addrs, nil // whoever sends to them finds out that there is no route
}

// Literal returns the address that a text is, if it belongs to a family and names no zone,
// which would have to be looked up.
func Literal(text string, family Family) (addr netip.Addr, ok bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" || !family.Includes(addr) {
		return netip.Addr{}, false
	}
	return addr, true
}

// addressesOf tries a name as an address, as this host, and as a name.
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

// lookup looks up the addresses of the family. It asks for IPv6 addresses second, and only
// after the answer that there is no IPv4 address: a failing server gives no such answer,
// and the family of a name must not depend on the health of its server.
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

// isLookup reports whether err stems from a lookup, which the end of a context may explain;
// an impossible name it does not explain.
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

// lookupError is a name that could not be resolved, with the reason.
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

func (e *lookupError) Unwrap() []error { return []error{ErrLookup, e.err} }

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

// Check refuses names that cannot belong to a host, so that they never reach a server:
// by the limits of RFC 1035 section 2.3.4, and the characters of RFC 1123 section 2.1 plus
// the underscore, which is in use. The resolver decides whether the name exists.
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
	// read such a thing as an address all the same, "1234" as 0.0.4.210.
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

// Cache remembers the addresses of names. Its zero value is ready for use, by any number
// of goroutines.
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
	done  chan struct{} // closed when it has ended
	addrs []netip.Addr
	err   error
	ended time.Time // when it has succeeded; zero while it runs
}

// Resolve is the function [Resolve], unless the answer is remembered and no older than
// lifetime; 0 and less are for ever. The caller owns the slice.
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
		// It failed for another caller, whose context may have been the
		// reason: this one tries for itself.
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
