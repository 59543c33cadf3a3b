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

// A Receiver holds the buffers of recvmmsg(2) for a number of datagrams. One goroutine at a
// time may use it.
type Receiver struct {
	hdrs    []mmsghdr
	iovs    []unix.Iovec
	names   []sockaddr
	control [][controlSize]byte

	// The buffers have MaxDatagram bytes each, of which the kernel backs only the
	// written ones. Those after the first few are made when all of these are in use,
	// because they would be most of the memory of a process that sends a few packets.
	few, more []byte
}

// fewDatagrams is the number of buffers of a new Receiver.
const fewDatagrams = 8

// stride is the distance between two buffers. With a power of two, or one less, the starts of
// all buffers would share a few cache lines.
const stride = MaxDatagram + 1 + 256

// NewReceiver returns a Receiver for up to n datagrams at once.
func NewReceiver(n int) *Receiver {
	r := &Receiver{
		hdrs:    make([]mmsghdr, n),
		iovs:    make([]unix.Iovec, n),
		names:   make([]sockaddr, n),
		control: make([][controlSize]byte, n),
		few:     make([]byte, min(n, fewDatagrams)*stride),
	}
	for i := range n {
		if i < fewDatagrams {
			r.back(i)
		}
		h := &r.hdrs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		h.Iov = &r.iovs[i]
		h.SetIovlen(1)
		h.Control = &r.control[i][0]
	}
	return r
}

// back assigns the i-th datagram its buffer.
func (r *Receiver) back(i int) {
	r.iovs[i].Base = &r.buffer(i)[0]
	r.iovs[i].SetLen(MaxDatagram)
}

func (r *Receiver) buffer(i int) []byte {
	if i < fewDatagrams {
		return r.few[i*stride:][:MaxDatagram]
	}
	return r.more[(i-fewDatagrams)*stride:][:MaxDatagram]
}

// grow assigns all datagrams a buffer.
func (r *Receiver) grow() {
	r.more = make([]byte, (len(r.hdrs)-fewDatagrams)*stride)
	for i := fewDatagrams; i < len(r.hdrs); i++ {
		r.back(i)
	}
}

// room returns how many datagrams have a buffer.
func (r *Receiver) room() int {
	if r.more == nil {
		return min(len(r.hdrs), fewDatagrams)
	}
	return len(r.hdrs)
}

// Len returns the number of datagrams for which r has room.
func (r *Receiver) Len() int { return len(r.hdrs) }

// receive reads the datagrams that have arrived into the places from first to limit-1.
func (r *Receiver) receive(fd, first, limit int, flags uintptr) (int, unix.Errno) {
	room := r.room()
	if limit <= room {
		return r.receiveInto(fd, first, limit, flags)
	}
	if first < room {
		n, errno := r.receiveInto(fd, first, room, flags)
		if errno != 0 || first+n < room {
			return n, errno
		}
	}
	r.grow()
	read := max(0, room-first)
	n, errno := r.receiveInto(fd, first+read, limit, flags)
	if errno != 0 && read > 0 {
		return read, 0 // the next call reports the error again
	}
	return read + n, errno
}

// receiveInto is receive for places that all have a buffer.
func (r *Receiver) receiveInto(fd, first, limit int, flags uintptr) (int, unix.Errno) {
	r.prepare(first, limit)
	hdrs := r.hdrs[first:limit]
	for {
		// It cannot block, and entering the scheduler would cost as much as the call.
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

// prepare resets the headers from first to limit-1, into which the kernel writes.
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
	*m = Inbound{Data: r.buffer(i)[:min(size, MaxDatagram)], Size: size}
	m.From, m.Zone, m.FromPort = getSockaddr(&r.names[i])
	parseControl(r.control[i][:min(int(h.hdr.Controllen), controlSize)], m)
}
