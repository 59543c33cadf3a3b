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

// OpenUDP makes a UDP socket, of its own IP version only.
func (p *Poller) OpenUDP(ipv6 bool, key uint64) (*Socket, error) {
	s, err := p.Open(domainOf(ipv6), unix.SOCK_DGRAM, 0, key)
	if err != nil {
		return nil, err
	}
	return s, s.only(ipv6)
}

// OpenIdle makes a UDP, TCP or SCTP socket that nobody reads, of its own IP
// version only.
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

// only keeps an IPv6 socket from IPv4, or closes it.
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

// SendFlowLabels has the flow labels of Outbound sent. (Since Linux 5.3 nobody
// has to have one assigned, as long as no process holds one for itself alone.)
func (s *Socket) SendFlowLabels() error {
	return s.setAll([]option{{"IPV6_FLOWINFO_SEND", unix.SOL_IPV6, ipv6FlowInfoSend, 1, false}})
}
