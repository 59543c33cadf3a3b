package icmp

// Types of ICMPv6, by the IANA registry "ICMPv6 'type' Numbers".
const (
	V6DestinationUnreachable = Type(V6)<<8 | 1
	V6PacketTooBig           = Type(V6)<<8 | 2
	V6TimeExceeded           = Type(V6)<<8 | 3
	V6ParameterProblem       = Type(V6)<<8 | 4
	V6EchoRequest            = Type(V6)<<8 | 128
	V6EchoReply              = Type(V6)<<8 | 129
	V6RouterSolicitation     = Type(V6)<<8 | 133
	V6RouterAdvertisement    = Type(V6)<<8 | 134
	V6NeighborSolicitation   = Type(V6)<<8 | 135
	V6NeighborAdvertisement  = Type(V6)<<8 | 136
	V6Redirect               = Type(V6)<<8 | 137
	V6ExtendedEchoRequest    = Type(V6)<<8 | 160 // RFC 8335
	V6ExtendedEchoReply      = Type(V6)<<8 | 161 // RFC 8335
)

var typeNames6 = [256]string{
	1:   "Destination Unreachable",
	2:   "Packet Too Big",
	3:   "Time Exceeded",
	4:   "Parameter Problem",
	100: "Private experimentation",
	101: "Private experimentation",
	127: "Reserved for expansion of ICMPv6 error messages",
	128: "Echo Request",
	129: "Echo Reply",
	130: "Multicast Listener Query",
	131: "Multicast Listener Report",
	132: "Multicast Listener Done",
	133: "Router Solicitation",
	134: "Router Advertisement",
	135: "Neighbor Solicitation",
	136: "Neighbor Advertisement",
	137: "Redirect Message",
	138: "Router Renumbering",
	139: "ICMP Node Information Query",
	140: "ICMP Node Information Response",
	141: "Inverse Neighbor Discovery Solicitation Message",
	142: "Inverse Neighbor Discovery Advertisement Message",
	143: "Version 2 Multicast Listener Report",
	144: "Home Agent Address Discovery Request Message",
	145: "Home Agent Address Discovery Reply Message",
	146: "Mobile Prefix Solicitation",
	147: "Mobile Prefix Advertisement",
	148: "Certification Path Solicitation Message",
	149: "Certification Path Advertisement Message",
	150: "ICMP messages utilized by experimental mobility protocols such as Seamoby",
	151: "Multicast Router Advertisement",
	152: "Multicast Router Solicitation",
	153: "Multicast Router Termination",
	154: "FMIPv6 Messages",
	155: "RPL Control Message",
	156: "ILNPv6 Locator Update Message",
	157: "Duplicate Address Request",
	158: "Duplicate Address Confirmation",
	159: "MPL Control Message",
	160: "Extended Echo Request",
	161: "Extended Echo Reply",
	200: "Private experimentation",
	201: "Private experimentation",
	255: "Reserved for expansion of ICMPv6 informational messages",
}
