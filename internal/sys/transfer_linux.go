package sys

import (
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pendingTries is the largest number of tries of a call because of errors that may be
// those of earlier datagrams. Under load, any number of these come one after another.
const pendingTries = 16

// Receive reads the receive queue and then, if errQueue is set and there is room, the error
// queue, into the places of r from first to limit-1. It returns how many entries it read, and
// reports whether both queues were empty at the end. It does not wait.
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

// ReceiveErrors is Receive for the error queue only.
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

// receiveData reads the receive queue. The kernel first reports the error of an earlier
// datagram as the errno of a call that does nothing else (ip(7), IP_RECVERR). The entry waits
// in the error queue, so receiveData repeats the call. If all tries fail that way, there are
// only errors.
func (s *Socket) receiveData(r *Receiver, first, limit int) (n int, errno unix.Errno) {
	for range pendingTries {
		if n, errno = r.receive(s.fd, first, limit, 0); !maybePending(errno) {
			return n, errno
		}
	}
	return 0, unix.EAGAIN
}

// Send gives the datagrams from first to last-1 of b to the kernel. It returns how many the
// kernel took and, if not all, the error of the next one: EAGAIN if errors of earlier
// datagrams keep coming in between.
func (s *Socket) Send(b *Sender, first, last int) (int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return 0, net.ErrClosed
	}
	r := refusals{reads: s.errorReads.Load()}
	for next := first; next < last; {
		hdrs := b.hdrs[next:last]
		before := time.Now()
		// It cannot block, and entering the scheduler would cost as much as the call.
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&hdrs[0])),
			uintptr(len(hdrs)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			var took time.Duration
			if n > 1 {
				took = time.Since(before)
			}
			b.stamp(next, int(n), before, took)
			next += int(n)
			r = refusals{reads: r.reads}
		case unix.EINTR:
		default:
			b.Refused++
			if errno = s.refused(&r, errno); errno != 0 {
				return next - first, os.NewSyscallError("sendmmsg", errno)
			}
		}
	}
	return last - first, nil
}

// refusals records the failed calls for one datagram.
type refusals struct {
	tries  int
	tooBig int // EMSGSIZE
	errno  unix.Errno
	reads  uint64 // of the error queue, before the next call
	alone  bool   // there was no error but errno
}

// refused takes the error of a call. It returns the error if it is the call's own, and 0 if it
// may be that of an earlier datagram: the caller then tries again. The error is the call's own
// if it comes twice in a row although there was no other one, neither of the socket (SO_ERROR)
// nor in its error queue, and no goroutine has read that queue meanwhile. EMSGSIZE, which itself
// leaves an entry in the queue, is the call's own if no other error comes at all.
func (s *Socket) refused(r *refusals, errno unix.Errno) unix.Errno {
	if !maybePending(errno) {
		return errno
	}
	clean := s.clearPending() && s.errorReads.Load() == r.reads
	if r.alone && clean && errno == r.errno {
		return errno
	}
	r.tries++
	if errno == unix.EMSGSIZE {
		r.tooBig++
	}
	switch {
	case r.tooBig == pendingTries:
		return unix.EMSGSIZE
	case r.tries == pendingTries:
		return unix.EAGAIN
	}
	r.errno, r.alone, r.reads = errno, clean, s.errorReads.Load()
	return 0
}

// clearPending clears the error that the next call would report. It reports whether there was
// none, and none is in the error queue.
func (s *Socket) clearPending() bool {
	pending, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil || pending != 0 {
		return false
	}
	// POLLERR means an error of the socket, or an entry in the queue.
	fds := [1]unix.PollFd{{Fd: int32(s.fd)}}
	n, err := unix.Poll(fds[:], 0)
	return err == nil && n == 0
}

// maybePending distinguishes the errors that an ICMP error can leave behind (the tables
// icmp_err_convert and tab_unreach of the kernel, and local errors) from the errors that only
// the call itself can cause.
func maybePending(errno unix.Errno) bool {
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENOPROTOOPT, unix.ECONNREFUSED, unix.EMSGSIZE,
		unix.EOPNOTSUPP, unix.ENETDOWN, unix.EHOSTDOWN, unix.ENONET, unix.EACCES, unix.EPROTO:
		return true
	}
	return false
}
