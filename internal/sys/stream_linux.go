package sys

import (
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Stream is a TCP connection that is being made, watched by a Poller. It can be used again
// after Close. One goroutine at a time may use it.
type Stream struct {
	sock Socket
	info unix.TCPInfo
}

// Open makes a TCP socket for one IP version. It queues ICMP errors, and closing it resets
// the connection.
func (s *Stream) Open(ipv6 bool) error {
	fd, err := unix.Socket(domainOf(ipv6), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return syscallError("socket", err.(unix.Errno))
	}
	s.sock.fd, s.sock.closed = fd, false
	if err := s.describe(ipv6); err != nil {
		_ = s.sock.Close()
		return err
	}
	return nil
}

func (s *Stream) describe(ipv6 bool) error {
	linger := unix.Linger{Onoff: 1} // 0 s: close resets the connection
	if err := unix.SetsockoptLinger(s.sock.fd, unix.SOL_SOCKET, unix.SO_LINGER, &linger); err != nil {
		return syscallError("setsockopt SO_LINGER", err.(unix.Errno))
	}
	if err := s.sock.setAll([]option{{"SO_TIMESTAMPNS", unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1, true}}); err != nil {
		return err
	}
	if ipv6 {
		if err := s.sock.only(ipv6); err != nil {
			return err
		}
	}
	return s.sock.QueueErrors(ipv6)
}

// Socket returns the socket, for the options that all sockets have.
func (s *Stream) Socket() *Socket { return &s.sock }

// Fragmentation4 is [Socket.Fragmentation4] for TCP, which sets the flag only for
// IP_PMTUDISC_DO. A SYN is small enough for any path MTU.
func (s *Stream) Fragmentation4(dont bool) error {
	value := unix.IP_PMTUDISC_DONT
	if dont {
		value = unix.IP_PMTUDISC_DO
	}
	return s.sock.set("IP_MTU_DISCOVER", unix.SOL_IP, unix.IP_MTU_DISCOVER, value)
}

// Connect sends a SYN to the destination of out, from the given port or, if that is 0, from
// any port, and makes p watch for the answer. It returns the port. Connections to different
// destinations may share a port.
func (s *Stream) Connect(p *Poller, out *Outbound, port uint16, key uint64) (uint16, error) {
	if err := s.setSYN(out); err != nil {
		return 0, err
	}
	if err := s.bind(out, port); err != nil {
		return 0, err
	}
	var sa sockaddr
	size := putSockaddr(&sa, out)
	if errno := connect(s.sock.fd, &sa, size); errno != 0 && errno != unix.EINPROGRESS {
		return 0, os.NewSyscallError("connect", errno)
	}
	_, port, err := s.sock.LocalAddr()
	if err != nil {
		return 0, err
	}
	return port, p.add(s.sock.fd, unix.EPOLLOUT, key)
}

// setSYN sets the header fields of the SYN. The kernel sends it again at least once (tcp(7),
// TCP_SYNCNT).
func (s *Stream) setSYN(out *Outbound) error {
	level, ttl, class := unix.SOL_IP, unix.IP_TTL, unix.IP_TOS
	if out.To.Is6() {
		level, ttl, class = unix.SOL_IPV6, unix.IPV6_UNICAST_HOPS, unix.IPV6_TCLASS
	}
	if out.TTL >= 0 {
		if err := s.sock.set("TTL", level, ttl, out.TTL); err != nil {
			return err
		}
	}
	if out.TrafficClass >= 0 {
		if err := s.sock.set("traffic class", level, class, out.TrafficClass); err != nil {
			return err
		}
	}
	if out.FlowLabel != 0 {
		if err := s.sock.SendFlowLabels(); err != nil {
			return err
		}
	}
	return s.sock.setAll([]option{{"TCP_SYNCNT", unix.SOL_TCP, unix.TCP_SYNCNT, 1, true}})
}

func (s *Stream) bind(out *Outbound, port uint16) error {
	if port == 0 && !out.Source.IsValid() {
		return nil
	}
	name, level, option := "SO_REUSEADDR", unix.SOL_SOCKET, unix.SO_REUSEADDR
	if port == 0 {
		name, level, option = "IP_BIND_ADDRESS_NO_PORT", unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT
	}
	if err := s.sock.set(name, level, option, 1); err != nil && !(port == 0 && IsUnknownOption(err)) {
		return err
	}
	source := out.Source
	if !source.IsValid() {
		source = unspecifiedLike(out.To)
	}
	return s.sock.Bind(source, out.Zone, port)
}

// Outcome is the result of a connection.
type Outcome struct {
	Queued      bool          // an ICMP error is in the Receiver
	Established bool          // SYN-ACK
	Refused     bool          // RST
	Again       bool          // the SYN was sent more than once
	RTT         time.Duration // from SYN to SYN-ACK, as the kernel measured it; 0: unknown
}

// Over returns the result of the connection, and reports whether the connection is over. It
// puts an ICMP error into a place of the Receiver.
func (s *Stream) Over(r *Receiver, place int) (o Outcome, over bool) {
	n, errno := r.receive(s.sock.fd, place, place+1, unix.MSG_ERRQUEUE)
	o.Queued = errno == 0 && n == 1
	// Reading the error queue has cleared the connection's own error, but that was the
	// queued one.
	pending, _ := unix.GetsockoptInt(s.sock.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	s.readInfo(unix.Errno(pending))
	o.Again = s.info.Total_retrans > 0
	switch state := s.info.State; {
	case o.Queued:
	case unix.Errno(pending) == unix.ECONNREFUSED:
		o.Refused = true
	case state == tcpSynSent:
		return o, false
	case state != tcpClosed, unix.Errno(pending) == unix.ECONNRESET, unix.Errno(pending) == unix.EPIPE:
		o.Established = true // or was, before the peer ended it
		o.RTT = time.Duration(s.info.Rtt) * time.Microsecond
	}
	return o, true
}

// States of a connection (TCP_SYN_SENT and others of linux/tcp_states.h).
const (
	tcpEstablished = 1
	tcpSynSent     = 2
	tcpClosed      = 7
)

// readInfo reads the state of the connection; pending is its error.
func (s *Stream) readInfo(pending unix.Errno) {
	s.info = unix.TCPInfo{}
	size := uint32(unsafe.Sizeof(s.info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(s.sock.fd), unix.SOL_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(&s.info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno == 0 {
		return
	}
	// The system only reports whether there is a connection: times and repeated SYNs
	// are not known.
	s.info.State = tcpEstablished
	if _, err := unix.Getpeername(s.sock.fd); err != nil {
		s.info.State = tcpSynSent
		if pending != 0 {
			s.info.State = tcpClosed
		}
	}
}

// Close ends the connection, by RST if it was made.
func (s *Stream) Close() error { return s.sock.Close() }
