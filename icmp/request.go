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

	// MaxSize is the largest payload: what IPv4's total length (65,535) leaves
	// behind its header and that of ICMP. IPv6 has the same limit here.
	MaxSize = 65535 - wire.IPv4MinHeaderLen - headerLen
)

// Request is a packet to send: an echo request, or the Message that is given in its
// place. A zero field takes its default.
type Request struct {
	// Destination is the host to ask, with a zone where it is link-local IPv6.
	Destination netip.Addr

	// ID identifies the sender. Package socket sets it to the socket's id.
	ID uint16

	// Sequence identifies the request.
	Sequence uint16

	// Payload is sent behind the header and comes back in the reply. Nil means
	// that Size bytes are generated; empty and not nil means none.
	Payload []byte

	// Size is the number of payload bytes where Payload is nil: 0 means 56,
	// negative means none. At most [MaxSize].
	Size int

	// TTL is the TTL or hop limit, 1 to 255; 0 means 64.
	TTL int

	// TrafficClass is the traffic class or TOS byte, 0 to 255.
	TrafficClass int

	// Message, if not nil, is sent in place of an echo request: ID, Sequence, Payload
	// and Size are then not looked at. Its Type has to be of Destination's IP version.
	// Raw sockets send any type; datagram sockets echo requests, and on Linux extended
	// echo requests. Where the Type is a request with an id (see [Type.HasID]), package
	// socket sets that to the socket's, here and in the Message.
	Message *Message

	// Timeout is how long the system waits for an answer, in datagram mode on Windows,
	// where nothing is received later. 0 means 10 s. Elsewhere it has no effect.
	Timeout time.Duration

	// Time is set by package socket when it sends: just before the kernel was
	// given the packet.
	Time time.Time
}

// Validate returns a [*FieldError] for the first field that cannot be sent.
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

// Append appends the ICMP message to b, of the version that Destination has. It
// computes the checksum of IPv4; that of IPv6 needs the source address and is
// left zero, for the kernel to fill in. The error is that of [Request.Validate], or
// of [Message.Append].
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

// appendPattern appends n bytes that count up, in which a link that damages
// some bit patterns, or a host that answers with other data, shows.
func appendPattern(b []byte, n int) []byte {
	for i := range n {
		b = append(b, byte(i))
	}
	return b
}

// Answers reports whether a reply is about this request: a reply from its
// destination, or an error that quotes it, with its id and sequence number. To a
// Message that is another request than an echo, the reply of the type that answers
// it (see [Type.Reply]) counts; of errors its id and sequence number are compared, too,
// where it has them.
//
// If Destination is a multicast or limited broadcast address, any host's echo reply answers
// it. A subnet's broadcast address looks like a host's, so its replies must be received
// without a request. The payload is not compared: id and sequence number identify up to
// 65,536 open requests of a socket.
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
		return false // advice: the request goes on
	}
	q := &m.Quote
	return q.Type.IsEchoRequest() && q.ID == r.ID && q.Sequence == r.Sequence && r.isQuoted(q)
}

// isQuoted reports whether a quoted packet went where the request did.
func (r *Request) isQuoted(q *Quote) bool {
	return r.Destination.IsUnspecified() || sameAddr(q.Destination, r.Destination)
}

// answersMessage is Answers for the Message in place of an echo request.
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
		ours[3], theirs[3] = 0, 0 // what is asked, and the state that is told (RFC 8335 sections 2 and 3)
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

// answersFrom reports whether a request to an address may be answered from source.
func answersFrom(to, source netip.Addr) bool {
	to = to.Unmap()
	switch {
	case to.IsUnspecified():
		return source.IsLoopback() // where the kernel sends what goes to 0.0.0.0 or ::
	case to.IsMulticast() || to == limitedBroadcast:
		return true
	}
	return sameAddr(to, source)
}

// limitedBroadcast is 255.255.255.255 (RFC 919 section 7).
var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// sameAddr compares addresses, and their zones where both have one.
func sameAddr(a, b netip.Addr) bool {
	a, b = a.Unmap(), b.Unmap()
	if a.Zone() == "" || b.Zone() == "" {
		return a.WithZone("") == b.WithZone("")
	}
	return a == b
}
