package transport

import (
	"encoding/binary"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/netio"
	"github.com/goicmp/icmplib/internal/sys"
	"github.com/goicmp/icmplib/internal/wire"
)

// Arrival is a packet about a probe: an ICMP error or a direct answer.
type Arrival struct {
	// Reply is the ICMP error and, for both kinds, how the packet came: source, TTL,
	// time and so on. Without privileges, the quote of an error has only the
	// destination of the IP header; see the package documentation for the rest.
	icmp.Reply

	// Protocol is the protocol of the probe.
	Protocol icmp.Protocol

	// Segment is the direct answer; its Kind is None for an ICMP error.
	Segment Segment

	// Identity is that of the probe. It is known if Identified is set: if enough of
	// the probe is quoted or answered. It is never set for UDP, whose probes differ
	// in ports, checksum and payload. For TCP without privileges it is the Probe's
	// Identity, although the segment carried another number: the kernel has matched.
	Identity   uint32
	Identified bool

	// Retransmitted is set if the kernel had by itself sent the probe more than once
	// when the packet came: it is not known which one was answered, and so neither
	// is the round-trip time. Only for TCP without privileges.
	Retransmitted bool

	// Noticed is set if Time is when the packet was noticed, because the kernel does
	// not report when it came: for a refused connection. Only for TCP without
	// privileges.
	Noticed bool
}

// Segment is a direct answer, which is not ICMP. Its source is that of the [Arrival].
type Segment struct {
	Kind                        Kind
	SourcePort, DestinationPort uint16
	Sequence, Acknowledgment    uint32 // TCP; only with privileges
	VerificationTag             uint32 // SCTP
	Payload                     []byte // UDP; valid until the next receive
}

// Kind is the kind of a direct answer.
type Kind uint8

// Kinds of direct answers.
const (
	None     Kind = iota // none: an ICMP error
	Datagram             // UDP: any datagram to a port of ours
	SYNACK               // TCP: the port is open
	RST                  // TCP: the port is closed
	InitAck              // SCTP: the port is open
	Abort                // SCTP: the port is closed
)

