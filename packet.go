package icmplib

import (
	"cmp"
	"net"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/service"
	"github.com/goicmp/icmplib/internal/sockets"
	"github.com/goicmp/icmplib/socket"
)

// Packet is the shape of a probe. A zero field takes its value from the Prober's [Config]
// or, if that has none, the default.
type Packet struct {
	// Protocol is the probe's protocol. The default is [ICMP], an echo request.
	Protocol Protocol

	// Service is what UDP probes ask, for targets that drop what they do not
	// understand: [DNS], [NTP] or [QUIC]. The answer of the target is a reply, and has
	// to bring back what proves it: the identifier of a DNS query, and its cookie from
	// servers that know such (RFC 7873), the transmit timestamp of NTP (RFC 5905), both
	// connection IDs of QUIC (RFC 9000 section 6). The default is [NoService], a payload
	// that means nothing. Size and Payload cannot be chosen with a service; QUIC has
	// 1,200 bytes.
	Service Service

	// ServiceName is the name for whose IPv4 address a DNS server is asked. The default
	// asks for the name servers of the root, which servers of either kind answer.
	ServiceName string

	// Port is the destination port of UDP, TCP and SCTP. The default is that of the
	// Service, else 33434 for UDP and 80 for TCP and SCTP.
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

// validate refuses what cannot be sent to any target.
func (pk *Packet) validate() error {
	switch {
	case pk.TTL < 0 || pk.TTL > maxTTL:
		return &ConfigError{Field: "TTL", Value: pk.TTL, Allowed: "1 to 255, or 0 for the default of 64"}
	case pk.TrafficClass < 0 || pk.TrafficClass > maxClass:
		return &ConfigError{Field: "TrafficClass", Value: pk.TrafficClass, Allowed: "0 to 255"}
	case pk.Size > maxSize:
		return &ConfigError{Field: "Size", Value: pk.Size, Allowed: "up to 65507 bytes, 0 for the default of 56, or negative for none"}
	case pk.Protocol > SCTP:
		return &ConfigError{Field: "Protocol", Value: pk.Protocol, Allowed: "ICMP, UDP, TCP or SCTP"}
	case pk.Protocol == ICMP && pk.Port != 0:
		return &ConfigError{Field: "Port", Value: pk.Port, Allowed: "0 with ICMP, which has no ports"}
	case pk.Protocol == ICMP && pk.SourcePort != 0:
		return &ConfigError{Field: "SourcePort", Value: pk.SourcePort, Allowed: "0 with ICMP, which has no ports"}
	case pk.Protocol == ICMP && pk.FlowLabel != 0:
		return &ConfigError{Field: "FlowLabel", Value: pk.FlowLabel, Allowed: "0 with ICMP"}
	case pk.FlowLabel >= 1<<20:
		return &ConfigError{Field: "FlowLabel", Value: pk.FlowLabel, Allowed: "up to 20 bits"}
	case pk.Protocol != ICMP && pk.Broadcast:
		return &ConfigError{Field: "Broadcast", Value: true, Allowed: "false with " + pk.Protocol.String()}
	case (pk.Protocol == TCP || pk.Protocol == SCTP) && len(pk.Payload) > 0:
		return &ConfigError{Field: "Payload", Value: len(pk.Payload), Allowed: "none with " + pk.Protocol.String()}
	case (pk.Protocol == TCP || pk.Protocol == SCTP) && pk.Size > 0:
		return &ConfigError{Field: "Size", Value: pk.Size, Allowed: "0 with " + pk.Protocol.String() + ", which has no payload"}
	case len(pk.Payload) > maxSize:
		return &ConfigError{Field: "Payload", Value: len(pk.Payload), Allowed: "up to 65507 bytes"}
	}
	return cmp.Or(pk.validateService(), validateInterface("Interface", pk.Interface))
}

// validateService refuses what no service can be asked.
func (pk *Packet) validateService() error {
	switch {
	case pk.Service > QUIC:
		return &ConfigError{Field: "Service", Value: pk.Service, Allowed: "NoService, DNS, NTP or QUIC"}
	case pk.ServiceName != "" && pk.Service != DNS:
		return &ConfigError{Field: "ServiceName", Value: pk.ServiceName, Allowed: "none but with the Service DNS"}
	case pk.Service == NoService:
		return nil
	case pk.Protocol != UDP:
		return &ConfigError{Field: "Service", Value: pk.Service, Allowed: "NoService with " + pk.Protocol.String() + ": services are asked by UDP"}
	case pk.Size != 0 || pk.Payload != nil:
		return &ConfigError{Field: "Size", Value: max(pk.Size, len(pk.Payload)), Allowed: "0, and no Payload, with a Service, whose message is given"}
	}
	if _, err := service.New(service.Kind(pk.Service), pk.ServiceName); err != nil {
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

// probe describes a packet of this shape; its outcomes have the tag.
func (pk *Packet) probe(dst netip.Addr, tag uint64, ttl int) engine.Probe {
	return engine.Probe{Dst: dst, Tag: tag, TTL: ttl, Flow: pk.flow()}
}

// isOnePort reports whether each probe is a connection from one and the same port.
func (pk *Packet) isOnePort() bool { return pk.Protocol == TCP && pk.SourcePort != 0 }

// opConfig returns what all probes of an operation share.
func (p *Prober) opConfig(pk *Packet, timeout time.Duration, dst netip.Addr) engine.OpConfig {
	var query *service.Query
	if pk.Service != NoService {
		query, _ = service.New(service.Kind(pk.Service), pk.ServiceName) // it has been validated
	}
	return engine.OpConfig{
		Query:        query,
		Sum:          p.sum,
		Timeout:      timeout,
		TrafficClass: pk.TrafficClass,
		Size:         pk.size(),
		Payload:      pk.Payload,
		Numbered:     pk.Protocol == UDP,
		Group:        pk.isGroup(dst),
		Sourced:      pk.RequireSource,
	}
}

// size returns the number of payload bytes to generate.
func (pk *Packet) size() int {
	switch {
	case pk.Protocol == TCP, pk.Protocol == SCTP:
		return 0
	case pk.Size < 0:
		return 0
	case pk.Size == 0:
		return defaultSize
	}
	return pk.Size
}

func (pk *Packet) ttl() int {
	if pk.TTL == 0 {
		return defaultTTL
	}
	return pk.TTL
}

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
	if dst.Is6() && dst.IsLinkLocalUnicast() && dst.Zone() == "" && key.Interface == "" && key.Source.Zone() == "" {
		return key, zoneError(dst)
	}
	return key, nil
}

// zoneError reports that a link-local address needs a zone, because every link has it.
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
