package sys

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// set sets an integer option and names it in the error.
func (s *Socket) set(name string, level, option, value int) error {
	return s.Control(func(fd int) error {
		if err := unix.SetsockoptInt(fd, level, option, value); err != nil {
			return os.NewSyscallError("setsockopt "+name, err)
		}
		return nil
	})
}

// setAll sets each option of a table. It skips a wish that the system does not know:
// emulations (qemu-user, gVisor, WSL 1) lack some options.
func (s *Socket) setAll(options []option) error {
	for _, o := range options {
		err := s.set(o.name, o.level, o.option, o.value)
		switch unknown := IsUnknownOption(err); {
		case unknown && !o.wish:
			return fmt.Errorf("%w: this system, maybe an emulation of another, lacks what is needed: %w", err, errors.ErrUnsupported)
		case err != nil && !unknown:
			return err
		}
	}
	return nil
}

type option struct {
	name                 string
	level, option, value int
	wish                 bool // the socket also works without it, but some field stays unknown
}

// IsUnknownOption reports whether err means that the system lacks an option.
func IsUnknownOption(err error) bool {
	return errors.Is(err, unix.ENOPROTOOPT) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS)
}

// Describe4 requests the timestamp, interface, TTL and traffic class of every IPv4 datagram,
// and sets the defaults for outgoing datagrams without a control message. A socket that
// delivers the IP header, as raw sockets do, has TTL and traffic class there. A field that
// the system does not provide stays unknown.
func (s *Socket) Describe4(ttl int, header bool) error {
	err := s.setAll([]option{
		{"SO_TIMESTAMPNS", unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1, true},
		{"IP_TTL", unix.SOL_IP, unix.IP_TTL, ttl, false},
		{"IP_MULTICAST_TTL", unix.SOL_IP, unix.IP_MULTICAST_TTL, ttl, false},
		{"IP_PKTINFO", unix.SOL_IP, unix.IP_PKTINFO, 1, true},
	})
	if err != nil || header {
		return err
	}
	return s.setAll([]option{
		{"IP_RECVTTL", unix.SOL_IP, unix.IP_RECVTTL, 1, true},
		{"IP_RECVTOS", unix.SOL_IP, unix.IP_RECVTOS, 1, true},
	})
}

// Describe6 is Describe4 for IPv6, whose sockets never deliver the IP header.
func (s *Socket) Describe6(ttl int) error {
	return s.setAll([]option{
		{"SO_TIMESTAMPNS", unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1, true},
		{"IPV6_UNICAST_HOPS", unix.SOL_IPV6, unix.IPV6_UNICAST_HOPS, ttl, false},
		{"IPV6_MULTICAST_HOPS", unix.SOL_IPV6, unix.IPV6_MULTICAST_HOPS, ttl, false},
		{"IPV6_RECVHOPLIMIT", unix.SOL_IPV6, unix.IPV6_RECVHOPLIMIT, 1, true},
		{"IPV6_RECVTCLASS", unix.SOL_IPV6, unix.IPV6_RECVTCLASS, 1, true},
		{"IPV6_RECVPKTINFO", unix.SOL_IPV6, unix.IPV6_RECVPKTINFO, 1, true},
	})
}

// Fragmentation4 sets whether IPv4 datagrams carry the don't-fragment flag. The kernel's
// cached path MTU never matters: with the flag, packets up to the MTU of the interface
// leave (IP_PMTUDISC_PROBE of ip(7)).
func (s *Socket) Fragmentation4(dont bool) error {
	value := unix.IP_PMTUDISC_DONT
	if dont {
		value = unix.IP_PMTUDISC_PROBE
	}
	return s.setAll([]option{{"IP_MTU_DISCOVER", unix.SOL_IP, unix.IP_MTU_DISCOVER, value, !dont}})
}

// Fragmentation6 sets whether the kernel may fragment large IPv6 datagrams. A system
// without these options always does.
func (s *Socket) Fragmentation6(dont bool) error {
	value, dontFrag := unix.IPV6_PMTUDISC_DONT, 0
	if dont {
		value, dontFrag = unix.IPV6_PMTUDISC_PROBE, 1
	}
	return s.setAll([]option{
		{"IPV6_MTU_DISCOVER", unix.SOL_IPV6, unix.IPV6_MTU_DISCOVER, value, !dont},
		{"IPV6_DONTFRAG", unix.SOL_IPV6, unix.IPV6_DONTFRAG, dontFrag, !dont},
	})
}

// QueueErrors makes the kernel put ICMP errors into the error queue, with the offset of
// their RFC 4884 extensions if the kernel supports that (5.9 and later).
func (s *Socket) QueueErrors(ipv6 bool) error {
	if ipv6 {
		_ = s.set("IPV6_RECVERR_RFC4884", unix.SOL_IPV6, unix.IPV6_RECVERR_RFC4884, 1)
		return s.set("IPV6_RECVERR", unix.SOL_IPV6, unix.IPV6_RECVERR, 1)
	}
	_ = s.set("IP_RECVERR_RFC4884", unix.SOL_IP, unix.IP_RECVERR_RFC4884, 1)
	return s.set("IP_RECVERR", unix.SOL_IP, unix.IP_RECVERR, 1)
}

