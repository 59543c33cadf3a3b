package sys

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Socket is a non-blocking socket that a Poller watches.
type Socket struct {
	mu     sync.RWMutex // held for reading while fd is in use, for writing to close it
	fd     int
	closed bool

	errorReads atomic.Uint64 // how often entries were read from the error queue

	poller *Poller
	alone  bool // the poller is the socket's own
}

// Open makes a socket with its own Poller.
func Open(domain, typ, protocol int) (*Socket, error) {
	p, err := NewPoller()
	if err != nil {
		return nil, err
	}
	s, err := p.Open(domain, typ, protocol, 0)
	if err != nil {
		_ = p.Close()
		return nil, err
	}
	s.alone = true
	return s, nil
}

// Open makes a socket that p watches, under a key that [Poller.Ready] returns. The caller
// must close the socket, too, when it closes the Poller.
func (p *Poller) Open(domain, typ, protocol int, key uint64) (*Socket, error) {
	fd, err := unix.Socket(domain, typ|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if err == unix.EPERM || err == unix.EACCES {
		if reserved, ok := takeReserved(domain, typ, protocol); ok {
			fd, err = reserved, nil
		}
	}
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := p.add(fd, unix.EPOLLIN, key); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return &Socket{fd: fd, poller: p}, nil
}

// Close wakes the reader and closes the socket. Later calls do nothing.
func (s *Socket) Close() error {
	if s.alone {
		if err := s.poller.Close(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
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

// Watch makes the poller watch the socket again, or stop watching it, so that arriving
// datagrams wake no goroutine. It removes the socket from the poller, because epoll reports an
// entry of the error queue even if no events are requested (epoll_ctl(2), EPOLLERR).
func (s *Socket) Watch(on bool) error {
	return s.Control(func(fd int) error {
		if on {
			return s.poller.add(fd, unix.EPOLLIN, 0)
		}
		return s.poller.remove(fd)
	})
}

// Wait waits as [Poller.Wait] does: until the socket may have become readable
// or may have an entry in its error queue.
func (s *Socket) Wait(read func(uintptr) bool) error { return s.poller.Wait(read) }

// SetReadDeadline sets the deadline of Wait, also for a call that is already waiting.
func (s *Socket) SetReadDeadline(t time.Time) error { return s.poller.SetReadDeadline(t) }

// writeSlice is the longest single wait for room in the send buffer, so that WaitWritable
// notices the end of the context and Close.
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
	typ := unix.SOCK_DGRAM
	if raw {
		typ = unix.SOCK_RAW
	}
	return Open(domainOf(ipv6), typ, icmpOf(ipv6))
}

func domainOf(ipv6 bool) int {
	if ipv6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

func icmpOf(ipv6 bool) int {
	if ipv6 {
		return unix.IPPROTO_ICMPV6
	}
	return unix.IPPROTO_ICMP
}
