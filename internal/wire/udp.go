package wire

import (
	"encoding/binary"
	"net/netip"
)

// UDPHeaderLen is the size of the UDP header.
const UDPHeaderLen = 8

var errUDPShort = Malformed("UDP header is truncated")

// UDP is a UDP header (RFC 768).
type UDP struct {
	SourcePort      uint16
	DestinationPort uint16
	Length          int    // of header and payload, as stated; set by Parse, not read by Append
	Checksum        uint16 // set by Parse, not read by Append
}

// Parse reads the header at the start of b.
func (h *UDP) Parse(b []byte) error {
	if len(b) < UDPHeaderLen {
		return errUDPShort
	}
	*h = UDP{
		SourcePort:      binary.BigEndian.Uint16(b),
		DestinationPort: binary.BigEndian.Uint16(b[2:]),
		Length:          int(binary.BigEndian.Uint16(b[4:])),
		Checksum:        binary.BigEndian.Uint16(b[6:]),
	}
	return nil
}

// Append appends the header and the payload, with the checksum for a packet between these
// addresses.
func (h *UDP) Append(b []byte, source, destination netip.Addr, payload []byte) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, h.SourcePort)
	b = binary.BigEndian.AppendUint16(b, h.DestinationPort)
	b = binary.BigEndian.AppendUint16(b, uint16(UDPHeaderLen+len(payload)))
	b = append(b, 0, 0)
	b = append(b, payload...)
	sum := TransportChecksum(source, destination, ProtocolUDP, b[start:])
	if sum == 0 {
		sum = 0xffff // 0 says that there is no checksum
	}
	binary.BigEndian.PutUint16(b[start+6:], sum)
	return b
}
