package sys

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bare is a socket for a single thread: no Poller watches it, and its calls, which do not
// block, bypass the scheduler. It measures the least cost of a probe.
type Bare struct{ *Socket }

// OpenBareICMP is OpenICMP without a Poller.
func OpenBareICMP(ipv6, raw bool) (Bare, error) {
	typ := unix.SOCK_DGRAM
	if raw {
		typ = unix.SOCK_RAW
	}
	fd, err := unix.Socket(domainOf(ipv6), typ|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, icmpOf(ipv6))
	if err != nil {
		return Bare{}, os.NewSyscallError("socket", err)
	}
	return Bare{&Socket{fd: fd}}, nil
}

// StampArrivals makes the kernel stamp arriving datagrams. It enables no other control
// message.
func (b Bare) StampArrivals() error {
	return b.set("SO_TIMESTAMPNS", unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
}

// Send gives the first n datagrams to the kernel and returns how many it took; 0 if it has
// no room now.
func (b Bare) Send(s *Sender, n int) (int, error) {
	took, _, errno := syscall.RawSyscall6(unix.SYS_SENDMMSG, uintptr(b.fd), uintptr(unsafe.Pointer(&s.hdrs[0])), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
	switch errno {
	case 0:
		return int(took), nil
	case unix.EAGAIN, unix.ENOBUFS, unix.EINTR:
		return 0, nil
	}
	return 0, os.NewSyscallError("sendmmsg", errno)
}

// Receive reads the datagrams that have arrived and returns how many.
func (b Bare) Receive(r *Receiver) (int, error) {
	n, errno := r.receive(b.fd, 0, len(r.hdrs), 0)
	switch errno {
	case 0:
		return n, nil
	case unix.EAGAIN:
		return 0, nil
	}
	return 0, os.NewSyscallError("recvmmsg", errno)
}

// Wait waits for a datagram, no longer than atMost, and reports whether there is one.
func (b Bare) Wait(atMost time.Duration) bool {
	fds := []unix.PollFd{{Fd: int32(b.fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(atMost.Milliseconds()))
	return n > 0 || err == unix.EINTR
}

// Close closes the socket.
func (b Bare) Close() error { return os.NewSyscallError("close", unix.Close(b.fd)) }
