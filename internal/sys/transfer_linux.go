package sys

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// pendingTries bounds how often a call is made again because of a pending
// error. Each try takes one away, so all of them fail only if an ICMP error
// arrives between any two, or if the error is the call's own.
const pendingTries = 4

// Receive reads what the receive queue holds and then, if errQueue is set and
// there is room, the error queue, into the places of r from first to limit-1. It
// returns how many it read. Drained says that both were empty at the end. It
// does not wait.
func (s *Socket) Receive(r *Receiver, first, limit int, errQueue bool) (n int, drained bool, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return 0, false, net.ErrClosed
	}
	n, errno := s.receiveData(r, first, limit)
	if errno != 0 && errno != unix.EAGAIN {
		return 0, false, os.NewSyscallError("recvmmsg", errno)
	}
	if first+n == limit {
		return n, false, nil
	}
	if !errQueue {
		return n, true, nil
	}
	failed, errno := r.receive(s.fd, first+n, limit, unix.MSG_ERRQUEUE)
	if errno != 0 && errno != unix.EAGAIN {
		return n, false, os.NewSyscallError("recvmmsg", errno)
	}
	return n + failed, first+n+failed < limit, nil
}

// ReceiveErrors is Receive for the error queue alone.
func (s *Socket) ReceiveErrors(r *Receiver, first, limit int) (n int, drained bool, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return 0, false, net.ErrClosed
	}
	n, errno := r.receive(s.fd, first, limit, unix.MSG_ERRQUEUE)
	if errno != 0 && errno != unix.EAGAIN {
		return 0, false, os.NewSyscallError("recvmmsg", errno)
	}
	return n, first+n < limit, nil
}

// receiveData reads the receive queue. An error that an earlier datagram met is
// reported first as the errno of a call that then did nothing (ip(7),
// IP_RECVERR); its entry waits in the error queue, so the call is just made
// again.
func (s *Socket) receiveData(r *Receiver, first, limit int) (n int, errno unix.Errno) {
	for range pendingTries {
		n, errno = r.receive(s.fd, first, limit, 0)
		if errno == 0 || errno == unix.EAGAIN {
			break
		}
	}
	return n, errno
}

// Send gives the datagrams from first to last-1 of b to the kernel, and returns
// how many it took and, if not all, why it refused the next one.
func (s *Socket) Send(b *Sender, first, last int) (int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return 0, net.ErrClosed
	}
	sent := 0
	for tries := 0; first+sent < last; {
		n, errno := b.send(s.fd, first+sent, last)
		if errno != 0 {
			b.Refused++
			// As in receiveData: the error may be an earlier datagram's.
			if tries++; tries < pendingTries && maybePending(errno) {
				continue
			}
			return sent, os.NewSyscallError("sendmmsg", errno)
		}
		sent, tries = sent+n, 0
	}
	return sent, nil
}

// maybePending tells the errors that an ICMP error can leave behind (RFC 1122
// section 4.1.3.3 and the kernel's tables) from those that only the call itself
// can meet.
func maybePending(errno unix.Errno) bool {
	switch errno {
	case unix.EAGAIN, unix.ENOBUFS, unix.ENOMEM, unix.EINVAL, unix.EPERM, unix.EBADF, unix.EADDRNOTAVAIL:
		return false
	}
	return true
}
