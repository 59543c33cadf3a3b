package icmp

// Types of ICMP for IPv4, by the IANA registry "ICMP Type Numbers".
const (
	V4EchoReply              = Type(V4) << 8
	V4DestinationUnreachable = Type(V4)<<8 | 3
	V4SourceQuench           = Type(V4)<<8 | 4 // deprecated by RFC 6633
	V4Redirect               = Type(V4)<<8 | 5
	V4EchoRequest            = Type(V4)<<8 | 8
	V4RouterAdvertisement    = Type(V4)<<8 | 9
	V4RouterSolicitation     = Type(V4)<<8 | 10
	V4TimeExceeded           = Type(V4)<<8 | 11
	V4ParameterProblem       = Type(V4)<<8 | 12
	V4Timestamp              = Type(V4)<<8 | 13
	V4TimestampReply         = Type(V4)<<8 | 14
	V4ExtendedEchoRequest    = Type(V4)<<8 | 42 // RFC 8335
	V4ExtendedEchoReply      = Type(V4)<<8 | 43 // RFC 8335
)

var typeNames4 = [256]string{
	0:   "Echo Reply",
	3:   "Destination Unreachable",
	4:   "Source Quench",
	5:   "Redirect",
	6:   "Alternate Host Address",
	8:   "Echo",
	9:   "Router Advertisement",
	10:  "Router Solicitation",
	11:  "Time Exceeded",
	12:  "Parameter Problem",
	13:  "Timestamp",
	14:  "Timestamp Reply",
	15:  "Information Request",
	16:  "Information Reply",
	17:  "Address Mask Request",
	18:  "Address Mask Reply",
	30:  "Traceroute",
	31:  "Datagram Conversion Error",
	32:  "Mobile Host Redirect",
	33:  "IPv6 Where-Are-You",
	34:  "IPv6 I-Am-Here",
	35:  "Mobile Registration Request",
	36:  "Mobile Registration Reply",
	37:  "Domain Name Request",
	38:  "Domain Name Reply",
	39:  "SKIP",
	40:  "Photuris",
	41:  "ICMP messages utilized by experimental mobility protocols such as Seamoby",
	42:  "Extended Echo Request",
	43:  "Extended Echo Reply",
	253: "RFC3692-style Experiment 1",
	254: "RFC3692-style Experiment 2",
}
