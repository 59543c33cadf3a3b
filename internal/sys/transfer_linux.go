package sys

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// pendingTries bounds how often a send is made again because of errors that may
// be those of earlier datagrams. Under load any number of them come one after the
// other.
const pendingTries = 16

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
	failed, errno := s.receiveErrors(r, first+n, limit)
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
	n, errno := s.receiveErrors(r, first, limit)
	if errno != 0 && errno != unix.EAGAIN {
		return 0, false, os.NewSyscallError("recvmmsg", errno)
	}
	return n, first+n < limit, nil
}

// receiveErrors reads the error queue.
func (s *Socket) receiveErrors(r *Receiver, first, limit int) (n int, errno unix.Errno) {
	n, errno = r.receive(s.fd, first, limit, unix.MSG_ERRQUEUE)
	if n > 0 {
		s.errorReads.Add(1)
	}
	return n, errno
}

// receiveData reads the receive queue. An error that an earlier datagram met is
// reported first as the errno of a call that then did nothing (ip(7),
// IP_RECVERR); its entry waits in the error queue, so the call is just made
// again. If it fails so each time, there is nothing to be had but errors.
func (s *Socket) receiveData(r *Receiver, first, limit int) (n int, errno unix.Errno) {
	for range pendingTries {
		if n, errno = r.receive(s.fd, first, limit, 0); !maybePending(errno) {
			return n, errno
		}
	}
	return 0, unix.EAGAIN
}

// Send gives the datagrams from first to last-1 of b to the kernel, and returns
// how many it took and, if not all, why it refused the next one: EAGAIN where
// errors of earlier datagrams keep coming in between.
func (s *Socket) Send(b *Sender, first, last int) (int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return 0, net.ErrClosed
	}
	sent := 0
	for first+sent < last {
		n, errno := s.sendSome(b, first+sent, last)
		if errno != 0 {
			return sent, os.NewSyscallError("sendmmsg", errno)
		}
		sent += n
	}
	return sent, nil
}

// sendSome makes the call again as long as its error may be that of an earlier
// datagram. It is the call's own if it comes twice in a row although no other was
// there, neither as the socket's (SO_ERROR) nor in its error queue, and nobody has
// read that queue meanwhile. EMSGSIZE, which leaves an entry in the queue itself, is
// the call's own if nothing else comes at all.
func (s *Socket) sendSome(b *Sender, first, last int) (n int, errno unix.Errno) {
	var before unix.Errno
	reads, alone, tooBig := s.errorReads.Load(), false, 0
	for range pendingTries {
		if n, errno = b.send(s.fd, first, last); errno == 0 {
			return n, 0
		}
		b.Refused++
		if !maybePending(errno) {
			return 0, errno
		}
		clean := s.clearPending() && s.errorReads.Load() == reads
		if alone && clean && errno == before {
			return 0, errno
		}
		if errno == unix.EMSGSIZE {
			tooBig++
		}
		before, alone, reads = errno, clean, s.errorReads.Load()
	}
	if tooBig == pendingTries {
		return 0, unix.EMSGSIZE
	}
	return 0, unix.EAGAIN
}

// clearPending takes away the error that the next call would report, and tells
// whether there was none and none is left in the error queue.
func (s *Socket) clearPending() bool {
	pending, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil || pending != 0 {
		return false
	}
	// POLLERR stands for both: an error of the socket and an entry of the queue.
	fds := [1]unix.PollFd{{Fd: int32(s.fd)}}
	n, err := unix.Poll(fds[:], 0)
	return err == nil && n == 0
}

// maybePending tells the errors that an ICMP error can leave behind (the tables
// icmp_err_convert and tab_unreach of the kernel, and those of local errors) from
// those that only the call itself can meet.
func maybePending(errno unix.Errno) bool {
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENOPROTOOPT, unix.ECONNREFUSED, unix.EMSGSIZE,
		unix.EOPNOTSUPP, unix.ENETDOWN, unix.EHOSTDOWN, unix.ENONET, unix.EACCES, unix.EPROTO:
		return true
	}
	return false
}
