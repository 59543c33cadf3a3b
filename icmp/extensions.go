package icmp

import (
	"encoding/binary"
	"iter"

	"github.com/goicmp/icmplib/internal/wire"
)

const (
	extensionVersion   = 2 // RFC 4884 section 7
	extensionHeaderLen = 4
	objectHeaderLen    = 4

	// oldQuoteLen is the length of the quote after which routers that do not
	// know the length field put the extensions (RFC 4884 section 5.5).
	oldQuoteLen = 128
)

var (
	errExtensionShort   = wire.Malformed("ICMP extension structure is truncated")
	errExtensionVersion = wire.Malformed("ICMP extension structure of another version")
)

// Extensions is the ICMP extension structure of RFC 4884 section 7.
type Extensions struct {
	// Raw is the header and the objects; nil if there is no structure.
	Raw []byte

	// Compliant is set if the message's length field announced the structure.
	// Otherwise the structure followed 128 quoted bytes, where routers older
	// than RFC 4884 put it (section 5.5).
	Compliant bool

	// ChecksumValid is set if the structure's checksum is correct, or zero,
	// which means that there is none. If it is not set, Objects yields nothing.
	ChecksumValid bool
}

// Object is one object of an extension structure (RFC 4884 section 7.1).
type Object struct {
	Class   uint8 // Class-Num of the IANA registry: 1 is an MPLS label stack
	CType   uint8 // sub-type within the class
	Payload []byte
}

// Parse reads the structure that takes up all of b. It overwrites all of e; the caller
// sets Compliant. Errors wrap [ErrMalformed].
func (e *Extensions) Parse(b []byte) error {
	*e = Extensions{}
	if len(b) < extensionHeaderLen {
		return errExtensionShort
	}
	if b[0]>>4 != extensionVersion {
		return errExtensionVersion
	}
	e.Raw = b
	e.ChecksumValid = binary.BigEndian.Uint16(b[2:]) == 0 || wire.Checksum(b) == 0
	return nil
}

// Objects returns the objects in order. It yields none if the checksum is wrong, and
// stops at an object with an invalid length.
func (e Extensions) Objects() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		if !e.ChecksumValid || len(e.Raw) < extensionHeaderLen {
			return
		}
		for b := e.Raw[extensionHeaderLen:]; len(b) >= objectHeaderLen; {
			length := int(binary.BigEndian.Uint16(b))
			if length < objectHeaderLen || length > len(b) {
				return
			}
			if !yield(Object{Class: b[2], CType: b[3], Payload: b[objectHeaderLen:length]}) {
				return
			}
			b = b[length:]
		}
	}
}

// lengthField describes the field that states the length of an error's quote: at is its
// offset from the end of the checksum, unit is its unit in bytes, and 0 for a type
// without such a field (RFC 4884 sections 4.1 to 4.5).
func lengthField(t Type) (at, unit int) {
	switch t {
	case V4DestinationUnreachable, V4TimeExceeded, V4ParameterProblem:
		return 1, 4
	case V6DestinationUnreachable, V6TimeExceeded:
		return 0, 8
	}
	return 0, 0
}

// splitExtensions divides what follows the header of an error message into the
// quoted packet and the extension structure, nil if there is none. It reports
// whether the message's length field announced the structure.
func splitExtensions(t Type, b []byte) (quoted, extensions []byte, compliant bool) {
	body := b[headerLen:]
	at, unit := lengthField(t)
	if unit == 0 {
		return body, nil, false
	}
	length, least := int(b[4+at])*unit, wire.IPv4MinHeaderLen
	if t.Version() == V6 {
		least = wire.IPv6HeaderLen
	}
	if length < least+wire.QuotedLen {
		length = 0 // no quote is that short: it is not a length
	}
	switch {
	case length > 0 && length < len(body):
		return body[:length], body[length:], true
	case length == 0 && len(body) >= oldQuoteLen+extensionHeaderLen && looksOldForm(body[oldQuoteLen:]):
		return body[:oldQuoteLen], body[oldQuoteLen:], false
	}
	return body, nil, false
}

// ParseOldForm looks for the structure after 128 quoted bytes, where routers that do not
// know RFC 4884 put it (section 5.5), and reads it into e. Some systems hand out quoted
// packets without their first bytes, as Linux does in its error queue: cut is the number
// of missing bytes. ParseOldForm returns the quoted packet without the structure, and
// reports whether there was one.
func (e *Extensions) ParseOldForm(t Type, b []byte, cut int) (quoted []byte, ok bool) {
	if _, unit := lengthField(t); unit == 0 {
		return b, false
	}
	at := oldQuoteLen - cut
	if at < 0 || len(b) < at+extensionHeaderLen || !looksOldForm(b[at:]) || e.Parse(b[at:]) != nil {
		return b, false
	}
	return b[:at], true
}

// looksOldForm reports whether the bytes after 128 quoted ones are an extension structure
// and not more of the quoted packet. Only a checksum distinguishes the two, so there must
// be one (RFC 4884 section 5.5 requires checks of the version and of the checksum).
func looksOldForm(b []byte) bool {
	return b[0]>>4 == extensionVersion && binary.BigEndian.Uint16(b[2:]) != 0 && wire.Checksum(b) == 0
}
