package icmp

// codeNames returns the names of a type's codes, by number; nil for a type that
// has none.
func codeNames(t Type) []string {
	switch t {
	case V4DestinationUnreachable:
		return unreachableNames4
	case V4Redirect:
		return redirectNames4
	case V4TimeExceeded, V6TimeExceeded:
		return timeExceededNames[t.Version()]
	case V4ParameterProblem:
		return parameterProblemNames4
	case V6DestinationUnreachable:
		return unreachableNames6
	case V6ParameterProblem:
		return parameterProblemNames6
	case V4ExtendedEchoReply, V6ExtendedEchoReply:
		return extendedEchoNames
	}
	return nil
}

// extendedEchoNames is the same for both versions (RFC 8335 section 3).
var extendedEchoNames = []string{
	"No Error",
	"Malformed Query",
	"No Such Interface",
	"No Such Table Entry",
	"Multiple Interfaces Satisfy Query",
}

var timeExceededNames = map[Version][]string{
	V4: {"Time to Live exceeded in Transit", "Fragment Reassembly Time Exceeded"},
	V6: {"hop limit exceeded in transit", "fragment reassembly time exceeded"},
}
