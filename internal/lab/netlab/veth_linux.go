package netlab

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// packetQdiscBypass is PACKET_QDISC_BYPASS of packet(7), which package syscall
// does not have.
const packetQdiscBypass = 20

// etherHeader is the length of an Ethernet header: two addresses and a type.
const etherHeader = 14

// vethPort is a packet socket on the other end of a veth pair. That end is in a
// namespace of its own, where no other socket and no protocol sees what comes.
type vethPort struct {
	*os.File
	in, out [etherHeader + maxPacket]byte
}

// openVeth makes a pair of interfaces, the near one of them in this namespace.
func openVeth(t testing.TB, device Device) (*vethPort, error) {
	far := NewNamespace(t)
	peer := device.Name + "p"
	if err := AddVeth(device.Name, peer); err != nil {
		return nil, err
	}
	near, err := net.InterfaceByName(device.Name)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(completeChecksums(device.Name), far.Take(peer)); err != nil {
		return nil, err
	}
	p := &vethPort{}
	err = far.Do(func() error { return p.open(peer, device.MTU) })
	if err != nil {
		return nil, err
	}
	copy(p.out[:6], near.HardwareAddr)
	return p, nil
}

// open opens the packet socket; it runs in the far namespace.
func (p *vethPort) open(name string, mtu int) error {
	index, err := indexOf(name)
	if err != nil {
		return err
	}
	if err := SetMTU(name, mtu); err != nil {
		return err
	}
	if err := set(setting{"ipv6/conf/" + name + "/disable_ipv6", "1"}); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := LinkUp(name); err != nil {
		return err
	}
	all := binary.NativeEndian.Uint16([]byte{0, syscall.ETH_P_ALL})
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	enlargeBuffers(fd)
	// The queue of the end that is set up first drops what it gets, until the
	// kernel has found the time to see that the other end is up.
	if err := syscall.SetsockoptInt(fd, syscall.SOL_PACKET, packetQdiscBypass, 1); err != nil {
		syscall.Close(fd)
		return os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: all, Ifindex: index}); err != nil {
		syscall.Close(fd)
		return os.NewSyscallError("bind", err)
	}
	p.File = os.NewFile(uintptr(fd), name)
	return nil
}

// enlargeBuffers gives bursts a place, as large as the system allows.
func enlargeBuffers(fd int) {
	const size = 16 << 20
	if syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, size) != nil {
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, size)
	}
	if syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUFFORCE, size) != nil {
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, size)
	}
}

func (p *vethPort) read() ([]byte, error) {
	n, err := p.File.Read(p.in[:])
	if n < etherHeader {
		return nil, err
	}
	return p.in[etherHeader:n], err
}

// write sends the packet with the type of its IP version: noise that has none
// is sent as IPv4, so that it arrives.
func (p *vethPort) write(packet []byte) error {
	typ := uint16(syscall.ETH_P_IP)
	if len(packet) > 0 && packet[0]>>4 == 6 {
		typ = syscall.ETH_P_IPV6
	}
	binary.BigEndian.PutUint16(p.out[etherHeader-2:], typ)
	n := copy(p.out[etherHeader:], packet)
	var err error
	for range 1000 {
		if _, err = p.File.Write(p.out[:etherHeader+n]); !errors.Is(err, syscall.ENOBUFS) {
			break
		}
		time.Sleep(time.Millisecond) // until the kernel has looked at what it got before
	}
	return err
}

// ethtool's request of linux/ethtool.h that switches the computing of
// checksums by the interface.
const (
	siocEthtool     = 0x8946
	ethtoolSetTxSum = 0x17
)

// completeChecksums makes the kernel compute the checksums of UDP and TCP: to a
// pair of interfaces, which no wire can damage packets on, it leaves that.
func completeChecksums(name string) error {
	return withInterface(name, func(fd int, generic *ifreq) error {
		value := struct{ command, data uint32 }{ethtoolSetTxSum, 0}
		req := struct {
			name [syscall.IFNAMSIZ]byte
			data unsafe.Pointer
			_    [24 - unsafe.Sizeof(uintptr(0))]byte
		}{name: generic.name, data: unsafe.Pointer(&value)}
		return os.NewSyscallError("ioctl SIOCETHTOOL", ioctl(fd, siocEthtool, unsafe.Pointer(&req)))
	})
}
