package transport

import "github.com/goicmp/icmplib/icmp"

// Arrival is what came about a probe: an ICMP error or a direct answer.
type Arrival struct {
	// Reply is the ICMP error, and of either how it came: source, TTL, time and
	// so on. Of an error that came without privileges, the quote has no IP
	// header but the destination; see the package documentation for what else.
	icmp.Reply

	// Protocol is that of the probe.
	Protocol icmp.Protocol

	// Segment is the direct answer; its Kind is None for an ICMP error.
	Segment Segment

	// Identity is that of the probe that this is about, where Identified is set:
	// where enough of the probe is quoted or answered. Never of UDP, whose
	// probes are told apart by ports, checksum and payload. For TCP without
	// privileges it is what the Probe said, though the segment carried another
	// number: the kernel has matched.
	Identity   uint32
	Identified bool

	// Retransmitted says that the kernel had sent the probe more than once, by
	// itself, when this came: which one is answered is not known, nor therefore
	// the time. Only of TCP without privileges.
	Retransmitted bool
}

// Segment is a direct answer, which is not ICMP. Its source is that of the
// [Arrival].
type Segment struct {
	Kind                        Kind
	SourcePort, DestinationPort uint16
	Sequence, Acknowledgment    uint32 // TCP, where it was seen: not without privileges
	VerificationTag             uint32 // SCTP
	Payload                     []byte // UDP; valid until the next receive
}

// Kind is what a direct answer is.
type Kind uint8

// The kinds of direct answer.
const (
	None     Kind = iota // none: an ICMP error
	Datagram             // UDP: any datagram to a port of ours
	SYNACK               // TCP: the port is open
	RST                  // TCP: it is closed
	InitAck              // SCTP: the port is open
	Abort                // SCTP: it is closed
)

// String returns the name of the segment, such as "SYN-ACK".
func (k Kind) String() string {
	names := [...]string{"none", "datagram", "SYN-ACK", "RST", "INIT ACK", "ABORT"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}
