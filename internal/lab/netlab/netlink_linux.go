package netlab

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Attributes of rtnetlink(7) that package syscall does not have.
const (
	iflaLinkInfo = 18
	iflaNetNSPID = 19
	iflaNetNSFD  = 28
	iflaInfoKind = 1
	iflaInfoData = 2
	vethInfoPeer = 1
	rtmNewLink   = syscall.RTM_NEWLINK
	headerSize   = syscall.SizeofNlMsghdr
	createNew    = syscall.NLM_F_CREATE | syscall.NLM_F_EXCL
	nestedBit    = 0x8000
	noDAD        = 0x02 // IFA_F_NODAD: an IPv6 address that is usable at once
)

// message is a netlink request that is being built.
type message struct{ b []byte }

func newMessage(typ uint16, flags uint16, body ...byte) *message {
	m := &message{b: make([]byte, headerSize, 256)}
	binary.NativeEndian.PutUint16(m.b[4:], typ)
	binary.NativeEndian.PutUint16(m.b[6:], syscall.NLM_F_REQUEST|syscall.NLM_F_ACK|flags)
	m.b = append(m.b, body...)
	return m
}

// attribute appends an attribute whose value build appends.
func (m *message) attribute(typ uint16, build func()) {
	start := len(m.b)
	m.b = append(m.b, 0, 0, 0, 0)
	build()
	binary.NativeEndian.PutUint16(m.b[start:], uint16(len(m.b)-start))
	binary.NativeEndian.PutUint16(m.b[start+2:], typ)
	for len(m.b)%4 != 0 {
		m.b = append(m.b, 0)
	}
}

func (m *message) bytes(typ uint16, value []byte) {
	m.attribute(typ, func() { m.b = append(m.b, value...) })
}

func (m *message) text(typ uint16, value string) { m.bytes(typ, append([]byte(value), 0)) }

func (m *message) uint32(typ uint16, value uint32) {
	m.bytes(typ, binary.NativeEndian.AppendUint32(nil, value))
}

// send sends the request and waits for the kernel's verdict.
func (m *message) send() error {
	binary.NativeEndian.PutUint32(m.b, uint32(len(m.b)))
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer syscall.Close(fd)
	if err := syscall.Sendto(fd, m.b, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return os.NewSyscallError("sendto", err)
	}
	reply := make([]byte, 4096)
	n, _, err := syscall.Recvfrom(fd, reply, 0)
	if err != nil {
		return os.NewSyscallError("recvfrom", err)
	}
	if n < headerSize+4 || binary.NativeEndian.Uint16(reply[4:]) != syscall.NLMSG_ERROR {
		return fmt.Errorf("netlink: an answer of %d bytes that is no verdict", n)
	}
	if errno := -int32(binary.NativeEndian.Uint32(reply[headerSize:])); errno != 0 {
		return syscall.Errno(errno)
	}
	return nil
}

// linkBody is struct ifinfomsg.
func linkBody(index int) []byte {
	b := make([]byte, syscall.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	return b
}

func indexOf(name string) (int, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return 0, err
	}
	return ifi.Index, nil
}
