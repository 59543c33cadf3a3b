package icmp

// Kind is the meaning of a message, independent of the IP version.
type Kind uint8

// The kinds that matter to senders of probes.
const (
	KindOther Kind = iota
	KindEchoRequest
	KindEchoReply
	KindDestinationUnreachable
	KindPacketTooBig // of IPv4: Destination Unreachable, Fragmentation Needed (RFC 1191)
	KindTimeExceeded
	KindParameterProblem
	KindRedirect
	KindSourceQuench
)

var kindNames = [...]string{
	"other", "echo request", "echo reply", "destination unreachable", "packet too big",
	"time exceeded", "parameter problem", "redirect", "source quench",
}

// String returns the kind in words, such as "time exceeded".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[KindOther]
}

// KindOf returns the meaning of a type and code.
func KindOf(t Type, code uint8) Kind {
	switch t {
	case V4EchoRequest, V6EchoRequest:
		return KindEchoRequest
	case V4EchoReply, V6EchoReply:
		return KindEchoReply
	case V4DestinationUnreachable:
		if code == V4CodeFragmentationNeeded {
			return KindPacketTooBig
		}
		return KindDestinationUnreachable
	case V6DestinationUnreachable:
		return KindDestinationUnreachable
	case V6PacketTooBig:
		return KindPacketTooBig
	case V4TimeExceeded, V6TimeExceeded:
		return KindTimeExceeded
	case V4ParameterProblem, V6ParameterProblem:
		return KindParameterProblem
	case V4Redirect, V6Redirect:
		return KindRedirect
	case V4SourceQuench:
		return KindSourceQuench
	}
	return KindOther
}
