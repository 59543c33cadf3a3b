package sys

import (
	"os"
	"sync"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// reservedBuffer is the receive buffer of a reserved socket: the process may have
// lost the right to make it greater when the socket is taken.
const reservedBuffer = 1 << 20

// rawKind is what reserved sockets are told apart by.
type rawKind struct{ domain, protocol int }

// reserve holds raw sockets for when the process may open none any more.
var reserve struct {
	sync.Mutex
	fds map[rawKind][]int
}

// ReserveRaw opens n raw sockets of a protocol above IP, or of ICMP with protocol
// 0, and keeps them for a process that is about to give up its privileges:
// [Poller.Open] takes one of them, once, where the system refuses to open another.
// Until then they receive nothing.
func ReserveRaw(ipv6 bool, protocol uint8, n int) error {
	k := rawKind{domainOf(ipv6), int(protocol)}
	if protocol == 0 {
		k.protocol = icmpOf(ipv6)
	}
	for range n {
		fd, err := unix.Socket(k.domain, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, k.protocol)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		s := Socket{fd: fd}
		if err := s.block(ipv6, protocol == 0); err != nil {
			_ = unix.Close(fd)
			return err
		}
		_ = s.SetReceiveBuffer(reservedBuffer) // as far as it can be had
		reserve.Lock()
		if reserve.fds == nil {
			reserve.fds = map[rawKind][]int{}
		}
		reserve.fds[k] = append(reserve.fds[k], fd)
		reserve.Unlock()
	}
	return nil
}

// block has a raw socket receive nothing. That of ICMP passes no type, which the
// kernel looks at before it copies the packet; a filter it asks about the copy, and
// each socket would make each ICMP packet of the host dearer.
func (s *Socket) block(ipv6, icmp bool) error {
	if icmp {
		pass := s.PassTypes4
		if ipv6 {
			pass = s.PassTypes6
		}
		if err := pass(); err != nil {
			return err
		}
	}
	return s.AttachFilter([]bpf.Instruction{bpf.RetConstant{Val: 0}})
}

// takeReserved returns a reserved socket, if there is one.
func takeReserved(domain, typ, protocol int) (fd int, ok bool) {
	if typ != unix.SOCK_RAW {
		return 0, false
	}
	reserve.Lock()
	defer reserve.Unlock()
	k := rawKind{domain, protocol}
	left := reserve.fds[k]
	if len(left) == 0 {
		return 0, false
	}
	reserve.fds[k] = left[:len(left)-1]
	return left[len(left)-1], true
}
