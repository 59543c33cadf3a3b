package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
}

// A Receiver holds the buffers of recvmmsg(2) for a number of datagrams. It is
// used by one goroutine at a time.
type Receiver struct {
	hdrs    []mmsghdr
	iovs    []unix.Iovec
	names   []sockaddr
	control [][controlSize]byte
	data    []byte // MaxDatagram for each; the kernel backs only what is written
}

// NewReceiver returns a Receiver for up to n datagrams at once.
func NewReceiver(n int) *Receiver {
	r := &Receiver{
		hdrs:    make([]mmsghdr, n),
		iovs:    make([]unix.Iovec, n),
		names:   make([]sockaddr, n),
		control: make([][controlSize]byte, n),
		data:    make([]byte, n*MaxDatagram),
	}
	for i := range n {
		r.iovs[i].Base = &r.data[i*MaxDatagram]
		r.iovs[i].SetLen(MaxDatagram)
		h := &r.hdrs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		h.Iov = &r.iovs[i]
		h.SetIovlen(1)
		h.Control = &r.control[i][0]
	}
	return r
}

// Len returns how many datagrams r has room for.
func (r *Receiver) Len() int { return len(r.hdrs) }

// receive reads what is there, up to limit datagrams, into the places from first on.
func (r *Receiver) receive(fd, first, limit int, flags uintptr) (int, unix.Errno) {
	r.prepare(first, limit)
	hdrs := r.hdrs[first:limit]
	for {
		// It cannot block: to enter the scheduler would cost as much as the call.
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&hdrs[0])),
			uintptr(len(hdrs)), flags|unix.MSG_DONTWAIT|unix.MSG_TRUNC, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		return int(n), 0
	}
}

// prepare resets the headers from first to limit-1, which the kernel writes to.
func (r *Receiver) prepare(first, limit int) {
	for i := first; i < limit; i++ {
		h := &r.hdrs[i].hdr
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(controlSize)
		h.Flags = 0
		r.names[i].Family = unix.AF_UNSPEC
	}
}

// Datagram decodes the i-th datagram of the last Receive into m.
func (r *Receiver) Datagram(i int, m *Inbound) {
	h := &r.hdrs[i]
	size := int(h.len)
	start := i * MaxDatagram
	*m = Inbound{Data: r.data[start : start+min(size, MaxDatagram)], Size: size}
	m.From, m.Zone, m.FromPort = getSockaddr(&r.names[i])
	parseControl(r.control[i][:min(int(h.hdr.Controllen), controlSize)], m)
}
