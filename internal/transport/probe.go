package transport

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/wire"
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

	// Timeout is for how long a TCP probe without privileges waits for its answer; its
	// connection then ends, so that no further SYN leaves. The default is
	// DefaultTimeout. From 1 s on the kernel sends its SYN again, see [Arrival].
	Timeout time.Duration

	// Time is set by SendBatch: the moment before the kernel was given the packet.
	Time time.Time
}

// DefaultTimeout is that of a TCP probe without privileges.
const DefaultTimeout = 3 * time.Second

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
	case p.Timeout < 0:
		return &icmp.FieldError{Field: "Timeout", Value: p.Timeout, Allowed: "0 for the default, or a duration"}
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

// The window that a SYN and an INIT advertise, and the streams of an INIT (RFC
// 9260 section 3.3.2: neither number is 0). No data ever comes of them.
const (
	window  = 0xffff
	streams = 1
)

// mss4 and mss6 are the options of a SYN: the maximum segment size (RFC 9293
// section 3.7.1) of Ethernet. Some firewalls drop a SYN that has none.
var (
	mss4 = []byte{2, 4, 1460 >> 8, 1460 & 0xff}
	mss6 = []byte{2, 4, 1440 >> 8, 1440 & 0xff}
)

// appendPacket appends the transport packet of a valid probe, which goes from
// source. All of it is made here, checksum included, so that no network card
// has to complete it: routers then quote what was built here.
func appendPacket(b []byte, protocol icmp.Protocol, p *Probe, source netip.Addr) []byte {
	destination := p.Destination.Unmap()
	switch protocol {
	case icmp.UDP:
		h := wire.UDP{SourcePort: p.SourcePort, DestinationPort: p.DestinationPort}
		start := len(b)
		b = h.Append(b, source, destination, p.Payload)
		if p.Checksum != 0 {
			balance(b[start:], p.Checksum, p.Balance)
		}
		return b
	case icmp.TCP:
		h := wire.TCP{SourcePort: p.SourcePort, DestinationPort: p.DestinationPort,
			Sequence: p.Identity, Flags: wire.TCPFlagSYN, Window: window, Options: mss4}
		if destination.Is6() {
			h.Options = mss6
		}
		return h.Append(b, source, destination, nil)
	}
	h := wire.SCTP{SourcePort: p.SourcePort, DestinationPort: p.DestinationPort} // tag 0: an INIT
	var chunk [32]byte
	return h.Append(b, wire.AppendInit(chunk[:0], &wire.Init{InitiateTag: p.Identity, ReceiverWindow: window,
		OutboundStreams: streams, InboundStreams: streams, InitialTSN: p.Identity}))
}

// balance makes checksum the right one for a datagram by a choice of the two
// bytes at offset of its payload. In ones' complement arithmetic the sum of the
// packet is the complement of its checksum, and to subtract is to add the
// complement (RFC 1071, RFC 1624).
func balance(datagram []byte, checksum uint16, offset int) {
	field, word := datagram[6:], datagram[wire.UDPHeaderLen+offset:]
	more := wire.Combine(^checksum, binary.BigEndian.Uint16(field)) // the sum wanted less that there is
	binary.BigEndian.PutUint16(word, wire.Combine(binary.BigEndian.Uint16(word), more))
	binary.BigEndian.PutUint16(field, checksum)
}
