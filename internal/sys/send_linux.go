package sys

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sendControlSize holds a TTL, a traffic class and a source address.
var sendControlSize = 2*unix.CmsgSpace(4) + unix.CmsgSpace(unix.SizeofInet6Pktinfo)

// A Sender holds the headers of sendmmsg(2) for a number of datagrams. It is
// used by one goroutine at a time.
type Sender struct {
	hdrs    []mmsghdr
	iovs    []unix.Iovec
	names   []sockaddr
	control []byte

	stamps []time.Time

	// Refused is how often the kernel did not take the first of what it was
	// given, errors of earlier datagrams included.
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
	}
	for i := range n {
		h := &s.hdrs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&s.names[i]))
		h.Iov = &s.iovs[i]
		h.SetIovlen(1)
	}
	return s
}

// Sent returns when the i-th datagram was sent. Of several in one call each is
// stamped between the beginning of the call and its end, as its place says.
func (s *Sender) Sent(i int) time.Time { return s.stamps[i] }

// Len returns how many datagrams s has room for.
func (s *Sender) Len() int { return len(s.hdrs) }

// Set makes out the i-th datagram to send. Its data must stay as it is until it
// is sent.
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

// send gives the datagrams from first to last-1 to the kernel and returns how
// many it took, or why it did not take the first of them.
func (s *Sender) send(fd, first, last int) (int, unix.Errno) {
	hdrs := s.hdrs[first:last]
	for {
		before := time.Now()
		// It cannot block: to enter the scheduler would cost as much as the call.
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&hdrs[0])),
			uintptr(len(hdrs)), unix.MSG_DONTWAIT, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		s.stamp(first, int(n), before)
		return int(n), 0
	}
}

// wideCall is how long a call may take for each of its datagrams if they are to be
// stamped by their places. In one that took longer something else has happened, at
// which of them nobody knows.
const wideCall = 2500 * time.Nanosecond

// stamp notes when the n datagrams from first on were sent by the call that began
// at a moment and has just ended. One alone leaves at its beginning, and so do all
// of a call that was interrupted: no round trip is then made too short.
func (s *Sender) stamp(first, n int, before time.Time) {
	var took time.Duration
	if n > 1 {
		took = time.Since(before)
	}
	if took > time.Duration(n)*wideCall {
		took = 0
	}
	for i := range n {
		s.stamps[first+i] = before.Add(time.Duration(i) * took / time.Duration(n))
	}
}
