package transport

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
)

// Probe is one packet to send.
type Probe struct {
	Destination     netip.Addr // with its zone where it is link-local
	DestinationPort uint16

	// SourcePort is one of [Conn.Ports]. The default, 0, is the first of them.
	// For TCP without privileges it is any that is free towards this
	// destination, 0 lets the kernel choose, and SendBatch then says which.
	SourcePort uint16

	TTL          int    // 1 to 255; 0: 64
	TrafficClass int    // 0 to 255
	FlowLabel    uint32 // of IPv6, 20 bits; 0: the kernel's choice, which is one for each flow

	// Payload is that of UDP. TCP and SCTP probes have none: the answers to a
	// SYN with data differ, and an INIT is alone in its packet.
	Payload []byte

	// Identity is what answers give back: the sequence number of a TCP SYN, the
	// initiate tag of an SCTP INIT (not 0). A TCP probe without privileges has
	// the kernel's sequence number instead; see [Arrival]. Not of UDP.
	Identity uint32

	// Checksum is what the checksum of a UDP datagram has to be: two bytes of
	// the payload, at the even offset Balance, are chosen so that it is, in what
	// is sent and not in Payload. The default, 0, leaves the payload as it is.
	// With it a flow stays one flow though the payload differs, and on a raw
	// socket the quoted checksum says which probe an error is about.
	Checksum uint16
	Balance  int

	// Time is set by SendBatch: the moment before the kernel was given the packet.
	Time time.Time
}

// maxUDPPayload is the largest that fits into an IPv4 packet without options.
const maxUDPPayload = 65535 - 20 - 8

const maxFlowLabel = 1<<20 - 1

// validate refuses what cannot be sent by a socket of this kind.
func (p *Probe) validate(cfg *Config) error {
	d := p.Destination.Unmap()
	switch {
	case !d.IsValid() || d.Is4() != (cfg.Version == icmp.V4):
		return &icmp.FieldError{Field: "Destination", Value: p.Destination, Allowed: "an " + cfg.Version.String() + " address"}
	case p.DestinationPort == 0:
		return &icmp.FieldError{Field: "DestinationPort", Value: p.DestinationPort, Allowed: "1 to 65535"}
	case p.TTL < 0 || p.TTL > 255:
		return &icmp.FieldError{Field: "TTL", Value: p.TTL, Allowed: "1 to 255, or 0 for 64"}
	case p.TrafficClass < 0 || p.TrafficClass > 255:
		return &icmp.FieldError{Field: "TrafficClass", Value: p.TrafficClass, Allowed: "0 to 255"}
	case p.FlowLabel > maxFlowLabel:
		return &icmp.FieldError{Field: "FlowLabel", Value: p.FlowLabel, Allowed: "up to 20 bits"}
	case p.FlowLabel != 0 && cfg.Version == icmp.V4:
		return &icmp.FieldError{Field: "FlowLabel", Value: p.FlowLabel, Allowed: "0: IPv4 has none"}
	}
	return p.validateProtocol(cfg.Protocol)
}

func (p *Probe) validateProtocol(protocol icmp.Protocol) error {
	switch {
	case protocol != icmp.UDP && len(p.Payload) > 0:
		return &icmp.FieldError{Field: "Payload", Value: len(p.Payload), Allowed: "none with " + protocol.String()}
	case protocol != icmp.UDP && p.Checksum != 0:
		return &icmp.FieldError{Field: "Checksum", Value: p.Checksum, Allowed: "0 with " + protocol.String()}
	case protocol == icmp.SCTP && p.Identity == 0:
		return &icmp.FieldError{Field: "Identity", Value: p.Identity, Allowed: "an initiate tag, which is not 0 (RFC 9260 section 3.3.2)"}
	case len(p.Payload) > maxUDPPayload:
		return &icmp.FieldError{Field: "Payload", Value: len(p.Payload), Allowed: "up to 65507 bytes"}
	case p.Checksum != 0 && (p.Balance < 0 || p.Balance%2 != 0 || p.Balance+2 > len(p.Payload)):
		return &icmp.FieldError{Field: "Balance", Value: p.Balance, Allowed: "the even offset of two bytes of the payload"}
	}
	return nil
}
