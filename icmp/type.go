package icmp

import "strconv"

// Type is an ICMP message type together with its IP version: the version in the
// high byte, the number on the wire in the low one.
type Type uint16

// MakeType returns the type with the given number on the wire.
func MakeType(v Version, number uint8) Type { return Type(v)<<8 | Type(number) }

// Version returns the IP version that the type belongs to.
func (t Type) Version() Version { return Version(t >> 8) }

// Number returns the type's number on the wire.
func (t Type) Number() uint8 { return uint8(t) }

// String returns the name in the IANA registry "ICMP Type Numbers" or "ICMPv6
// "type" Numbers", and for an unassigned type its number.
func (t Type) String() string {
	if name := t.name(); name != "" {
		return name
	}
	if t == 0 {
		return "no type"
	}
	return "ICMPv" + strconv.Itoa(int(t.Version())) + " type " + strconv.Itoa(int(t.Number()))
}

func (t Type) name() string {
	switch t.Version() {
	case V4:
		return typeNames4[t.Number()]
	case V6:
		return typeNames6[t.Number()]
	}
	return ""
}

// CodeString returns the IANA name of a code of this type. It is empty for code
// 0 of a type that has no codes, and "code N" for an unassigned one.
func (t Type) CodeString(code uint8) string {
	names := codeNames(t)
	if int(code) < len(names) {
		return names[code]
	}
	if code == 0 {
		return ""
	}
	return "code " + strconv.Itoa(int(code))
}

// IsError tells whether messages of this type quote the packet that they are
// about. Redirect of IPv4 does and counts; that of IPv6 hides the packet in an
// option (RFC 4861 section 4.5) and does not.
func (t Type) IsError() bool {
	switch t.Version() {
	case V4:
		switch t {
		case V4DestinationUnreachable, V4SourceQuench, V4Redirect, V4TimeExceeded, V4ParameterProblem:
			return true
		}
	case V6:
		// RFC 4443 section 2.1: error messages are those below 128.
		return t.Number() < 128
	}
	return false
}

// IsEchoRequest tells whether this is an echo request of either version.
func (t Type) IsEchoRequest() bool { return t == V4EchoRequest || t == V6EchoRequest }

// IsEchoReply tells whether this is an echo reply of either version.
func (t Type) IsEchoReply() bool { return t == V4EchoReply || t == V6EchoReply }
