package icmp

import (
	"encoding/binary"
	"net/netip"

	"github.com/goicmp/icmplib/internal/wire"
)

const (
	headerLen = 8 // of every message that is read here

	// minLen is what all messages have: type, code and checksum (RFC 792).
	minLen = 4
)

var (
	errShort   = wire.Malformed("ICMP message is truncated")
	errVersion = wire.Malformed("ICMP of an unknown IP version")
)

// Message is one parsed ICMP message. Its slices alias the parsed bytes.
type Message struct {
	Type     Type   // with the IP version
	Code     uint8  // what it says depends on Type
	Checksum uint16 // as received; it is not verified here

	// Of echo requests and replies.
	ID, Sequence uint16

	// Payload is the data of an echo message. For a message that is neither
	// an echo nor an error it is all that follows the checksum.
	Payload []byte

	// Of errors.
	MTU        int        // next hop's, of Packet Too Big and Fragmentation Needed; 0: the router did not say (RFC 1191 section 5)
	Pointer    int        // offset in the quoted packet that a Parameter Problem is about
	Gateway    netip.Addr // the better next hop, of an IPv4 Redirect
	Quote      Quote      // the packet that the error is about
	Extensions Extensions // RFC 4884; zero when there are none
}

// Kind returns the meaning of the message, neutral of the IP version.
func (m *Message) Kind() Kind { return KindOf(m.Type, m.Code) }

// Parse reads the message that b holds, from the ICMP header to the end of the
// packet. It overwrites all of m, also when it fails. The checksum is not
// verified: the kernel has done so, or use [Checksum].
//
// Errors wrap [ErrMalformed].
func (m *Message) Parse(v Version, b []byte) error {
	*m = Message{}
	if v != V4 && v != V6 {
		return errVersion
	}
	if len(b) < minLen {
		return errShort
	}
	m.Type, m.Code, m.Checksum = MakeType(v, b[0]), b[1], binary.BigEndian.Uint16(b[2:])
	isError := m.Type.IsError()
	isEcho := m.Type.IsEchoReply() || m.Type.IsEchoRequest()
	if !isError && !isEcho {
		m.Payload = b[minLen:]
		return nil
	}
	if len(b) < headerLen {
		return errShort
	}
	if isError {
		return m.parseError(b)
	}
	m.ID, m.Sequence = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	m.Payload = b[headerLen:]
	return nil
}

// parseError reads an error message: the field that its kind has, the quoted
// packet and the extensions.
func (m *Message) parseError(b []byte) error {
	switch word := binary.BigEndian.Uint32(b[4:]); m.Type {
	case V4DestinationUnreachable:
		if m.Code == V4CodeFragmentationNeeded {
			m.MTU = int(word & 0xffff) // RFC 1191 section 4
		}
	case V4ParameterProblem:
		m.Pointer = int(b[4])
	case V4Redirect:
		m.Gateway = netip.AddrFrom4([4]byte(b[4:8]))
	case V6PacketTooBig:
		m.MTU = int(word)
	case V6ParameterProblem:
		m.Pointer = int(word)
	}
	quoted, extensions, compliant := splitExtensions(m.Type, b)
	if extensions != nil && m.Extensions.Parse(extensions) == nil {
		m.Extensions.Compliant = compliant
	} else {
		m.Extensions = Extensions{}
		if !compliant {
			// What was taken for extensions of the old form is quoted packet.
			quoted = b[headerLen:]
		}
	}
	return m.Quote.Parse(m.Type.Version(), quoted)
}

// Checksum returns the internet checksum (RFC 1071) of b: what belongs into the
// checksum field of an ICMP message for IPv4 in which that field is zero, and 0
// when b is a message with a valid checksum. That of ICMPv6 covers addresses
// too (RFC 4443 section 2.3), and the kernel computes it.
func Checksum(b []byte) uint16 { return wire.Checksum(b) }
