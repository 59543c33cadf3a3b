package sys

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Socket is a non-blocking socket whose reader waits in Go's poller.
//
// The socket itself is not in the poller; an epoll instance that watches it
// is. Go's poller takes an event of exactly EPOLLERR for a descriptor that
// cannot be polled, and such an event is what an entry in the error queue
// gives while the send buffer is full. An epoll instance is only ever
// readable, so the case cannot arise.
type Socket struct {
	mu     sync.RWMutex // held for reading while fd is in use, for writing to close it
	fd     int
	closed bool

	ready    *os.File // the epoll instance
	readyRaw syscall.RawConn
}

// Open makes a socket and has it watched.
func Open(domain, typ, protocol int) (*Socket, error) {
	fd, err := unix.Socket(domain, typ|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	s := &Socket{fd: fd}
	if err := s.watch(); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return s, nil
}

func (s *Socket) watch() error {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	// EPOLLERR is always reported.
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(s.fd)}
	if err := unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, s.fd, &event); err != nil {
		_ = unix.Close(epfd)
		return os.NewSyscallError("epoll_ctl", err)
	}
	// os.NewFile puts only a non-blocking descriptor into the poller.
	if err := unix.SetNonblock(epfd, true); err != nil {
		_ = unix.Close(epfd)
		return os.NewSyscallError("fcntl", err)
	}
	s.ready = os.NewFile(uintptr(epfd), "icmp")
	s.readyRaw, err = s.ready.SyscallConn()
	return err
}

// Close wakes the reader and closes the socket. Only the first call does anything.
func (s *Socket) Close() error {
	if err := s.ready.Close(); err != nil {
		return net.ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return os.NewSyscallError("close", unix.Close(s.fd))
}

// Control calls f with the descriptor, which stays open meanwhile.
func (s *Socket) Control(f func(fd int) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return net.ErrClosed
	}
	return f(s.fd)
}

// Wait calls read until it returns true, each time that the socket may have
// become readable or may have an entry in its error queue; read must not keep
// its argument. Before read returns false, it must have found both empty. Wait
// ends with net.ErrClosed when the socket is closed and with
// os.ErrDeadlineExceeded at the read deadline.
func (s *Socket) Wait(read func(uintptr) bool) error {
	return wakeError(s.readyRaw.Read(read))
}

// wakeError maps the poller's errors to those that packages os and net export.
func wakeError(err error) error {
	switch {
	case err == nil, os.IsTimeout(err):
		return err
	default: // "use of closed file"
		return net.ErrClosed
	}
}

// SetReadDeadline bounds Wait, also a call that is waiting now.
func (s *Socket) SetReadDeadline(t time.Time) error {
	return wakeError(s.ready.SetReadDeadline(t))
}

// writeSlice bounds one wait for room in the send buffer, so that the end of a
// context and Close are noticed.
const writeSlice = 2 * time.Millisecond

// WaitWritable waits until the send buffer has room again or ctx ends.
func (s *Socket) WaitWritable(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var n int
		err := s.Control(func(fd int) (err error) {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			n, err = unix.Poll(fds, int(writeSlice.Milliseconds()))
			return err
		})
		if err == unix.EINTR {
			continue
		}
		if err != nil || n > 0 {
			return err
		}
	}
}

// OpenICMP makes an ICMP socket of either family and kind.
func OpenICMP(ipv6, raw bool) (*Socket, error) {
	domain, protocol, typ := unix.AF_INET, unix.IPPROTO_ICMP, unix.SOCK_DGRAM
	if ipv6 {
		domain, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	if raw {
		typ = unix.SOCK_RAW
	}
	return Open(domain, typ, protocol)
}
