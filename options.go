package icmplib

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/names"
	"github.com/goicmp/icmplib/internal/service"
	"github.com/goicmp/icmplib/internal/sockets"
	"github.com/goicmp/icmplib/internal/words"
	"github.com/goicmp/icmplib/socket"
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

// refuse returns a ConfigError if an option is bad. The texts of allowed are joined.
func refuse[T any](bad bool, field string, value T, allowed ...string) error {
	if !bad {
		return nil
	}
	return &ConfigError{Field: field, Value: value, Allowed: strings.Join(allowed, "")}
}

// given returns the options that a caller gave; nil stands for the zero value.
func given[T any](o *T) (opts T) {
	if o != nil {
		opts = *o
	}
	return opts
}

// validateTimeout refuses a timeout that is negative or too long.
func validateTimeout(d time.Duration) error {
	return cmp.Or(refuse(d < 0 || d > maxTimeout, "Timeout", d, "up to 1h, or 0 for the default of 2s"), validateUnit("Timeout", d))
}

// validateProbing refuses values that no operation accepts.
func validateProbing(timeout time.Duration, family Family, packet *Packet) error {
	return cmp.Or(validateTimeout(timeout), validateFamily(family), packet.validate())
}

func validateFamily(f Family) error {
	return refuse(f != AnyFamily && f != IPv4 && f != IPv6, "Family", f, "AnyFamily, IPv4 or IPv6")
}

// orDefault returns d, the default if d is 0, and 0 if d is negative.
func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return max(d, 0)
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
	return cmp.Or(
		refuse(first < 1 || first > maxTTL, "FirstHop", first, "1 to 255, or 0 for the default of 1"),
		refuse(last < first || last > maxTTL, "MaxHops", last, "FirstHop to 255, or 0 for the default of 30"),
	)
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

var protocols = words.Table[Protocol]{What: "protocol", Lists: true, Type: "Protocol", Words: []string{"icmp", "udp", "tcp", "sctp"}}

// String returns the protocol's name in lower case, as mtr-packet spells it.
func (p Protocol) String() string { return protocols.String(p) }

// ParseProtocol returns the protocol with the given name, the inverse of
// [Protocol.String]. Any other name is an error.
func ParseProtocol(name string) (Protocol, error) { return protocols.Parse(name) }

// MarshalText returns the name, as encoding/json uses it. A value without a name is an
// error.
func (p Protocol) MarshalText() ([]byte, error) { return protocols.Marshal(p) }

// UnmarshalText sets p to the protocol with the given name. Any other name is an error.
func (p *Protocol) UnmarshalText(name []byte) error { return protocols.Unmarshal(p, name) }

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

// The default ports.
const (
	// The default destination ports are those of traceroute and of HTTP.
	defaultPortUDP = 33434
	defaultPortTCP = 80
)

// Service is the request that UDP probes carry to make a server answer: see
// [Packet.Service].
type Service uint8

// The services that UDP probes can ask.
const (
	NoService Service = iota
	DNS               // a query; by default to port 53
	NTP               // a client's request for the time; by default to port 123
	QUIC              // a packet of an unused version, which starts version negotiation; by default to port 443
)

var (
	services     = words.Table[Service]{What: "service", Lists: true, Type: "Service", Words: []string{"none", "dns", "ntp", "quic"}}
	servicePorts = [...]uint16{DNS: 53, NTP: 123, QUIC: 443}
)

// String returns "none", "dns", "ntp" or "quic", and "Service(n)" for any other value.
func (s Service) String() string { return services.String(s) }

// ParseService returns the service with the given name, the inverse of
// [Service.String]. Any other name is an error.
func ParseService(name string) (Service, error) { return services.Parse(name) }

// MarshalText returns the name, as encoding/json uses it. A value without a name is an
// error.
func (s Service) MarshalText() ([]byte, error) { return services.Marshal(s) }

// UnmarshalText sets s to the service with the given name. Any other name is an error.
func (s *Service) UnmarshalText(name []byte) error { return services.Unmarshal(s, name) }

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

