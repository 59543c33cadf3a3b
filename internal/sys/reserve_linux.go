package sys

import (
	"os"
	"sync"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// reservedBuffer is the receive buffer of a reserved socket in bytes. When the socket is
// taken, the process may no longer have the privilege to grow it.
const reservedBuffer = 1 << 20

// rawKind is the kind of a reserved socket.
type rawKind struct{ domain, protocol int }

// reserve holds raw sockets for a process that can no longer open them.
var reserve struct {
	sync.Mutex
	fds map[rawKind][]int
}

// ReserveRaw opens n raw sockets of a protocol above IP, or of ICMP for protocol 0, and keeps
// them for a process that is about to give up its privileges. [Poller.Open] takes one of them
// if the system refuses to open another one; each is used once. Until then, they receive
// nothing.
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
		_ = s.SetReceiveBuffer(reservedBuffer) // as large as the system grants
		reserve.Lock()
		if reserve.fds == nil {
			reserve.fds = map[rawKind][]int{}
		}
		reserve.fds[k] = append(reserve.fds[k], fd)
		reserve.Unlock()
	}
	return nil
}

// block makes a raw socket receive nothing. For ICMP, it passes no type, which the kernel
// checks before it copies a packet. A filter runs after the copy, so each socket would add
// to the cost of every ICMP packet of the host.
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
