package icmplib

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/names"
)

// The defaults of icmplib.
const (
	defaultPingCount    = 4
	defaultPingInterval = time.Second
	defaultTimeout      = 2 * time.Second
)

// maxTimeout keeps deadlines within the lifetime of a probe's identity.
const maxTimeout = time.Hour

// minDuration is the shortest duration that makes sense: less was a number without a unit.
const minDuration = time.Microsecond

// validateUnit refuses a duration that lacks its unit: 2 is 2 ns.
func validateUnit(field string, d time.Duration) error {
	if d <= 0 || d >= minDuration {
		return nil
	}
	return &ConfigError{Field: field, Value: d, Allowed: fmt.Sprintf("1µs or more: a number alone is nanoseconds, so write %d*time.Second or %[1]d*time.Millisecond", int64(d))}
}

// validateTimeout refuses a timeout that is negative or too long.
func validateTimeout(d time.Duration) error {
	if d < 0 || d > maxTimeout {
		return &ConfigError{Field: "Timeout", Value: d, Allowed: "up to 1h, or 0 for the default of 2s"}
	}
	return validateUnit("Timeout", d)
}

// validateProbing refuses what no operation accepts.
func validateProbing(timeout time.Duration, family Family, packet *Packet) error {
	if err := validateTimeout(timeout); err != nil {
		return err
	}
	if err := validateFamily(family); err != nil {
		return err
	}
	return packet.validate()
}

func validateFamily(f Family) error {
	switch f {
	case AnyFamily, IPv4, IPv6:
		return nil
	}
	return &ConfigError{Field: "Family", Value: f, Allowed: "AnyFamily, IPv4 or IPv6"}
}

// orDefault returns d, the default if d is 0, and 0 if d is negative.
func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return max(d, 0)
}

// thisHost replaces the unspecified address, which Linux takes for this host, by the
// address from which this host answers.
func thisHost(addr netip.Addr) netip.Addr {
	switch addr {
	case netip.IPv4Unspecified():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case netip.IPv6Unspecified():
		return netip.IPv6Loopback()
	}
	return addr
}

// The defaults of icmplib for the first and the last TTL.
const (
	defaultFirstHop = 1
	defaultMaxHops  = 30
)

// hopRange returns FirstHop and MaxHops with their defaults.
func hopRange(first, last int) (int, int) {
	first = cmp.Or(first, defaultFirstHop)
	return first, cmp.Or(last, max(defaultMaxHops, first))
}

// validateHops refuses a FirstHop or MaxHops that cannot be a TTL.
func validateHops(first, last int) error {
	switch {
	case first < 1 || first > maxTTL:
		return &ConfigError{Field: "FirstHop", Value: first, Allowed: "1 to 255, or 0 for the default of 1"}
	case last < first || last > maxTTL:
		return &ConfigError{Field: "MaxHops", Value: last, Allowed: "FirstHop to 255, or 0 for the default of 30"}
	}
	return nil
}

// Protocol is the protocol of a probe. (Package icmp has a Protocol, too: the number in an
// IP header.)
type Protocol uint8

// The protocols of probes.
const (
	ICMP Protocol = iota // an echo request
	UDP                  // a datagram; the target answers port unreachable, or a datagram
	TCP                  // a SYN; the target answers SYN-ACK or RST
	SCTP                 // an INIT; the target answers INIT-ACK or ABORT. It needs raw sockets
)

var protocolNames = [...]string{"icmp", "udp", "tcp", "sctp"}

// String returns the protocol's name in lower case, as mtr-packet spells it.
func (p Protocol) String() string {
	if int(p) < len(protocolNames) {
		return protocolNames[p]
	}
	return "Protocol(" + strconv.Itoa(int(p)) + ")"
}

// ParseProtocol returns the protocol with the given name, the inverse of
// [Protocol.String]. Any other name is an error.
func ParseProtocol(name string) (Protocol, error) {
	for p, known := range protocolNames {
		if name == known {
			return Protocol(p), nil
		}
	}
	return ICMP, fmt.Errorf("unknown protocol %q: icmp, udp, tcp and sctp are known", name)
}

// MarshalText returns the name, as encoding/json uses it. A value without a name is an
// error.
func (p Protocol) MarshalText() ([]byte, error) {
	if int(p) >= len(protocolNames) {
		return nil, fmt.Errorf("no name for %v", p)
	}
	return []byte(protocolNames[p]), nil
}

// UnmarshalText sets p to the protocol with the given name.
func (p *Protocol) UnmarshalText(name []byte) error {
	parsed, err := ParseProtocol(string(name))
	if err == nil {
		*p = parsed
	}
	return err
}

// number returns the protocol's IANA number.
func (p Protocol) number() icmp.Protocol {
	return [...]icmp.Protocol{icmp.ICMP, icmp.UDP, icmp.TCP, icmp.SCTP}[p]
}

