package wire

import "encoding/binary"

const optionPadN = 1 // RFC 8200 section 4.2

// AppendOptionsHeader appends a hop-by-hop or destination options header (RFC 8200
// sections 4.3 and 4.6). The two have the same format; the header before says which one
// follows. It pads the options, in wire format and at most 2046 bytes, so that the header
// is a multiple of 8 bytes long.
func AppendOptionsHeader(b []byte, next uint8, options []byte) []byte {
	length := (2 + len(options) + 7) &^ 7
	b = append(b, next, uint8(length/8-1))
	b = append(b, options...)
	switch padding := length - 2 - len(options); padding {
	case 0:
		return b
	case 1:
		return append(b, 0) // Pad1
	default:
		b = append(b, optionPadN, uint8(padding-2))
		return append(b, make([]byte, padding-2)...)
	}
}

// AppendRoutingHeader appends a routing header (RFC 8200 section 4.4). It pads the data,
// at most 2044 bytes, with zeros so that the header is a multiple of 8 bytes long.
func AppendRoutingHeader(b []byte, next, routingType, segmentsLeft uint8, data []byte) []byte {
	length := (4 + len(data) + 7) &^ 7
	b = append(b, next, uint8(length/8-1), routingType, segmentsLeft)
	b = append(b, data...)
	return append(b, make([]byte, length-4-len(data))...)
}

// AppendFragmentHeader appends a fragment header (RFC 8200 section 4.5). The offset, in
// bytes, must be a multiple of 8.
func AppendFragmentHeader(b []byte, next uint8, offset int, more bool, id uint32) []byte {
	word := uint16(offset/8) << 3
	if more {
		word |= 1
	}
	b = append(b, next, 0)
	b = binary.BigEndian.AppendUint16(b, word)
	return binary.BigEndian.AppendUint32(b, id)
}

// AppendAuthenticationHeader appends an authentication header (RFC 4302 section 2). It
// pads the integrity check value, at most 1012 bytes, with zeros so that the header is a
// multiple of 8 bytes long.
func AppendAuthenticationHeader(b []byte, next uint8, spi, sequence uint32, icv []byte) []byte {
	length := (12 + len(icv) + 7) &^ 7
	b = append(b, next, uint8(length/4-2), 0, 0)
	b = binary.BigEndian.AppendUint32(b, spi)
	b = binary.BigEndian.AppendUint32(b, sequence)
	b = append(b, icv...)
	return append(b, make([]byte, length-12-len(icv))...)
}
