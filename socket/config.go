package socket

import (
	"net"
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
)

// Config has the options of a socket. Nil and the zero value mean all defaults. A program
// may reuse a Config, but must not change it while a Listen call runs.
type Config struct {
	// Mode is the kind of socket; the default is Auto.
	Mode Mode

	// Source is the local address to send from and receive at. It must be of the
	// socket's IP version, with a zone if it is link-local. By default, the kernel
	// chooses one for each destination.
	Source netip.Addr

	// Interface is the name of the interface to send from and receive at. The
	// default is any interface. On Linux, any user may set it since 5.7, and
	// before only with CAP_NET_RAW; on macOS, any user may. On other systems,
	// Listen fails with errors.ErrUnsupported.
	Interface string

	// Mark is the routing mark (SO_MARK) of the packets that the socket sends;
	// 0 means none. Linux only, with CAP_NET_ADMIN or CAP_NET_RAW.
	Mark uint32

	// DontFragment sets the don't-fragment flag of IPv4, and keeps the kernel
	// from fragmenting IPv6. An error with the MTU then answers a packet larger
	// than the path MTU. Without it, packets are fragmented as needed. On systems
	// without the option, Listen fails with errors.ErrUnsupported: see
	// https://github.com/goicmp/icmplib/blob/main/docs/platforms.md.
	DontFragment bool

	// ID is the id of the echo requests. The default, 0, draws an id that no
	// other socket of this process uses. Listen fails if the given id is in use
	// and, in datagram mode on Windows, for any id but 0.
	ID uint16

	// Types are the types of messages to receive, whatever their ids and quotes. With
	// [icmp.AllTypes], the socket is a sniffer. By default, the socket receives
	// answers to its own echo requests. A datagram socket receives only replies to its own
	// echo and extended echo requests, and errors about them; for other types, Auto opens a
	// raw socket. A raw socket also receives this host's own requests if they come back to
	// it, as on a loopback interface.
	Types []icmp.Type

	// ReceiveBuffer is the size in bytes of the kernel's receive buffer. The
	// default is 1 MiB. Linux limits it to net.core.rmem_max for a process
	// without CAP_NET_ADMIN.
	ReceiveBuffer int

	// SendTimestamps makes the kernel stamp each request when it hands it to the network
	// driver, so that replies have a KernelRTT (SOF_TIMESTAMPING_TX_SOFTWARE). It is off by
	// default. It requires Linux 4.0 or later; elsewhere Listen fails with
	// errors.ErrUnsupported. The stamps share the receive buffer with the replies, each
	// stamp wakes the receiver, and SendBatch makes a system call for each request. Send
	// nothing through SyscallConn then, because the kernel numbers all packets that the
	// socket sends.
	SendTimestamps bool
}

const defaultReceiveBuffer = 1 << 20

// validate refuses invalid options, and resolves the interface.
func (c *Config) validate(v icmp.Version) (*net.Interface, error) {
	if c.Mode > Raw {
		return nil, &ConfigError{Field: "Mode", Value: c.Mode, Allowed: "Auto, Datagram or Raw"}
	}
	if c.Source.IsValid() && c.Source.Unmap().Is4() != (v == icmp.V4) {
		return nil, &ConfigError{Field: "Source", Value: c.Source, Allowed: "an " + v.String() + " address"}
	}
	if c.ReceiveBuffer < 0 {
		return nil, &ConfigError{Field: "ReceiveBuffer", Value: c.ReceiveBuffer, Allowed: "0 for the default, or a number of bytes"}
	}
	for _, t := range c.Types {
		if t.Version() != v {
			return nil, &ConfigError{Field: "Types", Value: t, Allowed: "types of " + v.String()}
		}
		if c.Mode == Datagram && !datagramReceives(t) {
			return nil, &ConfigError{Field: "Types", Value: t, Allowed: "with a datagram socket: echo replies, errors, and on Linux extended echo replies; others need a raw socket (Mode)"}
		}
	}
	if c.Interface == "" {
		return nil, nil
	}
	ifi, err := net.InterfaceByName(c.Interface)
	if err != nil {
		return nil, &ConfigError{Field: "Interface", Value: c.Interface, Allowed: "the name of an interface of this host"}
	}
	return ifi, nil
}

// datagramReceives reports whether datagram sockets receive messages of a type.
func datagramReceives(t icmp.Type) bool {
	return t.IsEchoReply() || t.IsError() ||
		(t == icmp.V4ExtendedEchoReply || t == icmp.V6ExtendedEchoReply) && datagramExtendedEcho
}

// datagramSends reports whether datagram sockets can send a message.
func datagramSends(m *icmp.Message) bool {
	switch m.Type {
	case icmp.V4EchoRequest, icmp.V6EchoRequest:
		return m.Code == 0
	case icmp.V4ExtendedEchoRequest, icmp.V6ExtendedEchoRequest:
		return m.Code == 0 && datagramExtendedEcho
	}
	return false
}

// typeSet is a set of types of one version. Nil means that none were given.
type typeSet [256]bool

func newTypeSet(types []icmp.Type) *typeSet {
	if types == nil {
		return nil
	}
	set := &typeSet{}
	for _, t := range types {
		set[t.Number()] = true
	}
	return set
}
