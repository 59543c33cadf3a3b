package wire

import (
	"encoding/binary"
	"net/netip"
)

// IPv6HeaderLen is the size of the IPv6 header without extension headers.
const IPv6HeaderLen = 40

const maxFlowLabel = 1<<20 - 1

var (
	errIPv6Short   = Malformed("IPv6 header is truncated")
	errIPv6Version = Malformed("IPv6 header of another version")
)

// IPv6 is an IPv6 header (RFC 8200 section 3).
type IPv6 struct {
	TrafficClass uint8
	FlowLabel    uint32 // 20 bits
	PayloadLen   int    // as stated; set by Parse, not read by Append
	NextHeader   uint8
	HopLimit     uint8
	Source       netip.Addr
	Destination  netip.Addr
}

// Parse reads the header at the start of b. It does not check that b has PayloadLen bytes
// more. [UpperLayer.Find] reads the extension headers.
func (h *IPv6) Parse(b []byte) error {
	if len(b) < IPv6HeaderLen {
		return errIPv6Short
	}
	word := binary.BigEndian.Uint32(b)
	if word>>28 != 6 {
		return errIPv6Version
	}
	*h = IPv6{
		TrafficClass: uint8(word >> 20),
		FlowLabel:    word & maxFlowLabel,
		PayloadLen:   int(binary.BigEndian.Uint16(b[4:])),
		NextHeader:   b[6],
		HopLimit:     b[7],
		Source:       netip.AddrFrom16([16]byte(b[8:24])),
		Destination:  netip.AddrFrom16([16]byte(b[24:40])),
	}
	return nil
}

// Append appends the header of a packet with payloadLen bytes after it, including extension
// headers. It ignores the zones of addresses.
func (h *IPv6) Append(b []byte, payloadLen int) []byte {
	b = binary.BigEndian.AppendUint32(b, 6<<28|uint32(h.TrafficClass)<<20|h.FlowLabel&maxFlowLabel)
	b = binary.BigEndian.AppendUint16(b, uint16(payloadLen))
	b = append(b, h.NextHeader, h.HopLimit)
	source, destination := h.Source.As16(), h.Destination.As16()
	b = append(b, source[:]...)
	return append(b, destination[:]...)
}
