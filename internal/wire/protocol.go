package wire

// Protocol numbers of the IANA registry "Assigned Internet Protocol Numbers",
// which serve IPv4's Protocol and IPv6's Next Header field alike.
const (
	ProtocolHopByHop           uint8 = 0
	ProtocolICMP               uint8 = 1
	ProtocolTCP                uint8 = 6
	ProtocolUDP                uint8 = 17
	ProtocolRouting            uint8 = 43
	ProtocolFragment           uint8 = 44
	ProtocolESP                uint8 = 50
	ProtocolAuthentication     uint8 = 51
	ProtocolICMPv6             uint8 = 58
	ProtocolNoNextHeader       uint8 = 59
	ProtocolDestinationOptions uint8 = 60
	ProtocolSCTP               uint8 = 132
)
