package icmp

// Codes of [V4DestinationUnreachable] (RFC 792, RFC 1122 section 3.2.2.1, RFC
// 1812 section 5.2.7.1).
const (
	V4CodeNetUnreachable             uint8 = 0
	V4CodeHostUnreachable            uint8 = 1
	V4CodeProtocolUnreachable        uint8 = 2
	V4CodePortUnreachable            uint8 = 3
	V4CodeFragmentationNeeded        uint8 = 4
	V4CodeSourceRouteFailed          uint8 = 5
	V4CodeNetUnknown                 uint8 = 6
	V4CodeHostUnknown                uint8 = 7
	V4CodeSourceHostIsolated         uint8 = 8
	V4CodeNetProhibited              uint8 = 9
	V4CodeHostProhibited             uint8 = 10
	V4CodeNetUnreachableForTOS       uint8 = 11
	V4CodeHostUnreachableForTOS      uint8 = 12
	V4CodeAdministrativelyProhibited uint8 = 13
	V4CodeHostPrecedenceViolation    uint8 = 14
	V4CodePrecedenceCutoffInEffect   uint8 = 15
)

// Codes of [V4TimeExceeded] (RFC 792).
const (
	V4CodeTTLExceeded        uint8 = 0
	V4CodeReassemblyExceeded uint8 = 1
)

// Codes of [V4Redirect] (RFC 792).
const (
	V4CodeRedirectNet     uint8 = 0
	V4CodeRedirectHost    uint8 = 1
	V4CodeRedirectTOSNet  uint8 = 2
	V4CodeRedirectTOSHost uint8 = 3
)

// Codes of [V4ParameterProblem] (RFC 792, RFC 1108).
const (
	V4CodePointerIndicatesError uint8 = 0
	V4CodeMissingOption         uint8 = 1
	V4CodeBadLength             uint8 = 2
)

var unreachableNames4 = []string{
	"Net Unreachable",
	"Host Unreachable",
	"Protocol Unreachable",
	"Port Unreachable",
	"Fragmentation Needed and Don't Fragment was Set",
	"Source Route Failed",
	"Destination Network Unknown",
	"Destination Host Unknown",
	"Source Host Isolated",
	"Communication with Destination Network is Administratively Prohibited",
	"Communication with Destination Host is Administratively Prohibited",
	"Destination Network Unreachable for Type of Service",
	"Destination Host Unreachable for Type of Service",
	"Communication Administratively Prohibited",
	"Host Precedence Violation",
	"Precedence cutoff in effect",
}

var redirectNames4 = []string{
	"Redirect Datagram for the Network (or subnet)",
	"Redirect Datagram for the Host",
	"Redirect Datagram for the Type of Service and Network",
	"Redirect Datagram for the Type of Service and Host",
}

var parameterProblemNames4 = []string{
	"Pointer indicates the error",
	"Missing a Required Option",
	"Bad Length",
}
