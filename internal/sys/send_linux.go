package sys

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sendControlSize is the room for a TTL, a traffic class and a source address.
var sendControlSize = 2*unix.CmsgSpace(4) + unix.CmsgSpace(unix.SizeofInet6Pktinfo)

// A Sender holds the headers of sendmmsg(2) for a number of datagrams. One goroutine at a
// time may use it.
type Sender struct {
	hdrs    []mmsghdr
	iovs    []unix.Iovec
	names   []sockaddr
	control []byte

	stamps []time.Time
	usual  time.Duration // the pace of a call for several datagrams

	// Refused is how often the kernel did not take the first datagram of a call,
	// including because of errors of earlier datagrams.
	Refused int
}

// NewSender returns a Sender for up to n datagrams at once.
func NewSender(n int) *Sender {
	s := &Sender{
		hdrs:    make([]mmsghdr, n),
		iovs:    make([]unix.Iovec, n),
		names:   make([]sockaddr, n),
		control: make([]byte, n*sendControlSize),
		stamps:  make([]time.Time, n),
		usual:   firstPace,
	}
	for i := range n {
		h := &s.hdrs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&s.names[i]))
		h.Iov = &s.iovs[i]
		h.SetIovlen(1)
	}
	return s
}

// Sent returns when the i-th datagram was sent. For several datagrams in one call, the times
// are spread from the beginning of the call to its end in their order.
func (s *Sender) Sent(i int) time.Time { return s.stamps[i] }

// Len returns the number of datagrams for which s has room.
func (s *Sender) Len() int { return len(s.hdrs) }

// Set sets the i-th datagram to send. The caller must not change its data until it is sent.
func (s *Sender) Set(i int, out *Outbound) {
	h := &s.hdrs[i].hdr
	h.Namelen = putSockaddr(&s.names[i], out)
	s.iovs[i].Base = unsafe.SliceData(out.Data)
	s.iovs[i].SetLen(len(out.Data))

	control := s.control[i*sendControlSize : i*sendControlSize : (i+1)*sendControlSize]
	if out.To.Is4() {
		control = appendSendControl(control, out, unix.SOL_IP, unix.IP_TTL, unix.IP_TOS)
	} else {
		control = appendSendControl(control, out, unix.SOL_IPV6, unix.IPV6_HOPLIMIT, unix.IPV6_TCLASS)
	}
	h.Control = unsafe.SliceData(control)
	h.SetControllen(len(control))
}

func appendSendControl(b []byte, out *Outbound, level, ttl, class int) []byte {
	if out.TTL >= 0 {
		b = appendControl(b, level, ttl, out.TTL)
	}
	if out.TrafficClass >= 0 {
		b = appendControl(b, level, class, out.TrafficClass)
	}
	if out.Source.IsValid() {
		b = appendSource(b, out.Source, out.Zone)
	}
	return b
}

// A call gives its datagrams to the devices one after another, at about the same interval,
// its pace. A call that took longer was interrupted at an unknown datagram: its datagrams
// are stamped by the pace of the calls before, so that no round trip becomes too short.
const (
	firstPace  = 2 * time.Microsecond // assumed before the first call
	paceMemory = 8                    // the usual pace averages about so many calls
	leavesAt   = 4                    // a datagram leaves after 1/leavesAt of its time at the earliest
)

// stamp records when the n datagrams from first on were sent, by a call that began at before
// and took took. A single one leaves at the beginning.
func (s *Sender) stamp(first, n int, before time.Time, took time.Duration) {
	if n == 1 {
		s.stamps[first] = before
		return
	}
	pace := s.pace(took / time.Duration(n))
	at := before.Add(pace / leavesAt)
	for i := range n {
		s.stamps[first+i] = at
		at = at.Add(pace)
	}
}

// pace returns the pace for the stamps of a call whose datagrams took each on average.
func (s *Sender) pace(each time.Duration) time.Duration {
	s.usual += (min(each, 2*s.usual) - s.usual) / paceMemory
	return min(each, s.usual+s.usual/4)
}
