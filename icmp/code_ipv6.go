package icmp

// Codes of [V6DestinationUnreachable] (RFC 4443 section 3.1; RFC 6550 adds 7, RFC 8883
// adds 8).
const (
	V6CodeNoRoute                    uint8 = 0
	V6CodeAdministrativelyProhibited uint8 = 1
	V6CodeBeyondScopeOfSource        uint8 = 2
	V6CodeAddressUnreachable         uint8 = 3
	V6CodePortUnreachable            uint8 = 4
	V6CodeSourcePolicyFailed         uint8 = 5
	V6CodeRejectRoute                uint8 = 6
	V6CodeSourceRoutingHeader        uint8 = 7
	V6CodeHeadersTooLong             uint8 = 8
)

// Codes of [V6TimeExceeded] (RFC 4443 section 3.3).
const (
	V6CodeHopLimitExceeded   uint8 = 0
	V6CodeReassemblyExceeded uint8 = 1
)

// Codes of [V6ParameterProblem] (RFC 4443 section 3.4; RFC 7112 adds 3). RFC 8754 adds
// 4, and RFC 8883 adds 5 to 10, which have a name in [Type.CodeString] only.
const (
	V6CodeErroneousHeader        uint8 = 0
	V6CodeUnrecognizedNextHeader uint8 = 1
	V6CodeUnrecognizedOption     uint8 = 2
	V6CodeIncompleteHeaderChain  uint8 = 3
)

var unreachableNames6 = []string{
	"no route to destination",
	"communication with destination administratively prohibited",
	"beyond scope of source address",
	"address unreachable",
	"port unreachable",
	"source address failed ingress/egress policy",
	"reject route to destination",
	"Error in Source Routing Header",
	"Headers too long",
}

var parameterProblemNames6 = []string{
	"erroneous header field encountered",
	"unrecognized Next Header type encountered",
	"unrecognized IPv6 option encountered",
	"IPv6 First Fragment has incomplete IPv6 Header Chain",
	"SR Upper-layer Header Error",
	"Unrecognized Next Header type encountered by intermediate node",
	"Extension header too big",
	"Extension header chain too long",
	"Too many extension headers",
	"Too many options in extension header",
	"Option too big",
}
