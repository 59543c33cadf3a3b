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
// "type" Numbers", or the number of an unassigned type.
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

// CodeString returns the IANA name of a code of this type. It returns "" for code 0 of a
// type that has no codes, and "code N" for an unassigned code.
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

// IsError reports whether messages of this type quote the packet that they are about. A
// Redirect of IPv4 does. A Redirect of IPv6 does not count, because it carries the packet
// in an option (RFC 4861 section 4.5).
func (t Type) IsError() bool {
	switch t.Version() {
	case V4:
		switch t {
		case V4DestinationUnreachable, V4SourceQuench, V4Redirect, V4TimeExceeded, V4ParameterProblem:
			return true
		}
	case V6:
		// RFC 4443 section 2.1: types below 128 are errors.
		return t.Number() < 128
	}
	return false
}

// IsEchoRequest reports whether this is an echo request of either version.
func (t Type) IsEchoRequest() bool { return t == V4EchoRequest || t == V6EchoRequest }

// IsEchoReply reports whether this is an echo reply of either version.
func (t Type) IsEchoReply() bool { return t == V4EchoReply || t == V6EchoReply }

// replies maps the types of requests to those of their replies. If a request has an id,
// its reply has it, too.
var replies = []struct {
	request, reply Type
	id             bool
}{
	{V4EchoRequest, V4EchoReply, true},
	{V6EchoRequest, V6EchoReply, true},
	{V4Timestamp, V4TimestampReply, true},
	{Type(V4)<<8 | 15, Type(V4)<<8 | 16, true}, // information (RFC 792)
	{Type(V4)<<8 | 17, Type(V4)<<8 | 18, true}, // address mask (RFC 950)
	{V4ExtendedEchoRequest, V4ExtendedEchoReply, true},
	{V6ExtendedEchoRequest, V6ExtendedEchoReply, true},
	{V4RouterSolicitation, V4RouterAdvertisement, false},
	{V6RouterSolicitation, V6RouterAdvertisement, false},
	{V6NeighborSolicitation, V6NeighborAdvertisement, false},
}

// Reply returns the type of the message that answers a request of this type, or 0 for
// types that have no reply, such as errors and replies.
func (t Type) Reply() Type {
	for _, r := range replies {
		if r.request == t {
			return r.reply
		}
	}
	return 0
}

// HasID reports whether a request of this type carries the id of its sender and a
// sequence number after the checksum: echo, timestamp, information, address mask
// and extended echo requests.
func (t Type) HasID() bool {
	for _, r := range replies {
		if r.request == t {
			return r.id
		}
	}
	return false
}

// AllTypes returns all 256 types of a version, for a socket that receives
// everything.
func AllTypes(v Version) []Type {
	all := make([]Type, 256)
	for i := range all {
		all[i] = MakeType(v, uint8(i))
	}
	return all
}