// protocolOf returns the protocol with an IANA number.
func protocolOf(n icmp.Protocol) Protocol {
	for _, p := range []Protocol{UDP, TCP, SCTP} {
		if p.number() == n {
			return p
		}
	}
	return ICMP
}

// The ports that are probed by default: that of traceroute, and that of HTTP.
const (
	// The default destination ports are those of traceroute and of HTTP.
	defaultPortUDP = 33434
	defaultPortTCP = 80
)

// Service is what UDP probes ask of a server, and what makes it answer: see
// [Packet.Service].
type Service uint8

// The services that UDP probes can ask.
const (
	NoService Service = iota
	DNS               // a query; by default to port 53
	NTP               // a client's request for the time; by default to port 123
	QUIC              // a packet of a version that nobody has, at which versions are negotiated; by default to port 443
)

var (
	serviceNames = [...]string{"none", "dns", "ntp", "quic"}
	servicePorts = [...]uint16{DNS: 53, NTP: 123, QUIC: 443}
)

// String returns "none", "dns", "ntp" or "quic", and "Service(n)" for any other value.
func (s Service) String() string {
	if int(s) < len(serviceNames) {
		return serviceNames[s]
	}
	return "Service(" + strconv.Itoa(int(s)) + ")"
}

// ParseService returns the service with the given name, the inverse of
// [Service.String]. Any other name is an error.
func ParseService(name string) (Service, error) {
	for s, known := range serviceNames {
		if name == known {
			return Service(s), nil
		}
	}
	return NoService, fmt.Errorf("unknown service %q: none, dns, ntp and quic are known", name)
}

// MarshalText returns the name, for JSON and its like. A value that has none is an
// error.
func (s Service) MarshalText() ([]byte, error) {
	if int(s) >= len(serviceNames) {
		return nil, fmt.Errorf("no name for %v", s)
	}
	return []byte(serviceNames[s]), nil
}

// UnmarshalText sets s to the service whose name is given.
func (s *Service) UnmarshalText(name []byte) error {
	parsed, err := ParseService(string(name))
	if err == nil {
		*s = parsed
	}
	return err
}

// Family is the IP version to which a name is resolved and with which probes are sent. The
// zero value is [AnyFamily].
type Family uint8

const (
	// AnyFamily uses a name's IPv4 addresses if this host has a route to one, and otherwise
	// its IPv6 addresses. A Packet.Source selects its own family. (The function [Resolve],
	// which sends nothing, prefers IPv4 addresses without looking at routes.)
	AnyFamily Family = 0

	// IPv4 uses IPv4 addresses only.
	IPv4 Family = 4

	// IPv6 uses IPv6 addresses only.
	IPv6 Family = 6
)

// String returns "any", "IPv4" or "IPv6", and "Family(n)" for any other value.
func (f Family) String() string { return names.Family(f).String() }

// MarshalText returns "any", "IPv4" or "IPv6", as encoding/json uses it. Any other value is
// an error.
func (f Family) MarshalText() ([]byte, error) {
	if err := validateFamily(f); err != nil {
		return nil, err
	}
	return []byte(f.String()), nil
}

// UnmarshalText sets f to the family with the given word, as [Family.String] returns it. An
// unknown word is an error.
func (f *Family) UnmarshalText(word []byte) error {
	for _, family := range []Family{AnyFamily, IPv4, IPv6} {
		if string(word) == family.String() {
			*f = family
			return nil
		}
	}
	return fmt.Errorf("unknown family %q: any, IPv4 and IPv6 are known", word)
}

// familyOf returns the family of addr, or [AnyFamily] for the zero Addr.
func familyOf(addr netip.Addr) Family { return Family(names.FamilyOf(addr)) }

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
	// negative value, answers are remembered as long as the cache exists. The lifetimes
	// that servers give (RFC 1035 section 3.2.1) are not known here. Do not change it while
	// the cache is in use.
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

// Errors of this package. Errors of other kinds are found with errors.Is, too:
// [os.ErrPermission], [net.ErrClosed], [errors.ErrUnsupported] and those of
// package context; and with errors.As: [*icmp.Error], which carries the ICMP
// message, [*socket.OpError], [*socket.PermissionError] and [*ConfigError].
var (
	// ErrTimeout: no answer came before the timeout.
	ErrTimeout = errors.New("no answer within the timeout")

	// ErrNameLookup: a name could not be resolved, or cannot be a name.
	ErrNameLookup = names.ErrLookup

	// ErrTimeExceeded: the packet's TTL reached zero at a router.
	ErrTimeExceeded = icmp.ErrTimeExceeded

	// ErrUnreachable: a router or the target reported that the target is unreachable.
	ErrUnreachable = icmp.ErrUnreachable

	// ErrPacketTooBig: the packet was too big for the path and was not to be fragmented.
	ErrPacketTooBig = icmp.ErrPacketTooBig
)

// ConfigError is an option that cannot be used: the field, its value, and the allowed
// values. It is returned before anything is sent.
type ConfigError = icmp.FieldError
