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

	// oldQuoteLen is where routers that knew nothing of the length field put
	// the extensions: behind a quote of 128 bytes (RFC 4884 section 5.5).
	oldQuoteLen = 128
)

var (
	errExtensionShort   = wire.Malformed("ICMP extension structure is truncated")
	errExtensionVersion = wire.Malformed("ICMP extension structure of another version")
)

// Extensions is the ICMP extension structure of RFC 4884 section 7.
type Extensions struct {
	// Raw is the header and the objects; nil when there are none.
	Raw []byte

	// Compliant says that the message's length field announced the structure.
	// Otherwise it was found behind 128 quoted bytes, where routers older than
	// RFC 4884 put it (section 5.5).
	Compliant bool

	// ChecksumValid says that the structure's checksum is right, or zero,
	// which stands for none. When it is wrong, no object is given out.
	ChecksumValid bool
}

// Object is one object of an extension structure (RFC 4884 section 7.1).
type Object struct {
	Class   uint8 // Class-Num of the IANA registry: 1 is an MPLS label stack
	CType   uint8 // sub-type within the class
	Payload []byte
}

// Parse reads the structure that starts with b and fills it. It overwrites all
// of e; Compliant is for the caller to set. Errors wrap [ErrMalformed].
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

// Objects returns the objects in order. There are none when the checksum is
// wrong, and none behind one whose length is impossible.
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

// lengthField returns where behind the checksum of an error the length of its quote
// stands, and in units of how many bytes it counts; 0 for a type without (RFC 4884
// sections 4.1 to 4.5).
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
// quoted packet and the extension structure, nil where there is none. It tells
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

// ParseOldForm finds the structure where routers that knew nothing of RFC 4884
// put it, behind 128 quoted bytes (section 5.5), and fills e with it. It serves
// systems that hand out quoted packets without their first bytes, such as the
// error queue of Linux: cut is how many of them are missing. It returns what is
// quoted, and reports whether there is a structure behind it.
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

// looksOldForm reports whether what lies behind 128 quoted bytes is an extension
// structure and not more of the quoted packet. Only a checksum can tell the two
// apart, so one has to be there (RFC 4884 section 5.5 asks for the version and
// the checksum).
func looksOldForm(b []byte) bool {
	return b[0]>>4 == extensionVersion && binary.BigEndian.Uint16(b[2:]) != 0 && wire.Checksum(b) == 0
}