// Packet is the shape of a probe. A zero field takes its value from the Prober's [Config]
// or, if that has none, the default.
type Packet struct {
	// Protocol is the probe's protocol. The default is [ICMP], an echo request.
	Protocol Protocol

	// Service makes UDP probes ask a question, for targets that drop datagrams they do not
	// understand: [DNS], [NTP] or [QUIC]. The answer must return the identifier of a DNS
	// query, and its cookie if the server supports them (RFC 7873), the transmit timestamp
	// of NTP (RFC 5905), or both connection IDs of QUIC (RFC 9000 section 6). The default
	// is [NoService], a payload without a request. Size and Payload cannot be set with a
	// service; a QUIC probe has 1,200 bytes.
	Service Service

	// ServiceName is the name whose IPv4 address (an A record) a [DNS] probe asks for. By
	// default the probe asks for the name servers of the root (NS records), a question that
	// authoritative servers and resolvers answer.
	ServiceName string

	// Port is the destination port of UDP, TCP and SCTP. The default is that of the
	// Service, otherwise 33434 for UDP and 80 for TCP and SCTP.
	Port uint16

	// SourcePort is the source port of UDP, TCP and SCTP. By default the Prober picks a
	// free one and keeps it.
	SourcePort uint16

	// FlowLabel is the 20-bit flow label of IPv6, for UDP, TCP and SCTP. By default the
	// system picks one for each flow.
	FlowLabel uint32

	// Source is the local address to send from, of the target's family.
	Source netip.Addr

	// Interface is the name of the interface to send and receive on.
	Interface string

	// Mark is the routing mark (SO_MARK). It works on Linux only, and requires
	// CAP_NET_ADMIN or CAP_NET_RAW.
	Mark uint32

	// TTL is the time to live or hop limit, 1 to 255. The default is 64.
	TTL int

	// TrafficClass is the DSCP and ECN byte (RFC 2474, RFC 3168), 0 to 255.
	TrafficClass int

	// Size is the number of payload bytes, up to 65,507. The default is 56; negative means
	// none. The first 10 bytes identify each probe and keep its checksum constant; with
	// fewer, a reply proves less. UDP probes have at least 12. TCP and SCTP probes have no
	// payload.
	Size int

	// Payload is sent unchanged, in place of Size bytes of the library's own; empty but not
	// nil means none. Replies must contain all of it. It has no nonce: anyone who knows it
	// can forge replies by guessing the id and the sequence number, so a reply must come
	// from the address that was probed.
	Payload []byte

	// Broadcast allows an IPv4 broadcast address as the target. Any host of its network may
	// answer: the first reply settles a probe, and those of other hosts are duplicates.
	// Without it, such a target fails with [socket.ErrBroadcast].
	Broadcast bool

	// RequireSource accepts echo replies only from the address that was probed. By default,
	// a reply with the probe's nonce counts from any address, because some hosts answer
	// from another of their addresses; Result.Responder is that address. RequireSource has
	// no effect on groups of hosts, whose members answer from their own addresses.
	RequireSource bool

	// DontFragment forbids fragmentation, here and on the path: if a packet is too big, an
	// error comes back instead.
	DontFragment bool
}

// Bounds and defaults of a Packet.
const (
	defaultTTL  = icmp.DefaultTTL
	maxTTL      = 255
	maxClass    = 255
	defaultSize = icmp.DefaultSize
	maxSize     = icmp.MaxSize
)

// validate refuses a Packet that cannot be sent to any target.
func (pk *Packet) validate() error {
	return cmp.Or(
		refuse(pk.TTL < 0 || pk.TTL > maxTTL, "TTL", pk.TTL, "1 to 255, or 0 for the default of 64"),
		refuse(pk.TrafficClass < 0 || pk.TrafficClass > maxClass, "TrafficClass", pk.TrafficClass, "0 to 255"),
		refuse(pk.Size > maxSize, "Size", pk.Size, "up to 65507 bytes, 0 for the default of 56, or negative for none"),
		refuse(pk.Protocol > SCTP, "Protocol", pk.Protocol, "ICMP, UDP, TCP or SCTP"),
		refuse(pk.Protocol == ICMP && pk.Port != 0, "Port", pk.Port, "0 with ICMP, which has no ports"),
		refuse(pk.Protocol == ICMP && pk.SourcePort != 0, "SourcePort", pk.SourcePort, "0 with ICMP, which has no ports"),
		refuse(pk.Protocol == ICMP && pk.FlowLabel != 0, "FlowLabel", pk.FlowLabel, "0 with ICMP"),
		refuse(pk.FlowLabel >= 1<<20, "FlowLabel", pk.FlowLabel, "up to 20 bits"),
		refuse(pk.Protocol != ICMP && pk.Broadcast, "Broadcast", true, "false with ", pk.Protocol.String()),
		refuse((pk.Protocol == TCP || pk.Protocol == SCTP) && len(pk.Payload) > 0, "Payload", len(pk.Payload), "none with ", pk.Protocol.String()),
		refuse((pk.Protocol == TCP || pk.Protocol == SCTP) && pk.Size > 0, "Size", pk.Size, "0 with ", pk.Protocol.String(), ", which has no payload"),
		refuse(len(pk.Payload) > maxSize, "Payload", len(pk.Payload), "up to 65507 bytes"),
		pk.validateService(),
		validateInterface("Interface", pk.Interface),
	)
}

