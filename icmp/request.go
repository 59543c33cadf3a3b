package icmp

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/wire"
)

const (
	// DefaultTTL is the default TTL or hop limit of a request.
	DefaultTTL = 64

	// DefaultSize is the default payload size in bytes, that of ping(8).
	DefaultSize = 56

	// MaxSize is the largest payload in bytes: IPv4's largest total length,
	// 65,535, less the headers of IPv4 and ICMP. The same limit holds for IPv6.
	MaxSize = 65535 - wire.IPv4MinHeaderLen - headerLen
)

// Request is a packet to send: an echo request, or Message in its place. A zero field
// takes its default.
type Request struct {
	// Destination is the host to send to, with a zone if it is a link-local IPv6 address.
	Destination netip.Addr

	// ID identifies the sender. Package socket sets it to the socket's id.
	ID uint16

	// Sequence identifies the request.
	Sequence uint16

	// Payload is the data after the header, which comes back in the reply. If it
	// is nil, Append generates Size bytes; empty and not nil means none.
	Payload []byte

	// Size is the number of payload bytes if Payload is nil: 0 means 56, a
	// negative number means none. The maximum is [MaxSize].
	Size int

	// TTL is the TTL or hop limit, 1 to 255; 0 means 64.
	TTL int

	// TrafficClass is the traffic class or TOS byte, 0 to 255.
	TrafficClass int

	// Message, if not nil, replaces the echo request; ID, Sequence, Payload and Size
	// are then ignored. Its Type must be of Destination's IP version. Raw sockets send
	// any type, datagram sockets only echo requests and, on Linux, extended echo
	// requests. If the Type is a request with an id (see [Type.HasID]), package socket
	// sets that id to the socket's, here and in the Message.
	Message *Message

	// Timeout is how long the system waits for an answer in datagram mode on Windows,
	// which does not report later answers. 0 means 10 s. Elsewhere it has no effect.
	Timeout time.Duration

	// Time is the moment just before the kernel got the packet. Package socket sets it.
	Time time.Time
}

// Validate returns a [*FieldError] for the first invalid field, or nil.
func (r *Request) Validate() error {
	switch {
	case !r.Destination.IsValid():
		return &FieldError{Field: "Destination", Value: r.Destination, Allowed: "an IP address"}
	case r.Message != nil && r.Message.Type.Version() != VersionOf(r.Destination):
		return &FieldError{Field: "Message", Value: r.Message.Type, Allowed: "a type of " + VersionOf(r.Destination).String() + ", as the destination is"}
	case r.Message != nil:
	case r.Payload == nil && r.Size > MaxSize:
		return &FieldError{Field: "Size", Value: r.Size, Allowed: "0 to 65507 bytes, or negative for none"}
	case len(r.Payload) > MaxSize:
		return &FieldError{Field: "Payload", Value: len(r.Payload), Allowed: "at most 65507 bytes"}
	}
	switch {
	case r.TTL < 0 || r.TTL > 255:
		return &FieldError{Field: "TTL", Value: r.TTL, Allowed: "1 to 255, or 0 for 64"}
	case r.TrafficClass < 0 || r.TrafficClass > 255:
		return &FieldError{Field: "TrafficClass", Value: r.TrafficClass, Allowed: "0 to 255"}
	case r.Timeout < 0:
		return &FieldError{Field: "Timeout", Value: r.Timeout, Allowed: "0 for 10s, or more"}
	}
	return nil
}

// Append appends the ICMP message to b, in the version of Destination. It computes the
// checksum of IPv4. It leaves that of IPv6, which covers the source address, zero for the
// kernel to fill in. Errors are those of [Request.Validate] and [Message.Append].
func (r *Request) Append(b []byte) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return b, err
	}
	if r.Message != nil {
		return r.Message.Append(b)
	}
	start := len(b)
	t := V6EchoRequest
	if VersionOf(r.Destination) == V4 {
		t = V4EchoRequest
	}
	b = append(b, t.Number(), 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, r.ID)
	b = binary.BigEndian.AppendUint16(b, r.Sequence)
	if r.Payload != nil {
		b = append(b, r.Payload...)
	} else {
		b = appendPattern(b, r.payloadSize())
	}
	if t == V4EchoRequest {
		binary.BigEndian.PutUint16(b[start+2:], wire.Checksum(b[start:]))
	}
	return b, nil
}

