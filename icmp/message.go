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

	// minLen is what all messages have: type, code and checksum (RFC 792).
	minLen = 4
)

var (
	errShort   = wire.Malformed("ICMP message is truncated")
	errVersion = wire.Malformed("ICMP of an unknown IP version")
)

// Message is one ICMP message: parsed, its slices alias the parsed bytes; or to be
// sent, by [Message.Append].
type Message struct {
	Type     Type   // with the IP version
	Code     uint8  // what it says depends on Type
	Checksum uint16 // as received; it is not verified here

	// Of echo requests and replies.
	ID, Sequence uint16

	// Payload is the data of an echo message, and the quoted packet of an error, from
	// its IP header on. (The error queue of Linux hands that out without the header:
	// it is in Quote alone then.) For a message that is neither it is all that
	// follows the checksum.
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
	if m.Extensions.Parse(extensions) == nil {
		m.Extensions.Compliant = compliant
	}
	m.Payload = quoted
	return m.Quote.Parse(m.Type.Version(), quoted)
}

// Checksum returns the internet checksum (RFC 1071) of b: what belongs into the
// checksum field of an ICMP message for IPv4 in which that field is zero, and 0
// when b is a message with a valid checksum. That of ICMPv6 covers addresses
// too (RFC 4443 section 2.3), and the kernel computes it.
func Checksum(b []byte) uint16 { return wire.Checksum(b) }

// Append appends the message to b as it goes on the wire, in 8 bytes at the least:
// the inverse of [Message.Parse]. Of an echo message it takes ID, Sequence and
// Payload; of an error Payload, as the packet to quote, with MTU, Pointer or Gateway
// and the Raw of Extensions, before which the quote is padded as RFC 4884 asks
// (section 4); and of any other type Payload, as all that follows the checksum. Quote
// is not looked at. The checksum of IPv4 is computed; that of IPv6 covers the source
// address and is left zero, for the kernel to fill in.
//
// The error is a [*FieldError].
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

// paddedQuote is the length of the quoted packet before extensions: at least 128
// bytes, in whole units (RFC 4884 section 4).
func (m *Message) paddedQuote() int {
	_, unit := lengthField(m.Type)
	return (max(len(m.Payload), oldQuoteLen) + unit - 1) / unit * unit
}

// validate returns a [*FieldError] for the first field that cannot be sent.
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
