package wire

import (
	"encoding/binary"
	"net/netip"
)

// Flags of a TCP header (RFC 9293 section 3.1).
const (
	TCPFlagFIN uint8 = 1 << iota
	TCPFlagSYN
	TCPFlagRST
	TCPFlagPSH
	TCPFlagACK
	TCPFlagURG
	TCPFlagECE
	TCPFlagCWR
)

const (
	// TCPMinHeaderLen and TCPMaxHeaderLen are the lengths of the TCP header
	// without options and with the maximum of options.
	TCPMinHeaderLen = 20
	TCPMaxHeaderLen = 60

	// QuotedLen is the number of bytes of the upper-layer header that an ICMP
	// error quotes at least (RFC 792).
	QuotedLen = 8
)

var (
	errTCPShort   = Malformed("TCP header is truncated")
	errTCPOffset  = Malformed("TCP data offset is below 20")
	errTCPOptions = Malformed("TCP options are truncated")
)

// TCP is a TCP header (RFC 9293 section 3.1).
type TCP struct {
	SourcePort      uint16
	DestinationPort uint16
	Sequence        uint32
	Acknowledgment  uint32
	HeaderLen       int // the data offset; set when parsed, not read by Append
	Flags           uint8
	Window          uint16
	Checksum        uint16 // set when parsed, not read by Append
	UrgentPointer   uint16
	Options         []byte // up to 40 bytes
}

// Parse reads the header at the start of b, including options.
func (h *TCP) Parse(b []byte) error {
	if len(b) < TCPMinHeaderLen {
		return errTCPShort
	}
	if err := h.ParseQuoted(b); err != nil {
		return err
	}
	if h.HeaderLen < TCPMinHeaderLen {
		return errTCPOffset
	}
	if h.HeaderLen > len(b) {
		return errTCPOptions
	}
	h.Options = b[TCPMinHeaderLen:h.HeaderLen]
	return nil
}

// ParseQuoted reads the part of a header that an ICMP error quotes, at least the ports and
// the sequence number in the first 8 bytes. Fields that are not quoted stay zero, except
// that HeaderLen is then 20. It omits options.
func (h *TCP) ParseQuoted(b []byte) error {
	if len(b) < QuotedLen {
		return errTCPShort
	}
	*h = TCP{
		SourcePort:      binary.BigEndian.Uint16(b),
		DestinationPort: binary.BigEndian.Uint16(b[2:]),
		Sequence:        binary.BigEndian.Uint32(b[4:]),
		HeaderLen:       TCPMinHeaderLen,
	}
	if len(b) < TCPMinHeaderLen {
		h.parsePart(b)
		return nil
	}
	h.Acknowledgment = binary.BigEndian.Uint32(b[8:])
	h.HeaderLen = int(b[12]>>4) * 4
	h.Flags = b[13]
	h.Window = binary.BigEndian.Uint16(b[14:])
	h.Checksum = binary.BigEndian.Uint16(b[16:])
	h.UrgentPointer = binary.BigEndian.Uint16(b[18:])
	return nil
}

// parsePart reads the fields after the first 8 bytes that are complete.
func (h *TCP) parsePart(b []byte) {
	if len(b) >= 12 {
		h.Acknowledgment = binary.BigEndian.Uint32(b[8:])
	}
	if len(b) >= 14 {
		h.HeaderLen = int(b[12]>>4) * 4
		h.Flags = b[13]
	}
	if len(b) >= 16 {
		h.Window = binary.BigEndian.Uint16(b[14:])
	}
	if len(b) >= 18 {
		h.Checksum = binary.BigEndian.Uint16(b[16:])
	}
}

// Append appends the header and the payload, with the checksum for a packet between these
// addresses. It pads Options with End of Option List to a multiple of 4 bytes, and omits the
// bytes after the first 40, for which the header has no room.
func (h *TCP) Append(b []byte, source, destination netip.Addr, payload []byte) []byte {
	start := len(b)
	options := h.Options[:min(len(h.Options), TCPMaxHeaderLen-TCPMinHeaderLen)]
	headerLen := TCPMinHeaderLen + (len(options)+3)&^3
	b = binary.BigEndian.AppendUint16(b, h.SourcePort)
	b = binary.BigEndian.AppendUint16(b, h.DestinationPort)
	b = binary.BigEndian.AppendUint32(b, h.Sequence)
	b = binary.BigEndian.AppendUint32(b, h.Acknowledgment)
	b = append(b, uint8(headerLen/4)<<4, h.Flags)
	b = binary.BigEndian.AppendUint16(b, h.Window)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, h.UrgentPointer)
	b = append(b, options...)
	for len(b) < start+headerLen {
		b = append(b, 0)
	}
	b = append(b, payload...)
	sum := TransportChecksum(source, destination, ProtocolTCP, b[start:])
	binary.BigEndian.PutUint16(b[start+16:], sum)
	return b
}
