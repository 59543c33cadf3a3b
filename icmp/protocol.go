package icmp

import (
	"strconv"

	"github.com/goicmp/icmplib/internal/wire"
)

// Protocol is an upper-layer protocol, by its IANA number.
type Protocol uint8

// Protocols whose headers [Quote.Parse] reads.
const (
	ICMP   = Protocol(wire.ProtocolICMP)
	TCP    = Protocol(wire.ProtocolTCP)
	UDP    = Protocol(wire.ProtocolUDP)
	ICMPv6 = Protocol(wire.ProtocolICMPv6)
	SCTP   = Protocol(wire.ProtocolSCTP)
)

// String returns the protocol's name, such as "UDP", or its number.
func (p Protocol) String() string {
	switch p {
	case ICMP:
		return "ICMP"
	case TCP:
		return "TCP"
	case UDP:
		return "UDP"
	case ICMPv6:
		return "ICMPv6"
	case SCTP:
		return "SCTP"
	}
	return "protocol " + strconv.Itoa(int(p))
}
