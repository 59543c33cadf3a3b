package sys

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// MaxDatagram is the size of the largest IP packet, and of every receive buffer.
const MaxDatagram = 65535

// Outbound is one datagram to send.
type Outbound struct {
	Data []byte
	To   netip.Addr // without zone
	Zone uint32     // interface index, for link-local IPv6; 0: none
	Port uint16     // of UDP and TCP; 0 for raw and ICMP sockets

	Source    netip.Addr // local address to send from; zero: as the socket is bound, or as the route says
	FlowLabel uint32     // of IPv6, on a socket with SendFlowLabels; 0: the kernel's choice

	// TTL and TrafficClass go into control messages; a negative value leaves
	// the socket's own setting in force, which costs the kernel less.
	TTL          int
	TrafficClass int

	Timeout time.Duration // where the system waits for the answer; 0: by default

	Sent time.Time // when the system was given it; whoever sends sets it
}

// Differ sets the TTL and the traffic class to those of a datagram where they are
// not the socket's own, which has ownTTL and 0. A ttl of 0 is its own, too.
func (o *Outbound) Differ(ttl, ownTTL, class int) {
	o.TTL, o.TrafficClass = -1, -1
	if ttl != 0 && ttl != ownTTL {
		o.TTL = ttl
	}
	if class != 0 {
		o.TrafficClass = class
	}
}

// Inbound is one datagram received, or one entry of the error queue.
type Inbound struct {
	Data     []byte     // valid until the next receive on the same Receiver
	From     netip.Addr // the peer; for an entry of the error queue, where the failed datagram was sent
	Zone     uint32     // interface index that scopes From; 0: none
	FromPort uint16     // the port of From; 0 from raw and ICMP sockets
	Size     int        // bytes that arrived; more than len(Data) when truncated

	To             netip.Addr // local destination; zero: unknown
	InterfaceIndex int        // arrival interface; 0: unknown
	TTL            int        // 0: unknown
	TrafficClass   uint8
	Stamp          int64 // kernel receive time, wall-clock nanoseconds; 0: none

	Read    time.Time     // when it was read
	Queued  time.Duration // how long it had waited then
	Stamped bool          // Queued is by Stamp

	Elapsed time.Duration // since the call that sent what this answers, where the system's calls tell; 0: unknown

	Failed bool // an entry of the error queue: Err says which
	Err    QueuedError

	// Departed is, in an entry of the origin OriginTimestamping, when the driver
	// got the datagram of which Err.Data is the ordinal: wall-clock nanoseconds.
	Departed int64
}

// QueuedError is an entry of a socket's error queue: struct sock_extended_err
// of ip(7), decoded.
type QueuedError struct {
	Errno    uint32
	Origin   Origin
	Type     uint8 // of the ICMP message
	Code     uint8
	Info     uint32     // next-hop MTU of a packet too big, where it says
	Data     uint32     // see ExtensionOffset, and of OriginTimestamping the ordinal
	Offender netip.Addr // who sent the ICMP message; zero for a local error
	Zone     uint32     // interface index that scopes Offender
	Presumed bool       // the datagram is as it was sent, for what was quoted is not known
}

// Origin says where an error of the error queue comes from.
type Origin uint8

// The origins that concern ICMP sockets, of linux/errqueue.h.
const (
	OriginLocal  Origin = 1
	OriginICMP   Origin = 2
	OriginICMPv6 Origin = 3

	OriginTimestamping Origin = 4 // no error, but the stamp of what was sent
)

// ExtensionOffset is where the ICMP extension structure (RFC 4884) starts in
// the entry's data. It is 0 where there is none or where the kernel found it
// malformed.
func (e *QueuedError) ExtensionOffset() int {
	// struct sock_ee_data_rfc4884 { __u16 len; __u8 flags; __u8 reserved; }
	// lies over ee_data, in host byte order.
	offset, invalid := splitRFC4884(e.Data)
	if invalid {
		return 0
	}
	return offset
}

// splitRFC4884 reads the two fields that the kernel lays over ee_data.
func splitRFC4884(data uint32) (offset int, invalid bool) {
	const flagInvalid = 1 // SO_EE_RFC4884_FLAG_INVALID
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], data)
	return int(binary.NativeEndian.Uint16(b[:])), b[2]&flagInvalid != 0
}
