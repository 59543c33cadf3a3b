//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package sys

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// PacketConn is a socket of package net. It adds options, and receiving with control
// messages and without waiting.
type PacketConn struct {
	net.PacketConn
	raw     syscall.RawConn
	ipv6    bool
	buf     []byte
	control []byte
}

// ListenPackets opens a raw socket by package net or, if the system has it, an ICMP socket
// that needs no privileges.
func ListenPackets(ipv6, raw bool, source netip.Addr) (*PacketConn, error) {
	var conn net.PacketConn
	var err error
	switch {
	case !raw:
		conn, err = listenDatagram(ipv6, source)
	case ipv6:
		conn, err = net.ListenPacket("ip6:ipv6-icmp", source.String())
	default:
		conn, err = net.ListenPacket("ip4:icmp", source.String())
	}
	if err != nil {
		return nil, err
	}
	c := &PacketConn{PacketConn: conn, ipv6: ipv6, buf: make([]byte, MaxDatagram), control: make([]byte, 512)}
	if c.raw, err = conn.(syscall.Conn).SyscallConn(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// listenDatagram opens an ICMP socket of type SOCK_DGRAM and hands it to package net.
func listenDatagram(ipv6 bool, source netip.Addr) (net.PacketConn, error) {
	family, protocol := unix.AF_INET, unix.IPPROTO_ICMP
	if ipv6 {
		family, protocol = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM, protocol)
	if err == unix.EPROTONOSUPPORT || err == unix.EPROTOTYPE {
		return nil, fmt.Errorf("ICMP sockets without privileges (SOCK_DGRAM) are not available on %s: %w",
			runtime.GOOS, errors.Join(errors.ErrUnsupported, err))
	}
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	unix.CloseOnExec(fd)
	file := os.NewFile(uintptr(fd), "datagram ICMP socket")
	defer file.Close() // package net has its own descriptor
	var to unix.Sockaddr
	if !ipv6 {
		to = &unix.SockaddrInet4{Addr: source.As4()}
	} else {
		to = &unix.SockaddrInet6{Addr: source.As16(), ZoneId: zoneIndex(source)}
	}
	if err := unix.Bind(fd, to); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	return net.FilePacketConn(file)
}

func zoneIndex(a netip.Addr) uint32 {
	if ifi, err := net.InterfaceByName(a.Zone()); err == nil {
		return uint32(ifi.Index)
	}
	return 0
}

// set sets an integer option; option 0 is one that this system lacks.
func (c *PacketConn) set(name string, level, option, value int) (err error) {
	if option == 0 {
		return fmt.Errorf("%s is not available on %s: %w", name, runtime.GOOS, errors.ErrUnsupported)
	}
	if controlErr := c.raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), level, option, value)
	}); controlErr != nil {
		return controlErr
	}
	return os.NewSyscallError("setsockopt", err)
}

// byFamily returns the option for the socket's family.
func (c *PacketConn) byFamily(option4, option6 int) (level, option int) {
	if c.ipv6 {
		return unix.IPPROTO_IPV6, option6
	}
	return unix.IPPROTO_IP, option4
}

// DontFragment sets the don't-fragment flag of IPv4, and keeps the system from
// fragmenting IPv6.
func (c *PacketConn) DontFragment() error {
	level, option := c.byFamily(optDontFragment4, optDontFragment6)
	return c.set("setting the don't-fragment flag (DontFragment)", level, option, 1)
}

// BindInterface makes the socket send and receive only on one interface.
func (c *PacketConn) BindInterface(index int) error {
	level, option := c.byFamily(optBoundInterface4, optBoundInterface6)
	return c.set("binding to an interface (Interface)", level, option, index)
}

// SetBroadcast allows or forbids packets to broadcast addresses.
func (c *PacketConn) SetBroadcast(on bool) error {
	value := 0
	if on {
		value = 1
	}
	return c.set("broadcast (SetBroadcast)", unix.SOL_SOCKET, unix.SO_BROADCAST, value)
}

// StampReceives makes the kernel stamp arriving packets, in microseconds.
func (c *PacketConn) StampReceives() error {
	return c.set("kernel timestamps", unix.SOL_SOCKET, unix.SO_TIMESTAMP, 1)
}

// SetReceiveBuffer requests a receive buffer of the given size. If the system refuses it, it
// requests half as much, and so on.
func (c *PacketConn) SetReceiveBuffer(bytes int) (err error) {
	const least = 8 << 10
	for ; bytes >= least; bytes /= 2 {
		if err = c.set("the receive buffer", unix.SOL_SOCKET, unix.SO_RCVBUF, bytes); !errors.Is(err, unix.ENOBUFS) {
			return err
		}
	}
	return err
}

// Receive waits for a datagram. At the read deadline it looks a last time, because package
// net gives up without a look, so that it does not miss a datagram that arrived in time. If
// there is none, in.Read is a time just before that look. The control messages and in.Data
// are valid until the next call.
func (c *PacketConn) Receive(in *Inbound) (control []byte, err error) {
	var received error
	err = c.raw.Read(func(fd uintptr) bool {
		control, received = c.receive(int(fd), in)
		return received != unix.EAGAIN
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		in.Read = time.Now()
		looked := c.raw.Control(func(fd uintptr) { control, received = c.receive(int(fd), in) })
		if looked == nil && received != unix.EAGAIN {
			err = nil
		}
	}
	if err != nil {
		return nil, err
	}
	return control, os.NewSyscallError("recvmsg", received)
}

// receive reads a datagram if there is one.
func (c *PacketConn) receive(fd int, in *Inbound) ([]byte, error) {
	n, controlLen, _, from, err := unix.Recvmsg(fd, c.buf, c.control, unix.MSG_DONTWAIT)
	for err == unix.EINTR {
		n, controlLen, _, from, err = unix.Recvmsg(fd, c.buf, c.control, unix.MSG_DONTWAIT)
	}
	if err != nil {
		return nil, err
	}
	in.Data, in.Size = c.buf[:n], n
	switch from := from.(type) {
	case *unix.SockaddrInet4:
		in.From = netip.AddrFrom4(from.Addr)
	case *unix.SockaddrInet6:
		in.From, in.Zone = netip.AddrFrom16(from.Addr), from.ZoneId
	}
	control := c.control[:controlLen]
	in.Stamp = Timestamp(control)
	return control, nil
}
