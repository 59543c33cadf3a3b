package icmp

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"

	"github.com/goicmp/icmplib/internal/wire"
)

const (
	headerLen = 8 // of every message that is read here

	// minLen is the length of the fields that all messages have: type, code
	// and checksum (RFC 792).
	minLen = 4
)

var (
	errShort   = wire.Malformed("ICMP message is truncated")
	errVersion = wire.Malformed("ICMP of an unknown IP version")
)

// Message is one ICMP message. [Message.Parse] reads one, and its slices then alias the
// parsed bytes; [Message.Append] encodes one to be sent.
type Message struct {
	Type     Type   // with the IP version
	Code     uint8  // its meaning depends on Type
	Checksum uint16 // as received; Parse does not verify it

	// ID and Sequence are those of echo requests and replies.
	ID, Sequence uint16

	// Payload is the data of an echo message, or the packet that an error quotes, from
	// its IP header on. (The error queue of Linux hands out the quote without that
	// header: then only Quote has it.) In any other message, Payload is everything
	// after the checksum.
	Payload []byte

	// The other fields are those of errors.
	MTU        int        // of the next hop in bytes, in Packet Too Big and Fragmentation Needed; 0: not given (RFC 1191 section 5)
	Pointer    int        // of a Parameter Problem: the offset of the error in the quoted packet
	Gateway    netip.Addr // of an IPv4 Redirect: the better next hop
	Quote      Quote      // the packet that the error is about
	Extensions Extensions // RFC 4884; zero if there are none
}

// Kind returns the meaning of the message, independent of the IP version.
func (m *Message) Kind() Kind { return KindOf(m.Type, m.Code) }

// Parse reads the message in b, from the ICMP header to the end of the packet. It
// overwrites all of m, even if it fails. It does not verify the checksum: the kernel has
// done so, or use [Checksum].
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

// parseError reads an error message: the field of its type, the quoted packet and
// the extensions.
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
	if m.Extensions.Parse(extensions) == nil {
		m.Extensions.Compliant = compliant
	}
	m.Payload = quoted
	return m.Quote.Parse(m.Type.Version(), quoted)
}

// Checksum returns the internet checksum (RFC 1071) of b. For an ICMP message of IPv4
// whose checksum field is zero, it returns the value for that field; for a message with a
// valid checksum, it returns 0. The checksum of ICMPv6 also covers addresses (RFC 4443
// section 2.3), and the kernel computes it.
func Checksum(b []byte) uint16 { return wire.Checksum(b) }

// Append appends the message to b as it goes on the wire, with at least 8 bytes. It is the
// inverse of [Message.Parse]. It encodes
//
//   - of an echo message: ID, Sequence and Payload
//   - of an error: MTU, Pointer or Gateway, then Payload as the quoted packet, then
//     Extensions.Raw, before which it pads the quote (RFC 4884 section 4)
//   - of any other message: Payload as everything after the checksum
//
// Append ignores Quote. It computes the checksum of IPv4. It leaves that of IPv6, which
// covers the source address, zero for the kernel to fill in.
//
// Errors are of type [*FieldError].
func (m *Message) Append(b []byte) ([]byte, error) {
	if err := m.validate(); err != nil {
		return b, err
	}
	start := len(b)
	b = append(b, m.Type.Number(), m.Code, 0, 0)
	switch {
	case m.Type.IsError():
		b = m.appendError(b)
	case m.Type.IsEchoRequest() || m.Type.IsEchoReply():
		b = binary.BigEndian.AppendUint16(b, m.ID)
		b = binary.BigEndian.AppendUint16(b, m.Sequence)
		b = append(b, m.Payload...)
	default:
		b = append(b, m.Payload...)
	}
	for len(b) < start+headerLen {
		b = append(b, 0)
	}
	if m.Type.Version() == V4 {
		binary.BigEndian.PutUint16(b[start+2:], wire.Checksum(b[start:]))
	}
	return b, nil
}

// appendError appends what follows the checksum of an error.
func (m *Message) appendError(b []byte) []byte {
	var word [4]byte
	switch m.Type {
	case V4DestinationUnreachable:
		binary.BigEndian.PutUint16(word[2:], uint16(m.MTU)) // RFC 1191 section 4
	case V4ParameterProblem:
		word[0] = uint8(m.Pointer)
	case V4Redirect:
		word = m.Gateway.As4()
	case V6PacketTooBig:
		binary.BigEndian.PutUint32(word[:], uint32(m.MTU))
	case V6ParameterProblem:
		binary.BigEndian.PutUint32(word[:], uint32(m.Pointer))
	}
	if m.Extensions.Raw == nil {
		return append(append(b, word[:]...), m.Payload...)
	}
	at, unit := lengthField(m.Type)
	quoted := m.paddedQuote()
	word[at] = uint8(quoted / unit)
	b = append(append(b, word[:]...), m.Payload...)
	b = append(b, make([]byte, quoted-len(m.Payload))...)
	return append(b, m.Extensions.Raw...)
}

// paddedQuote returns the length of the quoted packet before extensions: at least 128
// bytes, in whole units (RFC 4884 section 4).
func (m *Message) paddedQuote() int {
	_, unit := lengthField(m.Type)
	return (max(len(m.Payload), oldQuoteLen) + unit - 1) / unit * unit
}

// validate returns a [*FieldError] for the first invalid field, or nil.
func (m *Message) validate() error {
	_, unit := lengthField(m.Type)
	size, extended := len(m.Payload), m.Extensions.Raw != nil && m.Type.IsError()
	if extended && unit != 0 {
		size = m.paddedQuote() + len(m.Extensions.Raw)
	}
	switch v := m.Type.Version(); {
	case v != V4 && v != V6:
		return &FieldError{Field: "Type", Value: m.Type, Allowed: "a type with its IP version: see MakeType"}
	case m.Type == V4Redirect && !m.Gateway.Is4():
		return &FieldError{Field: "Gateway", Value: m.Gateway, Allowed: "an IPv4 address"}
	case extended && unit == 0:
		return &FieldError{Field: "Extensions", Value: len(m.Extensions.Raw), Allowed: "none in a message of the type " + m.Type.String()}
	case extended && m.paddedQuote() > 255*unit:
		return &FieldError{Field: "Payload", Value: len(m.Payload), Allowed: "a quote of " + strconv.Itoa(255*unit) + " bytes at the most before Extensions"}
	case m.MTU < 0 || m.MTU > math.MaxUint16 && v == V4 || uint64(m.MTU) > math.MaxUint32:
		return &FieldError{Field: "MTU", Value: m.MTU, Allowed: "what 16 bits hold, and of ICMPv6 32 bits"}
	case m.Pointer < 0 || m.Pointer > math.MaxUint8 && v == V4 || uint64(m.Pointer) > math.MaxUint32:
		return &FieldError{Field: "Pointer", Value: m.Pointer, Allowed: "what 8 bits hold, and of ICMPv6 32 bits"}
	case size > MaxSize:
		return &FieldError{Field: "Payload", Value: len(m.Payload), Allowed: "at most 65507 bytes"}
	}
	return nil
}
