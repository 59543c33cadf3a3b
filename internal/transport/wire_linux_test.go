package transport_test

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// home4 and home6 are the addresses of the host under test.
var (
	home4 = netip.MustParseAddr("192.0.2.1")
	home6 = netip.MustParseAddr("2001:db8::1")
)

func home(v icmp.Version) netip.Addr {
	if v == icmp.V4 {
		return home4
	}
	return home6
}

// link is the interface by which packets for the remote addresses leave.
const link = "end0"

// silence makes a link on which nobody answers, nor has to be found first.
func silence(t *testing.T) {
	for _, err := range []error{
		netlab.AddVeth(link, "end1"),
		noNeighbours(link),
		netlab.AddAddress(link, netip.PrefixFrom(home4, 24)),
		netlab.AddAddress(link, netip.PrefixFrom(home6, 64)),
		netlab.LinkUp("end1"),
		netlab.LinkUp(link), // the second of a pair can send at once
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	usable(t, home6)
}

// usable waits until the kernel, which takes up IPv6 addresses in its own time,
// lets an address be used.
func usable(t *testing.T, a netip.Addr) {
	for t.Context().Err() == nil {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0)))
		if err == nil {
			conn.Close()
			return
		}
		if !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

// noNeighbours has an interface that is still down send without asking for link
// layer addresses (netdevice(7), IFF_NOARP).
func noNeighbours(name string) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	var req struct { // struct ifreq
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], name)
	req.flags = syscall.IFF_NOARP
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&req))); errno != 0 {
		return errno
	}
	return nil
}

// sniffer sees the packets that leave for the remote address.
type sniffer struct {
	t  *testing.T
	fd int
}

func sniff(t *testing.T) *sniffer {
	all := binary.NativeEndian.Uint16([]byte{0, syscall.ETH_P_ALL}) // in network order
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	ifi, err := net.InterfaceByName(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: all, Ifindex: ifi.Index}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: 2}); err != nil {
		t.Fatal(err)
	}
	return &sniffer{t, fd}
}

// next returns the next packet that leaves for the remote address, from its IP
// header on.
func (s *sniffer) next(v icmp.Version) []byte {
	s.t.Helper()
	buf := make([]byte, 65536)
	for {
		n, from, err := syscall.Recvfrom(s.fd, buf, 0)
		if err != nil {
			s.t.Fatalf("nothing leaves: %v", err)
		}
		to := destination(buf[:n])
		if from.(*syscall.SockaddrLinklayer).Pkttype == syscall.PACKET_OUTGOING && to == remote(v) {
			return buf[:n]
		}
	}
}

func destination(packet []byte) netip.Addr {
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(packet[16:20]))
	case len(packet) >= 40 && packet[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(packet[24:40]))
	}
	return netip.Addr{}
}
