package wire

import "encoding/binary"

// maxExtensionHeaders is the largest number of extension headers that Find reads. RFC
// 8200 section 4.1 lists at most seven for a packet; the rest is tolerance.
const maxExtensionHeaders = 16

var (
	errExtensionShort = Malformed("IPv6 extension header is truncated")
	errExtensionChain = Malformed("IPv6 packet has too many extension headers")
)

// UpperLayer is the upper-layer packet after the extension headers of an IPv6 packet.
type UpperLayer struct {
	Protocol uint8 // its protocol
	Offset   int   // its offset from the end of the IPv6 header

	// The fields of the fragment header, if Fragment is set. With a FragmentOffset
	// above zero, a later part of the upper-layer packet follows, not its header.
	Fragment       bool
	MoreFragments  bool
	FragmentOffset int
	FragmentID     uint32
}

// Find reads the extension headers (RFC 8200 section 4, RFC 4302 for AH) of a packet: next
// is the Next Header field of the IPv6 header, and b the bytes after that header. An
// encrypted header (ESP) or one of an unknown kind ends the search, as an upper-layer
// protocol does.
//
// On an error, Protocol is the header that could not be read, and Offset its offset.
func (u *UpperLayer) Find(next uint8, b []byte) error {
	*u = UpperLayer{Protocol: next}
	for range maxExtensionHeaders {
		if !isExtensionHeader(u.Protocol) || u.FragmentOffset > 0 {
			return nil
		}
		rest := b[u.Offset:]
		length := extensionLen(u.Protocol, rest)
		if length == 0 || length > len(rest) {
			return errExtensionShort
		}
		if u.Protocol == ProtocolFragment {
			u.readFragment(rest)
		}
		u.Protocol = rest[0]
		u.Offset += length
	}
	if isExtensionHeader(u.Protocol) && u.FragmentOffset == 0 {
		return errExtensionChain
	}
	return nil
}

func isExtensionHeader(next uint8) bool {
	switch next {
	case ProtocolHopByHop, ProtocolRouting, ProtocolFragment,
		ProtocolDestinationOptions, ProtocolAuthentication:
		return true
	}
	return false
}

// extensionLen returns the length in bytes that the extension header at the start of b
// states, or 0 if b is too short for the length. Each kind counts it in other units.
func extensionLen(header uint8, b []byte) int {
	switch {
	case len(b) < 2:
		return 0
	case header == ProtocolFragment:
		return 8
	case header == ProtocolAuthentication:
		return (int(b[1]) + 2) * 4
	}
	return (int(b[1]) + 1) * 8
}

// readFragment reads a fragment header (RFC 8200 section 4.5) of 8 bytes.
func (u *UpperLayer) readFragment(b []byte) {
	word := binary.BigEndian.Uint16(b[2:])
	u.Fragment = true
	u.FragmentOffset = int(word >> 3 * 8)
	u.MoreFragments = word&1 != 0
	u.FragmentID = binary.BigEndian.Uint32(b[4:])
}
