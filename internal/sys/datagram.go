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

	Source    netip.Addr // local address to send from; zero: that of the socket or of the route
	FlowLabel uint32     // of IPv6, on a socket with SendFlowLabels; 0: the kernel chooses

	// TTL and TrafficClass go into control messages. A negative value uses the
	// socket's own setting, which costs the kernel less.
	TTL          int
	TrafficClass int

	Timeout time.Duration // where the system waits for the answer; 0: the default

	Sent time.Time // when the system got it; the sending method sets it
}

// Differ sets TTL and TrafficClass to those of a datagram if they differ from the
// socket's own, ownTTL and 0. A ttl of 0 also means the socket's own.
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
	From     netip.Addr // the peer; for an entry of the error queue, the destination of the failed datagram
	Zone     uint32     // interface index that scopes From; 0: none
	FromPort uint16     // the port of From; 0 from raw and ICMP sockets
	Size     int        // bytes that arrived; more than len(Data) if truncated

	To             netip.Addr // local destination; zero: unknown
	InterfaceIndex int        // arrival interface; 0: unknown
	TTL            int        // 0: unknown
	TrafficClass   uint8
	Stamp          int64 // kernel receive time, wall-clock nanoseconds; 0: none

	Read    time.Time     // when it was read
	Queued  time.Duration // how long it had waited then
	Stamped bool          // whether Queued comes from Stamp

	Elapsed time.Duration // since the call that sent the request, if the system reports it; 0: unknown

	Failed bool // this is an entry of the error queue: see Err
	Err    QueuedError

	// Departed is, in an entry with OriginTimestamping, when the driver got the
	// datagram with the ordinal Err.Data, in wall-clock nanoseconds.
	Departed int64
}

// QueuedError is an entry of a socket's error queue: struct sock_extended_err
// of ip(7), decoded.
type QueuedError struct {
	Errno    uint32
	Origin   Origin
	Type     uint8 // of the ICMP message
	Code     uint8
	Info     uint32     // next-hop MTU of a packet too big, if given
	Data     uint32     // see ExtensionOffset; with OriginTimestamping the ordinal
	Offender netip.Addr // the sender of the ICMP message; zero for a local error
	Zone     uint32     // interface index that scopes Offender
	Presumed bool       // the datagram is as it was sent, because the quote is not known
}

// Origin is the origin of an entry of the error queue.
type Origin uint8

// Origins that concern ICMP sockets (linux/errqueue.h).
const (
	OriginLocal  Origin = 1
	OriginICMP   Origin = 2
	OriginICMPv6 Origin = 3

	OriginTimestamping Origin = 4 // no error, but the stamp of a sent datagram
)

// ExtensionOffset returns the offset of the ICMP extension structure (RFC 4884) in the
// entry's data. It is 0 if there is none, or if the kernel found it malformed.
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
