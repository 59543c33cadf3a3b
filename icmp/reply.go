package icmp

import (
	"bytes"
	"net/netip"
	"time"
)

// Reply is a received message and the circumstances of its arrival.
type Reply struct {
	Message

	Source         netip.Addr // the sender, with its zone if link-local
	Destination    netip.Addr // the local address at which it arrived; zero: unknown
	InterfaceIndex int        // of the interface at which it arrived; 0: unknown
	TTL            int        // TTL or hop limit on arrival; 0: unknown
	TrafficClass   uint8      // traffic class or TOS on arrival

	// Size is the length in bytes of the ICMP message with its 8-byte header,
	// as in "64 bytes from". It is 0 for an error from the error queue of Linux.
	Size int

	// Time is when the message arrived, with a monotonic reading: the time at
	// which it was read less Queued. Subtract [Request.Time] to get the RTT.
	Time time.Time

	// Queued is how long the message had waited in the socket's queue when it
	// was read. No RTT includes it.
	Queued time.Duration

	// Stamped is set if Queued, and therefore Time, comes from the kernel's
	// stamp. Otherwise Time is when the message was read, less Queued if the
	// system reports it in another way, as in datagram mode on Windows.
	Stamped bool

	// CounterRTT is the time from the call that sent the request to the system's
	// report of its answer, by a counter that is finer than the clock: in datagram
	// mode on Windows, where the clock may advance in steps of 16 ms. Elsewhere it is 0.
	CounterRTT time.Duration

	// KernelRTT is the time between two stamps of the kernel: the departure of
	// the last request with the sequence number that this message is about,
	// and the arrival of this message. It is 0 if it is not known, and always
	// if the socket was opened without SendTimestamps.
	KernelRTT time.Duration
}

// Err returns an [*Error] that holds the reply if it is an ICMP error, and nil for any
// other message. (It is raise_for_status of icmplib in Python.)
func (r *Reply) Err() error {
	if !r.Type.IsError() {
		return nil
	}
	return &Error{Reply: r}
}

// Clone returns a copy that shares no memory with the reply, and stays valid after the
// buffer that received the reply is used again.
func (r *Reply) Clone() *Reply {
	c := *r
	c.Payload = bytes.Clone(r.Payload)
	c.Extensions.Raw = bytes.Clone(r.Extensions.Raw)
	c.Quote.Transport = bytes.Clone(r.Quote.Transport)
	if r.Quote.Payload != nil {
		c.Quote.Payload = c.Quote.Transport[len(c.Quote.Transport)-len(r.Quote.Payload):]
	}
	return &c
}