// validateService refuses options that do not fit the service.
func (pk *Packet) validateService() error {
	if pk.Service == NoService {
		return refuse(pk.ServiceName != "", "ServiceName", pk.ServiceName, "none but with the Service DNS")
	}
	if err := cmp.Or(
		refuse(pk.Service > QUIC, "Service", pk.Service, "NoService, DNS, NTP or QUIC"),
		refuse(pk.ServiceName != "" && pk.Service != DNS, "ServiceName", pk.ServiceName, "none but with the Service DNS"),
		refuse(pk.Protocol != UDP, "Service", pk.Service, "NoService with ", pk.Protocol.String(), ": services are asked by UDP"),
		refuse(pk.Size != 0 || pk.Payload != nil, "Size", max(pk.Size, len(pk.Payload)), "0, and no Payload, with a Service, whose message is given"),
	); err != nil {
		return err
	}
	_, err := service.New(service.Kind(pk.Service), pk.ServiceName)
	if err != nil {
		return &ConfigError{Field: "ServiceName", Value: pk.ServiceName, Allowed: err.Error()}
	}
	return nil
}

// flow returns the flow of the probes, with the port to probe.
func (pk *Packet) flow() engine.Flow {
	f := engine.Flow{SourcePort: pk.SourcePort, DestinationPort: pk.Port, Label: pk.FlowLabel}
	switch {
	case pk.Port != 0:
	case pk.Service != NoService:
		f.DestinationPort = servicePorts[pk.Service]
	case pk.Protocol == UDP:
		f.DestinationPort = defaultPortUDP
	case pk.Protocol == TCP, pk.Protocol == SCTP:
		f.DestinationPort = defaultPortTCP
	}
	return f
}

// probe describes a packet of this shape; its outcomes carry the tag.
func (pk *Packet) probe(dst netip.Addr, tag uint64, ttl int) engine.Probe {
	return engine.Probe{Dst: dst, Tag: tag, TTL: ttl, Flow: pk.flow()}
}

// isOnePort reports whether each probe is a connection from the same port.
func (pk *Packet) isOnePort() bool { return pk.Protocol == TCP && pk.SourcePort != 0 }

// opConfig returns the configuration that all probes of an operation share.
func (p *Prober) opConfig(pk *Packet, timeout time.Duration, dst netip.Addr) engine.OpConfig {
	query, _ := service.New(service.Kind(pk.Service), pk.ServiceName) // it has been validated
	return engine.OpConfig{
		Query:        query,
		Sum:          p.sum,
		Timeout:      timeout,
		TrafficClass: pk.TrafficClass,
		Size:         pk.size(),
		Payload:      string(pk.Payload),
		Custom:       pk.Payload != nil,
		Numbered:     pk.Protocol == UDP,
		Group:        pk.isGroup(dst),
		Sourced:      pk.RequireSource,
	}
}

// size returns the number of payload bytes to generate.
func (pk *Packet) size() int {
	if pk.Protocol == TCP || pk.Protocol == SCTP {
		return 0
	}
	return max(0, cmp.Or(pk.Size, defaultSize))
}

func (pk *Packet) ttl() int { return cmp.Or(pk.TTL, defaultTTL) }

// isGroup reports whether dst stands for several hosts, each of which answers from its own
// address.
func (pk *Packet) isGroup(dst netip.Addr) bool {
	return dst.IsMulticast() || pk.Broadcast && socket.IsBroadcast(dst)
}

// key returns the key of the socket that a packet to dst needs.
func (pk *Packet) key(cfg *Config, dst netip.Addr) (socketKey, error) {
	key := socketKey{Spec: sockets.Spec{
		Version:        icmp.V4,
		Protocol:       pk.Protocol.number(),
		Mode:           cfg.Mode,
		ID:             cfg.ID,
		Source:         cfg.Source4,
		Interface:      cfg.Interface,
		Mark:           cfg.Mark,
		DontFragment:   pk.DontFragment,
		Broadcast:      pk.Broadcast && dst.Is4(),
		FirstPort:      pk.SourcePort,
		SendTimestamps: cfg.SendTimestamps && pk.Protocol == ICMP,
	}}
	if dst.Is6() {
		key.Version, key.Source = icmp.V6, cfg.Source6
	}
	if pk.FlowLabel != 0 && dst.Is4() {
		return key, &ConfigError{Field: "FlowLabel", Value: pk.FlowLabel, Allowed: "0 for the target " + dst.String() + ": IPv4 has none"}
	}
	if pk.Source.IsValid() {
		if pk.Source.Unmap().Is4() != dst.Is4() {
			return key, &ConfigError{Field: "Source", Value: pk.Source, Allowed: "an address of the family of the target " + dst.String()}
		}
		key.Source = pk.Source
	}
	if pk.Interface != "" {
		key.Interface = pk.Interface
	}
	if pk.Mark != 0 {
		key.Mark = pk.Mark
	}
	if lacksZone(dst) && key.Interface == "" && key.Source.Zone() == "" {
		return key, zoneError(dst)
	}
	return key, nil
}

// lacksZone reports whether dst is a link-local IPv6 address without a zone.
func lacksZone(dst netip.Addr) bool {
	return dst.Is6() && dst.IsLinkLocalUnicast() && dst.Zone() == ""
}

// zoneError returns the error that a link-local address needs a zone, because every link
// has such addresses.
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
