package icmp

import (
	"encoding/binary"
	"time"

	"github.com/goicmp/icmplib/internal/wire"
)

var errTimestamp = wire.Malformed("no timestamp message")

// Timestamp is a timestamp request or reply of IPv4 (RFC 792): the times of day, in
// milliseconds, at which a request was sent, received and answered.
type Timestamp struct {
	// ID identifies the sender; package socket sets it. Sequence identifies the request.
	ID, Sequence uint16

	// Originate is when the sender sent the request; Receive and Transmit are when the
	// host received and answered it. They count milliseconds since midnight UT, unless
	// the highest bit is set, which marks other units. See [TimeOfDay].
	Originate, Receive, Transmit uint32
}

const (
	timestampLen = 16 // after the checksum

	day = 24 * time.Hour
)

// MillisecondOfDay returns t in the format of a timestamp: in milliseconds since midnight
// UT.
func MillisecondOfDay(t time.Time) uint32 {
	return uint32(t.Sub(t.Truncate(day)) / time.Millisecond)
}

// TimeOfDay returns a timestamp as the time since midnight UT, and reports whether it is
// one: a host without such a clock may count in other units.
func TimeOfDay(stamp uint32) (time.Duration, bool) {
	d := time.Duration(stamp) * time.Millisecond
	if d >= day { // also if the highest bit marks other units (RFC 792)
		return 0, false
	}
	return d, true
}

// Request returns the request as a message.
func (s *Timestamp) Request() *Message { return &Message{Type: V4Timestamp, Payload: s.append()} }

// Reply returns the reply as a message.
func (s *Timestamp) Reply() *Message { return &Message{Type: V4TimestampReply, Payload: s.append()} }

func (s *Timestamp) append() []byte {
	b := make([]byte, 0, timestampLen)
	b = binary.BigEndian.AppendUint16(b, s.ID)
	b = binary.BigEndian.AppendUint16(b, s.Sequence)
	b = binary.BigEndian.AppendUint32(b, s.Originate)
	b = binary.BigEndian.AppendUint32(b, s.Receive)
	return binary.BigEndian.AppendUint32(b, s.Transmit)
}

// Parse reads a timestamp request or reply, and overwrites all of s. For any other
// message, the error wraps [ErrMalformed].
func (s *Timestamp) Parse(m *Message) error {
	*s = Timestamp{}
	b := m.Payload
	if m.Type != V4Timestamp && m.Type != V4TimestampReply || len(b) < timestampLen {
		return errTimestamp
	}
	*s = Timestamp{
		ID:        binary.BigEndian.Uint16(b),
		Sequence:  binary.BigEndian.Uint16(b[2:]),
		Originate: binary.BigEndian.Uint32(b[4:]),
		Receive:   binary.BigEndian.Uint32(b[8:]),
		Transmit:  binary.BigEndian.Uint32(b[12:]),
	}
	return nil
}