// Exclusive disables sharing of the local port, or of the id of a datagram ICMP socket,
// for which the kernel enables it by itself.
func (s *Socket) Exclusive() error {
	return s.set("SO_REUSEADDR", unix.SOL_SOCKET, unix.SO_REUSEADDR, 0)
}

// SetBroadcast allows or forbids sending to broadcast addresses.
func (s *Socket) SetBroadcast(on bool) error {
	value := 0
	if on {
		value = 1
	}
	return s.set("SO_BROADCAST", unix.SOL_SOCKET, unix.SO_BROADCAST, value)
}

// SetMark sets the routing mark of sent packets.
func (s *Socket) SetMark(mark uint32) error {
	return s.setAll([]option{{"SO_MARK", unix.SOL_SOCKET, unix.SO_MARK, int(mark), false}})
}

// SetReceiveBuffer requests a receive buffer of size bytes: beyond the system's limit with
// CAP_NET_ADMIN, and otherwise up to the limit. Without CAP_NET_ADMIN, a buffer that already
// has this size stays as it is (the kernel grants twice the size that it accepts).
func (s *Socket) SetReceiveBuffer(size int) error {
	if s.set("SO_RCVBUFFORCE", unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) == nil {
		return nil
	}
	now, err := s.ReceiveBuffer()
	if err == nil && now >= 2*size {
		return nil
	}
	return s.set("SO_RCVBUF", unix.SOL_SOCKET, unix.SO_RCVBUF, size)
}

// ReceiveBuffer returns the size of the receive buffer, as the kernel counts.
func (s *Socket) ReceiveBuffer() (size int, err error) {
	err = s.Control(func(fd int) (err error) {
		size, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		return os.NewSyscallError("getsockopt SO_RCVBUF", err)
	})
	return size, err
}

// Restrict makes the socket send and receive only on an interface.
func (s *Socket) Restrict(name string) error {
	return s.Control(func(fd int) error {
		return os.NewSyscallError("setsockopt SO_BINDTODEVICE", unix.BindToDevice(fd, name))
	})
}

// BindDevice restricts the socket to an interface, also for multicast.
func (s *Socket) BindDevice(name string, index int, ipv6 bool) error {
	if err := s.Restrict(name); err != nil {
		return err
	}
	if ipv6 {
		return s.set("IPV6_MULTICAST_IF", unix.SOL_IPV6, unix.IPV6_MULTICAST_IF, index)
	}
	return s.Control(func(fd int) error {
		mreq := unix.IPMreqn{Ifindex: int32(index)}
		return os.NewSyscallError("setsockopt IP_MULTICAST_IF", unix.SetsockoptIPMreqn(fd, unix.SOL_IP, unix.IP_MULTICAST_IF, &mreq))
	})
}

// HasInterface reports whether an interface with an index exists in the socket's network
// namespace. An interface that was removed and made again has another index.
func (s *Socket) HasInterface(index uint32) bool {
	err := s.Control(func(fd int) error {
		var req struct {
			name  [unix.IFNAMSIZ]byte
			index uint32
			_     [20]byte
		}
		req.index = index
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCGIFNAME, uintptr(unsafe.Pointer(&req)))
		return syscallError("ioctl SIOCGIFNAME", errno)
	})
	return !errors.Is(err, unix.ENODEV)
}

// JoinGroup6 joins an IPv6 multicast group on an interface.
func (s *Socket) JoinGroup6(group netip.Addr, index int) error {
	return s.Control(func(fd int) error {
		mreq := unix.IPv6Mreq{Multiaddr: group.As16(), Interface: uint32(index)}
		return os.NewSyscallError("setsockopt IPV6_JOIN_GROUP", unix.SetsockoptIPv6Mreq(fd, unix.SOL_IPV6, unix.IPV6_JOIN_GROUP, &mreq))
	})
}

// StampSends makes the kernel stamp each packet when the driver gets it, and put the stamp
// into the error queue, without the packet (SOF_TIMESTAMPING_OPT_TSONLY) but with the ordinal
// of the send. Ordinals start at 0 each time that StampSends turns this on. It does not affect
// the stamps of received packets.
func (s *Socket) StampSends(on bool) error {
	value := 0
	if on {
		value = unix.SOF_TIMESTAMPING_TX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE |
			unix.SOF_TIMESTAMPING_OPT_ID | unix.SOF_TIMESTAMPING_OPT_TSONLY
	}
	return s.set("SO_TIMESTAMPING", unix.SOL_SOCKET, unix.SO_TIMESTAMPING, value)
}

// ClearPending clears the socket's error from an earlier datagram, which would otherwise
// make the next send fail. The entry stays in the error queue.
func (s *Socket) ClearPending() error {
	return s.Control(func(fd int) error {
		_, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		return os.NewSyscallError("getsockopt SO_ERROR", err)
	})
}
