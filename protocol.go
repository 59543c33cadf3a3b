package icmplib

import (
	"fmt"
	"strconv"

	"github.com/goicmp/icmplib/icmp"
)

// Protocol is what a probe is made of. (Package icmp has a Protocol, too: the
// number in an IP header.)
type Protocol uint8

// The protocols of probes.
const (
	ICMP Protocol = iota // an echo request
	UDP                  // a datagram; the target answers port unreachable, or a datagram
	TCP                  // a SYN; the target answers SYN-ACK or RST
	SCTP                 // an INIT; the target answers INIT-ACK or ABORT. It needs raw sockets
)

var protocolNames = [...]string{"icmp", "udp", "tcp", "sctp"}

// String returns the protocol's name in lower case, as mtr-packet has it.
func (p Protocol) String() string {
	if int(p) < len(protocolNames) {
		return protocolNames[p]
	}
	return "Protocol(" + strconv.Itoa(int(p)) + ")"
}

// ParseProtocol returns the protocol with the given name, the inverse of
// [Protocol.String]. Any other name is an error.
func ParseProtocol(name string) (Protocol, error) {
	for p, known := range protocolNames {
		if name == known {
			return Protocol(p), nil
		}
	}
	return ICMP, fmt.Errorf("unknown protocol %q: icmp, udp, tcp and sctp are known", name)
}

// MarshalText returns the name, for JSON and its like. A value that has none is
// an error.
func (p Protocol) MarshalText() ([]byte, error) {
	if int(p) >= len(protocolNames) {
		return nil, fmt.Errorf("no name for %v", p)
	}
	return []byte(protocolNames[p]), nil
}

// UnmarshalText sets p to the protocol whose name is given.
func (p *Protocol) UnmarshalText(name []byte) error {
	parsed, err := ParseProtocol(string(name))
	if err == nil {
		*p = parsed
	}
	return err
}

// number returns the protocol's IANA number.
func (p Protocol) number() icmp.Protocol {
	return [...]icmp.Protocol{icmp.ICMP, icmp.UDP, icmp.TCP, icmp.SCTP}[p]
}

// The ports that are probed by default: that of traceroute, and that of HTTP.
const (
	defaultPortUDP = 33434
	defaultPortTCP = 80
)
