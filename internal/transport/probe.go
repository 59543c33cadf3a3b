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
	Destination     netip.Addr // with its zone if it is link-local
	DestinationPort uint16

	// SourcePort is one of [Conn.Ports]. The default, 0, is the first of them.
	// For TCP without privileges, it is any port that is free towards this
	// destination; for 0, the kernel chooses one and SendBatch sets it here.
	SourcePort uint16

	TTL          int    // 1 to 255; 0: 64
	TrafficClass int    // 0 to 255
	FlowLabel    uint32 // of IPv6, 20 bits; 0: the kernel chooses one for each flow

	// Payload is the payload of UDP. TCP and SCTP probes have none: hosts answer a SYN
	// with data differently, and an INIT must be alone in its packet.
	Payload []byte

	// Identity comes back in answers: the sequence number of a TCP SYN, or the
	// initiate tag of an SCTP INIT (not 0). A TCP probe without privileges has
	// the kernel's sequence number instead; see [Arrival]. Unused for UDP.
	Identity uint32

	// Checksum is the checksum that a UDP datagram must have. To that end, SendBatch
	// chooses two bytes of the sent payload, at the even offset Balance, without
	// changing Payload. The default, 0, leaves the payload as it is. Checksum keeps
	// a flow constant although the payload differs, and on a raw socket the quoted
	// checksum identifies the probe that an error is about.
	Checksum uint16
	Balance  int

	// Timeout is how long a TCP probe without privileges waits for its answer. Its
	// connection then ends, so that no further SYN leaves. The default is
	// DefaultTimeout. After 1 s, the kernel sends the SYN again: see [Arrival].
	Timeout time.Duration

	// Time is the moment just before the kernel got the packet. SendBatch sets it.
	Time time.Time
}

// DefaultTimeout is the default timeout of a TCP probe without privileges.
const DefaultTimeout = 3 * time.Second

// maxUDPPayload is the largest payload that fits into an IPv4 packet without options.
const maxUDPPayload = 65535 - 20 - 8

const maxFlowLabel = 1<<20 - 1

// validate refuses a probe that sockets of this kind cannot send.
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
// 9260 section 3.3.2: neither number is 0). No data ever follows.
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

// appendPacket appends the transport packet of a valid probe from source. It is complete,
// including the checksum, so that no network card changes it: routers then quote exactly
// these bytes.
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

// balance makes checksum the correct one for a datagram, by its choice of the two bytes
// at offset in the payload. In ones' complement arithmetic, the sum of the packet is the
// complement of its checksum, and subtracting is adding the complement (RFC 1071, RFC
// 1624).
func balance(datagram []byte, checksum uint16, offset int) {
	field, word := datagram[6:], datagram[wire.UDPHeaderLen+offset:]
	more := wire.Combine(^checksum, binary.BigEndian.Uint16(field)) // the wanted sum less the current one
	binary.BigEndian.PutUint16(word, wire.Combine(binary.BigEndian.Uint16(word), more))
	binary.BigEndian.PutUint16(field, checksum)
}
