package icmp

import (
	"encoding/binary"
	"net/netip"

	"github.com/goicmp/icmplib/internal/wire"
)

var (
	errQuoteShort    = wire.Malformed("quoted upper-layer header is shorter than 8 bytes")
	errQuoteProtocol = wire.Malformed("ICMP of the other IP version is quoted")
)

// Quote is the packet that an ICMP error quotes: the IP header and as much of the rest as
// the router chose to send, at least 8 bytes (RFC 792, RFC 1812 section 4.3.2.3). Fields
// that are not quoted stay zero.
//
// The header is as the router received it, so TTL, TrafficClass and, behind a NAT, the
// addresses and ports may differ from what was sent.
type Quote struct {
	Version             Version    // of IP
	Source, Destination netip.Addr // as the header has them, without a zone
	Protocol            Protocol   // the upper-layer protocol, after IPv6 extension headers
	TTL                 uint8      // or hop limit
	TrafficClass        uint8      // or TOS
	FlowLabel           uint32     // IPv6
	IPID                uint16     // IPv4 identification
	DontFragment        bool       // IPv4
	FragmentOffset      int        // bytes; above zero, no upper-layer header is read
	Length              int        // of the whole packet with its IP header in bytes, as the header states it

	// Presumed is set if the system does not provide the quote but names the request that
	// the error is about, as in datagram mode on Windows. Transport, and the fields read
	// from it, then show that request as it was sent, without a checksum; of the IP
	// header, only Version, Destination and Protocol are known.
	Presumed bool

	// Transport is the quote from the upper-layer header on, without the padding that
	// RFC 4884 puts after a short packet. Payload is the part after that header.
	Transport []byte
	Payload   []byte

	SourcePort, DestinationPort uint16 // UDP, TCP, SCTP

	// Checksum is that of ICMP or UDP, or of TCP if the quote reaches that far.
	Checksum uint16

	// Type and Code are those of ICMP, ID and Sequence those of echo messages.
	Type         Type
	Code         uint8
	ID, Sequence uint16

	TCPSequence     uint32 // TCP's sequence number
	VerificationTag uint32 // SCTP
}

// Parse reads the quoted packet in b, and overwrites all of q. Errors wrap
// [ErrMalformed]. Fewer than 8 bytes of a known upper-layer protocol are malformed, and so
// is ICMP of the other IP version.
func (q *Quote) Parse(v Version, b []byte) error {
	*q = Quote{}
	if v == V4 {
		return q.parseIPv4(b)
	}
	return q.parseIPv6(b)
}

func (q *Quote) parseIPv4(b []byte) error {
	var ip wire.IPv4
	if err := ip.Parse(b); err != nil {
		return err
	}
	q.Version, q.Source, q.Destination = V4, ip.Source, ip.Destination
	q.TTL, q.TrafficClass, q.Length = ip.TTL, ip.TrafficClass, ip.TotalLen
	q.IPID, q.DontFragment, q.FragmentOffset = ip.ID, ip.DontFragment, ip.FragmentOffset
	b = cutPadding(b, ip.HeaderLen, ip.TotalLen)
	if Protocol(ip.Protocol) == ICMPv6 {
		return errQuoteProtocol
	}
	return q.ParseTransport(Protocol(ip.Protocol), b[ip.HeaderLen:])
}

func (q *Quote) parseIPv6(b []byte) error {
	var ip wire.IPv6
	if err := ip.Parse(b); err != nil {
		return err
	}
	q.Version, q.Source, q.Destination = V6, ip.Source, ip.Destination
	q.TTL, q.TrafficClass, q.FlowLabel = ip.HopLimit, ip.TrafficClass, ip.FlowLabel
	q.Length = wire.IPv6HeaderLen + ip.PayloadLen
	b = cutPadding(b, wire.IPv6HeaderLen, q.Length)[wire.IPv6HeaderLen:]
	var upper wire.UpperLayer
	if err := upper.Find(ip.NextHeader, b); err != nil {
		return err
	}
	q.FragmentOffset = upper.FragmentOffset
	if Protocol(upper.Protocol) == ICMP {
		return errQuoteProtocol
	}
	return q.ParseTransport(Protocol(upper.Protocol), b[upper.Offset:])
}

// cutPadding removes the bytes after the end of the packet that the header states,
// because a router pads a short quote to 128 bytes before the extensions (RFC 4884
// section 4). It ignores a length that leaves no room for an upper-layer header: some
// systems alter the length in the quote.
func cutPadding(b []byte, headerLen, length int) []byte {
	if length >= headerLen+wire.QuotedLen && length < len(b) {
		return b[:length]
	}
	return b
}

// ParseTransport reads a quoted upper-layer packet, and leaves the fields of the IP header
// as they are. Use it where the system hands out the quoted packet without that header, as
// Linux does in its error queue. Errors wrap [ErrMalformed].
func (q *Quote) ParseTransport(p Protocol, b []byte) error {
	q.Protocol, q.Transport, q.Payload = p, b, nil
	if q.FragmentOffset > 0 {
		return nil // a later part, without upper-layer header
	}
	switch p {
	case ICMP, ICMPv6, UDP, TCP, SCTP:
		if len(b) < wire.QuotedLen {
			return errQuoteShort
		}
	}
	switch p {
	case ICMP:
		q.readICMP(V4, b)
	case ICMPv6:
		q.readICMP(V6, b)
	case UDP:
		q.readPorts(b)
		q.Checksum = binary.BigEndian.Uint16(b[6:])
		q.Payload = b[wire.UDPHeaderLen:]
	case TCP:
		q.readPorts(b)
		var h wire.TCP
		_ = h.ParseQuoted(b) // fails below 8 bytes only
		q.TCPSequence, q.Checksum = h.Sequence, h.Checksum
		q.Payload = after(b, h.HeaderLen)
	case SCTP:
		q.readPorts(b)
		q.VerificationTag = binary.BigEndian.Uint32(b[4:])
		q.Payload = after(b, wire.SCTPHeaderLen)
	}
	return nil
}

func (q *Quote) readICMP(v Version, b []byte) {
	q.Type, q.Code, q.Checksum = MakeType(v, b[0]), b[1], binary.BigEndian.Uint16(b[2:])
	if q.Type.IsEchoRequest() || q.Type.IsEchoReply() {
		q.ID, q.Sequence = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	}
	q.Payload = b[headerLen:]
}

func (q *Quote) readPorts(b []byte) {
	q.SourcePort, q.DestinationPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
}

// after returns the bytes after the first n, or nil if b is shorter than n.
func after(b []byte, n int) []byte {
	if n > len(b) {
		return nil
	}
	return b[n:]
}