// String returns the name of the segment, such as "SYN-ACK".
func (k Kind) String() string {
	names := [...]string{"none", "datagram", "SYN-ACK", "RST", "INIT ACK", "ABORT"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// parseSegment reads a direct answer from the transport header on.
func parseSegment(a *Arrival, data []byte) verdict {
	switch a.Protocol {
	case icmp.UDP:
		return parseDatagram(a, data)
	case icmp.TCP:
		return parseTCP(a, data)
	}
	return parseSCTP(a, data)
}

func parseDatagram(a *Arrival, data []byte) verdict {
	var h wire.UDP
	if h.Parse(data) != nil || h.Length < wire.UDPHeaderLen || h.Length > len(data) {
		return malformed
	}
	data = data[:h.Length]
	if h.Checksum != 0 && !intact(a, data, h.Checksum) {
		return malformed
	}
	a.Segment = Segment{Kind: Datagram, SourcePort: h.SourcePort, DestinationPort: h.DestinationPort,
		Payload: data[wire.UDPHeaderLen:]}
	return keep
}

func parseTCP(a *Arrival, data []byte) verdict {
	var h wire.TCP
	if h.Parse(data) != nil || !intact(a, data, h.Checksum) {
		return malformed
	}
	a.Segment = Segment{SourcePort: h.SourcePort, DestinationPort: h.DestinationPort,
		Sequence: h.Sequence, Acknowledgment: h.Acknowledgment}
	switch {
	case h.Flags&wire.TCPFlagACK == 0:
		// Only a segment that acknowledges our SYN answers it. Any host that knows
		// the ports could have sent another one (RFC 9293 section 3.10.7.3).
		return ignore
	case h.Flags&wire.TCPFlagRST != 0:
		a.Segment.Kind = RST
	case h.Flags&wire.TCPFlagSYN != 0:
		a.Segment.Kind = SYNACK
	default:
		return ignore
	}
	// A SYN takes up one sequence number (sections 3.4 and 3.10.7.1).
	a.Identity, a.Identified = h.Acknowledgment-1, true
	return keep
}

// intact verifies the checksum of a packet that a raw socket delivered. The kernel does
// so only for the socket that owns the port. Nothing completes the checksum of a packet
// from this host, or from another namespace of it over a virtual link: it is then the sum
// of the pseudo-header alone.
func intact(a *Arrival, packet []byte, checksum uint16) bool {
	protocol := uint8(a.Protocol)
	if !a.Destination.IsValid() || wire.TransportChecksum(a.Source, a.Destination, protocol, packet) == 0 {
		return true
	}
	return checksum == wire.PseudoHeaderSum(a.Source, a.Destination, protocol, len(packet))
}

const (
	initTagEnd     = wire.SCTPHeaderLen + 8 // of an INIT: the chunk's header, and the tag
	abortReflected = 1                      // the T bit of an ABORT
)

func parseSCTP(a *Arrival, data []byte) verdict {
	var h wire.SCTP
	if h.Parse(data) != nil || h.Checksum != wire.SCTPChecksum(data) {
		return malformed
	}
	var c wire.Chunk
	if _, err := c.Parse(data[wire.SCTPHeaderLen:]); err != nil {
		return malformed
	}
	a.Segment = Segment{SourcePort: h.SourcePort, DestinationPort: h.DestinationPort, VerificationTag: h.VerificationTag}
	switch c.Type {
	case wire.ChunkInitAck:
		a.Segment.Kind = InitAck
	case wire.ChunkAbort:
		a.Segment.Kind = Abort
	default:
		return ignore
	}
	// Both answer an INIT with its initiate tag (RFC 9260 sections 5.1 and 8.4). A
	// reflected tag would be that of the INIT's own packet, 0.
	if h.VerificationTag != 0 && (c.Type == wire.ChunkInitAck || c.Flags&abortReflected == 0) {
		a.Identity, a.Identified = h.VerificationTag, true
	}
	return keep
}

// identifyQuote reads the identity of the probe that an error quotes.
func identifyQuote(a *Arrival) {
	q := &a.Quote
	switch a.Protocol {
	case icmp.TCP:
		a.Identity, a.Identified = q.TCPSequence, true // among the 8 bytes that all quote
	case icmp.SCTP:
		if len(q.Transport) >= initTagEnd && q.Transport[wire.SCTPHeaderLen] == wire.ChunkInit {
			a.Identity, a.Identified = binary.BigEndian.Uint32(q.Transport[initTagEnd-4:]), true
		}
	}
}

// parseError reads an ICMP message that a raw socket delivered.
func parseError(a *Arrival, v icmp.Version, data []byte, first uint16, n int) verdict {
	a.Size = len(data)
	if v == icmp.V4 && icmp.Checksum(data) != 0 {
		return malformed // the kernel delivers it to raw sockets without a check
	}
	if a.Message.Parse(v, data) != nil {
		return malformed
	}
	q := &a.Quote
	ours := q.SourcePort >= first && int(q.SourcePort)-int(first) < n
	if !a.Type.IsError() || q.Protocol != a.Protocol || q.FragmentOffset > 0 || !ours {
		return foreign
	}
	identifyQuote(a)
	return keep
}

// parseQueued reads an entry of the error queue. It returns the quote without the IP
// header.
func parseQueued(a *Arrival, v icmp.Version, in *sys.Inbound, z *netio.Zones) (quoted []byte, ok bool) {
	cut := 0
	if a.Protocol == icmp.UDP {
		cut = wire.UDPHeaderLen
	}
	quoted, ok = netio.ParseQueued(&a.Reply, v, in, cut, z)
	a.Quote.Protocol, a.Quote.DestinationPort = a.Protocol, in.FromPort
	return quoted, ok
}
