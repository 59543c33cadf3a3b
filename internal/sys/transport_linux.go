package sys

import (
	"os"

	"golang.org/x/sys/unix"
)

// ipv6FlowInfoSend is IPV6_FLOWINFO_SEND (linux/in6.h).
const ipv6FlowInfoSend = 33

// OpenRaw makes a raw socket of a protocol above IP, or of ICMP.
func (p *Poller) OpenRaw(ipv6 bool, protocol uint8, key uint64) (*Socket, error) {
	return p.Open(domainOf(ipv6), unix.SOCK_RAW, int(protocol), key)
}

// OpenRawICMP makes a raw ICMP socket.
func (p *Poller) OpenRawICMP(ipv6 bool, key uint64) (*Socket, error) {
	return p.Open(domainOf(ipv6), unix.SOCK_RAW, icmpOf(ipv6), key)
}

// OpenUDP makes a UDP socket for one IP version.
func (p *Poller) OpenUDP(ipv6 bool, key uint64) (*Socket, error) {
	s, err := p.Open(domainOf(ipv6), unix.SOCK_DGRAM, 0, key)
	if err != nil {
		return nil, err
	}
	return s, s.only(ipv6)
}

// OpenIdle makes a UDP, TCP or SCTP socket for one IP version that is never read.
func OpenIdle(ipv6 bool, protocol uint8) (*Socket, error) {
	typ := unix.SOCK_STREAM
	if protocol == unix.IPPROTO_UDP {
		typ = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(domainOf(ipv6), typ|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(protocol))
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	s := &Socket{fd: fd}
	return s, s.only(ipv6)
}

// only restricts an IPv6 socket to IPv6. If that fails, it closes the socket.
func (s *Socket) only(ipv6 bool) error {
	if !ipv6 {
		return nil
	}
	err := s.set("IPV6_V6ONLY", unix.SOL_IPV6, unix.IPV6_V6ONLY, 1)
	if err != nil {
		_ = s.Close()
	}
	return err
}

// SendFlowLabels makes the kernel send the flow labels of Outbound. (Since Linux 5.3, the
// kernel need not assign a label first, unless a process holds one exclusively.)
func (s *Socket) SendFlowLabels() error {
	return s.setAll([]option{{"IPV6_FLOWINFO_SEND", unix.SOL_IPV6, ipv6FlowInfoSend, 1, false}})
}
