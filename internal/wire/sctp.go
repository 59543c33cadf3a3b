package wire

import (
	"encoding/binary"
	"hash/crc32"
	"sync"
)

// SCTPHeaderLen is the size of the SCTP common header.
const SCTPHeaderLen = 12

var errSCTPShort = Malformed("SCTP header is truncated")

// castagnoli returns the table of SCTP's checksum (RFC 9260 appendix A). Making it
// takes a fifth of a millisecond, which programs without SCTP need not spend.
var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

// noChecksum is what the checksum field counts as. It is never written to, and
// stands here for a local array would be moved to the heap at each call.
var noChecksum [4]byte

// SCTP is an SCTP common header (RFC 9260 section 3.1).
type SCTP struct {
	SourcePort      uint16
	DestinationPort uint16
	VerificationTag uint32
	Checksum        uint32 // CRC32c; set when parsed, not read by Append
}

// Parse reads the header at the start of b.
func (h *SCTP) Parse(b []byte) error {
	if len(b) < SCTPHeaderLen {
		return errSCTPShort
	}
	return h.ParseQuoted(b)
}

// ParseQuoted reads as much of a header as an ICMP error quotes, at least the
// ports and the verification tag in the first 8 bytes. The checksum is zero
// where it is not quoted.
func (h *SCTP) ParseQuoted(b []byte) error {
	if len(b) < QuotedLen {
		return errSCTPShort
	}
	*h = SCTP{
		SourcePort:      binary.BigEndian.Uint16(b),
		DestinationPort: binary.BigEndian.Uint16(b[2:]),
		VerificationTag: binary.BigEndian.Uint32(b[4:]),
	}
	if len(b) >= SCTPHeaderLen {
		// Reflected, as the CRC is, it is in the order opposite to the network's.
		h.Checksum = binary.LittleEndian.Uint32(b[8:])
	}
	return nil
}

// Append appends a packet: the header and chunks, which [AppendInit],
// [AppendInitAck] and [AppendAbort] make.
func (h *SCTP) Append(b []byte, chunks []byte) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, h.SourcePort)
	b = binary.BigEndian.AppendUint16(b, h.DestinationPort)
	b = binary.BigEndian.AppendUint32(b, h.VerificationTag)
	b = append(b, 0, 0, 0, 0)
	b = append(b, chunks...)
	binary.LittleEndian.PutUint32(b[start+8:], crc32.Checksum(b[start:], castagnoli()))
	return b
}

// SCTPChecksum returns the CRC32c of a whole packet, computed as if its
// checksum field were zero: a valid packet's [SCTP.Checksum].
func SCTPChecksum(packet []byte) uint32 {
	if len(packet) < SCTPHeaderLen {
		return crc32.Checksum(packet, castagnoli())
	}
	sum := crc32.Checksum(packet[:8], castagnoli())
	sum = crc32.Update(sum, castagnoli(), noChecksum[:])
	return crc32.Update(sum, castagnoli(), packet[SCTPHeaderLen:])
}