func (r *Request) payloadSize() int {
	switch {
	case r.Size < 0:
		return 0
	case r.Size == 0:
		return DefaultSize
	}
	return r.Size
}

// appendPattern appends n bytes that count up. They reveal a link that damages some bit
// patterns, and a host that answers with other data.
func appendPattern(b []byte, n int) []byte {
	for i := range n {
		b = append(b, byte(i))
	}
	return b
}

// Answers reports whether reply answers this request. It does if it is an echo reply from
// the destination, or an error that quotes the request, with the id and sequence number of
// the request. Redirect and Source Quench do not count: the request continues. For a
// Message, a reply must have the type that answers the Message's type (see [Type.Reply]),
// and replies and errors must have its id and sequence number if the type has them.
//
// If Destination is a multicast or limited broadcast address, an echo reply of any host
// answers the request. A subnet's broadcast address looks like a host's: receive its
// replies without a request. Answers does not compare payloads: id and sequence number
// identify up to 65,536 open requests of a socket.
func (r *Request) Answers(reply *Reply) bool {
	m := &reply.Message
	if m.Type.Version() != VersionOf(r.Destination) {
		return false
	}
	if r.Message != nil {
		return r.answersMessage(reply)
	}
	if m.Type.IsEchoReply() {
		return m.ID == r.ID && m.Sequence == r.Sequence && answersFrom(r.Destination, reply.Source)
	}
	if !m.Type.IsError() || m.Kind() == KindRedirect || m.Kind() == KindSourceQuench {
		return false // advice: the request continues
	}
	q := &m.Quote
	return q.Type.IsEchoRequest() && q.ID == r.ID && q.Sequence == r.Sequence && r.isQuoted(q)
}

// isQuoted reports whether a quoted packet had the request's destination.
func (r *Request) isQuoted(q *Quote) bool {
	return r.Destination.IsUnspecified() || sameAddr(q.Destination, r.Destination)
}

// answersMessage is Answers for a request with a Message.
func (r *Request) answersMessage(reply *Reply) bool {
	m, sent := &reply.Message, r.Message
	if m.Type.IsError() {
		q := &m.Quote
		if m.Kind() == KindRedirect || m.Kind() == KindSourceQuench || q.Type != sent.Type || !r.isQuoted(q) {
			return false
		}
		return !sent.Type.HasID() || len(q.Transport) >= headerLen && identified(sent) == [4]byte(q.Transport[minLen:])
	}
	if m.Type != sent.Type.Reply() || !answersFrom(r.Destination, reply.Source) {
		return false
	}
	ours, theirs := identified(sent), identified(m)
	if sent.Type == V4ExtendedEchoRequest || sent.Type == V6ExtendedEchoRequest {
		ours[3], theirs[3] = 0, 0 // the flags of the request and the state in the reply (RFC 8335 sections 2 and 3)
	}
	return !sent.Type.HasID() || ours == theirs
}

// identified returns the id and the sequence number of a message that has them.
func identified(m *Message) (id [4]byte) {
	if m.Type.IsEchoRequest() || m.Type.IsEchoReply() {
		binary.BigEndian.PutUint16(id[:], m.ID)
		binary.BigEndian.PutUint16(id[2:], m.Sequence)
		return id
	}
	copy(id[:], m.Payload)
	return id
}

// answersFrom reports whether source may answer a request to an address.
func answersFrom(to, source netip.Addr) bool {
	to = to.Unmap()
	switch {
	case to.IsUnspecified():
		return source.IsLoopback() // the kernel sends packets for 0.0.0.0 and :: there
	case to.IsMulticast() || to == limitedBroadcast:
		return true
	}
	return sameAddr(to, source)
}

// limitedBroadcast is 255.255.255.255 (RFC 919 section 7).
var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// sameAddr compares addresses, and their zones if both have one.
func sameAddr(a, b netip.Addr) bool {
	a, b = a.Unmap(), b.Unmap()
	if a.Zone() == "" || b.Zone() == "" {
		return a.WithZone("") == b.WithZone("")
	}
	return a == b
}
