package wire

import (
	"encoding/binary"
	"hash/crc32"
	"sync"
)

// SCTPHeaderLen is the size of the SCTP common header.
const SCTPHeaderLen = 12

var errSCTPShort = Malformed("SCTP header is truncated")

// castagnoli returns the table of SCTP's checksum (RFC 9260 appendix A). Making it takes a
// fifth of a millisecond, so it is made only when SCTP is used.
var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

// noChecksum replaces the checksum field in the computation. It is never written to. It
// is global because a local array would move to the heap at each call.
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

// ParseQuoted reads the part of a header that an ICMP error quotes, at least the ports
// and the verification tag in the first 8 bytes. The checksum is zero if it is not quoted.
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
		// The CRC is reflected, so its bytes are in the opposite of the network's order.
		h.Checksum = binary.LittleEndian.Uint32(b[8:])
	}
	return nil
}

// Append appends a packet: the header and the chunks, which [AppendInit], [AppendInitAck]
// and [AppendAbort] build.
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

// SCTPChecksum returns the CRC32c of a whole packet, computed as if its checksum field were
// zero. In a valid packet, [SCTP.Checksum] has this value.
func SCTPChecksum(packet []byte) uint32 {
	if len(packet) < SCTPHeaderLen {
		return crc32.Checksum(packet, castagnoli())
	}
	sum := crc32.Checksum(packet[:8], castagnoli())
	sum = crc32.Update(sum, castagnoli(), noChecksum[:])
	return crc32.Update(sum, castagnoli(), packet[SCTPHeaderLen:])
}

// Types of SCTP chunks (RFC 9260 section 3.2) that occur in probing.
const (
	ChunkInit    uint8 = 1
	ChunkInitAck uint8 = 2
	ChunkAbort   uint8 = 6
)

const (
	chunkHeaderLen = 4
	initLen        = 16

	// abortReflected (the T bit) is set if an ABORT carries the verification tag of
	// the packet that it answers (RFC 9260 section 3.3.7).
	abortReflected = 1
)

var (
	errChunkShort  = Malformed("SCTP chunk is truncated")
	errChunkLength = Malformed("SCTP chunk length is below 4")
	errInitShort   = Malformed("SCTP INIT chunk is truncated")
)

// Chunk is a chunk of an SCTP packet.
type Chunk struct {
	Type  uint8
	Flags uint8
	Value []byte
}

// Parse reads the chunk at the start of b and returns the bytes after it and its padding.
func (c *Chunk) Parse(b []byte) (rest []byte, err error) {
	if len(b) < chunkHeaderLen {
		return nil, errChunkShort
	}
	length := int(binary.BigEndian.Uint16(b[2:]))
	if length < chunkHeaderLen {
		return nil, errChunkLength
	}
	if length > len(b) {
		return nil, errChunkShort
	}
	*c = Chunk{Type: b[0], Flags: b[1], Value: b[chunkHeaderLen:length]}
	return b[min((length+3)&^3, len(b)):], nil
}

// Init is the value of an INIT or INIT ACK chunk (RFC 9260 sections 3.3.2 and
// 3.3.3).
type Init struct {
	InitiateTag     uint32
	ReceiverWindow  uint32 // advertised receiver window credit
	OutboundStreams uint16
	InboundStreams  uint16
	InitialTSN      uint32
	Parameters      []byte // optional and variable parameters, in wire format
}

// Parse reads the value of a chunk.
func (c *Init) Parse(value []byte) error {
	if len(value) < initLen {
		return errInitShort
	}
	*c = Init{
		InitiateTag:     binary.BigEndian.Uint32(value),
		ReceiverWindow:  binary.BigEndian.Uint32(value[4:]),
		OutboundStreams: binary.BigEndian.Uint16(value[8:]),
		InboundStreams:  binary.BigEndian.Uint16(value[10:]),
		InitialTSN:      binary.BigEndian.Uint32(value[12:]),
		Parameters:      value[initLen:],
	}
	return nil
}

// AppendInit appends an INIT chunk. Its packet must have verification tag 0 and no other
// chunk (RFC 9260 section 8.5.1).
func AppendInit(b []byte, c *Init) []byte { return appendInit(b, ChunkInit, c) }

// AppendInitAck appends an INIT ACK chunk. The verification tag of its packet must be the
// InitiateTag of the INIT that it answers, and its parameters must include a State Cookie
// (RFC 9260 section 3.3.3.1).
func AppendInitAck(b []byte, c *Init) []byte { return appendInit(b, ChunkInitAck, c) }

func appendInit(b []byte, chunkType uint8, c *Init) []byte {
	b = append(b, chunkType, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(chunkHeaderLen+initLen+len(c.Parameters)))
	b = binary.BigEndian.AppendUint32(b, c.InitiateTag)
	b = binary.BigEndian.AppendUint32(b, c.ReceiverWindow)
	b = binary.BigEndian.AppendUint16(b, c.OutboundStreams)
	b = binary.BigEndian.AppendUint16(b, c.InboundStreams)
	b = binary.BigEndian.AppendUint32(b, c.InitialTSN)
	b = append(b, c.Parameters...)
	return appendPadding(b, len(c.Parameters))
}

// AppendAbort appends an ABORT chunk without causes. With reflected, the verification tag
// of its packet must be that of the packet that it answers, as without an association.
func AppendAbort(b []byte, reflected bool) []byte {
	flags := uint8(0)
	if reflected {
		flags = abortReflected
	}
	return append(b, ChunkAbort, flags, 0, chunkHeaderLen)
}

// appendPadding pads a chunk with a variable part of n bytes to a multiple of 4 bytes. The
// chunk's length does not include the padding.
func appendPadding(b []byte, n int) []byte {
	for ; n%4 != 0; n++ {
		b = append(b, 0)
	}
	return b
}
