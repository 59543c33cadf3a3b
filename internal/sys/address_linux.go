package sys

import (
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bind binds the socket to a local address and port. The port of a datagram ICMP
// socket is the id of its echo requests.
func (s *Socket) Bind(addr netip.Addr, zone uint32, port uint16) error {
	var sa sockaddr
	size := putSockaddr(&sa, &Outbound{To: addr, Zone: zone, Port: port})
	return s.Control(func(fd int) error {
		_, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&sa)), uintptr(size))
		return syscallError("bind", errno)
	})
}

// LocalAddr returns the bound address and port.
func (s *Socket) LocalAddr() (addr netip.Addr, port uint16, err error) {
	var sa sockaddr
	size := uint32(unix.SizeofSockaddrInet6)
	err = s.Control(func(fd int) error {
		_, _, errno := unix.Syscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size)))
		return syscallError("getsockname", errno)
	})
	addr, _, port = getSockaddr(&sa)
	return addr, port, err
}

// syscallError is os.NewSyscallError for the result of a raw call.
func syscallError(name string, errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return os.NewSyscallError(name, errno)
}

// unspecifiedLike returns the unspecified address of a's family.
func unspecifiedLike(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// Source returns the address from which the kernel would send a datagram. It connects the
// socket, which must be a UDP socket, and sends nothing. Routing rules may depend on the
// destination, the port and the traffic class.
func (s *Socket) Source(out *Outbound) (source netip.Addr, err error) {
	var any, sa sockaddr // any is AF_UNSPEC, which undoes the last connect and its address
	size := putSockaddr(&sa, out)
	level, class := unix.SOL_IP, unix.IP_TOS
	if out.To.Is6() {
		level, class = unix.SOL_IPV6, unix.IPV6_TCLASS
	}
	_ = s.set("traffic class", level, class, max(out.TrafficClass, 0)) // few routes depend on it
	err = s.Control(func(fd int) error {
		if errno := connect(fd, &any, unix.SizeofSockaddrInet6); errno != 0 {
			return os.NewSyscallError("connect", errno)
		}
		return syscallError("connect", connect(fd, &sa, size))
	})
	if err != nil {
		return netip.Addr{}, err
	}
	source, _, err = s.LocalAddr()
	return source, err
}

func connect(fd int, sa *sockaddr, size uint32) unix.Errno {
	for {
		_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(sa)), uintptr(size))
		if errno != unix.EINTR {
			return errno
		}
	}
}
