// Package wire encodes and decodes the headers that ICMP travels under and
// quotes: IPv4, IPv6 and its extension headers, UDP, TCP and SCTP, and their
// checksums. It does no I/O.
//
// Parsing fills a value that the caller owns, whose slices alias the parsed
// bytes, and does not allocate, not even if it fails. Every parse error wraps
// [ErrMalformed]. A parser reads only its own header: the caller compares the
// length that the packet states with the number of bytes, because the two differ
// in a quoted packet.
//
// Building appends to a slice that the caller owns, and computes lengths and
// checksums. The builders trust their caller: addresses must be of the header's
// family, and a packet must not exceed the 65,535 bytes that its length field can
// state.
//
// Lengths and offsets are in bytes throughout, whatever the unit on the wire.
package wire

import (
	"errors"
)

// ErrMalformed is the error that every parse error wraps.
var ErrMalformed = errors.New("malformed packet")

// Malformed returns an error that wraps [ErrMalformed] and adds the reason. Parsers
// return values made once, at package level, because hostile input must not cost an
// allocation.
func Malformed(reason string) error { return &malformedError{reason} }

type malformedError struct{ reason string }

func (e *malformedError) Error() string { return ErrMalformed.Error() + ": " + e.reason }

func (e *malformedError) Unwrap() error { return ErrMalformed }

// Protocol numbers of the IANA registry "Assigned Internet Protocol Numbers",
// for the Protocol field of IPv4 and the Next Header field of IPv6.
const (
	ProtocolHopByHop           uint8 = 0
	ProtocolICMP               uint8 = 1
	ProtocolTCP                uint8 = 6
	ProtocolUDP                uint8 = 17
	ProtocolRouting            uint8 = 43
	ProtocolFragment           uint8 = 44
	ProtocolESP                uint8 = 50
	ProtocolAuthentication     uint8 = 51
	ProtocolICMPv6             uint8 = 58
	ProtocolNoNextHeader       uint8 = 59
	ProtocolDestinationOptions uint8 = 60
	ProtocolSCTP               uint8 = 132
)
