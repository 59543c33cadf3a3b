package transport

import (
	"net"
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/socket"
)

// Config is how a Conn is opened.
type Config struct {
	Version  icmp.Version  // V4 or V6
	Protocol icmp.Protocol // UDP, TCP or SCTP

	// Mode is Raw, or Datagram for sockets that need no privilege. The default,
	// Auto, is Raw where it is granted, for it alone keeps checksums and
	// sequence numbers, else Datagram.
	Mode socket.Mode

	// Source, Interface, Mark and DontFragment are as in [socket.Config].
	Source       netip.Addr
	Interface    string
	Mark         uint32
	DontFragment bool

	// FirstPort is the first of the source ports, and Ports how many they are,
	// one behind the other. They are held: no other process can use them
	// meanwhile. The defaults are a free port and 1. TCP without privileges
	// holds none, and takes any.
	FirstPort uint16
	Ports     int

	// ReceiveBuffer is the size in bytes of the receive buffer of each socket;
	// the default is 1 MiB.
	ReceiveBuffer int

	// Sockets bounds the TCP probes in flight without privileges, each of which
	// is a socket; the default is 256. Beyond it SendBatch returns an error for
	// which [socket.IsBusy] holds.
	Sockets int

	// Lifetime is for how long such a socket waits for an answer; the default is
	// 3 s. From 1 s on the kernel sends its SYN again, see [Arrival].
	Lifetime time.Duration
}

const (
	defaultReceiveBuffer = 1 << 20
	defaultSockets       = 256
	defaultLifetime      = 3 * time.Second

	// maxPorts bounds the descriptors that hold ports.
	maxPorts = 512
)

// withDefaults returns c with its defaults filled in.
func (c Config) withDefaults() (Config, error) {
	if err := c.validate(); err != nil {
		return c, err
	}
	c.Source = c.Source.Unmap()
	c.Ports = max(c.Ports, 1)
	if c.ReceiveBuffer == 0 {
		c.ReceiveBuffer = defaultReceiveBuffer
	}
	if c.Sockets == 0 {
		c.Sockets = defaultSockets
	}
	if c.Lifetime == 0 {
		c.Lifetime = defaultLifetime
	}
	return c, nil
}

func (c *Config) validate() error {
	switch {
	case c.Version != icmp.V4 && c.Version != icmp.V6:
		return &icmp.FieldError{Field: "Version", Value: c.Version, Allowed: "V4 or V6"}
	case c.Protocol != icmp.UDP && c.Protocol != icmp.TCP && c.Protocol != icmp.SCTP:
		return &icmp.FieldError{Field: "Protocol", Value: c.Protocol, Allowed: "UDP, TCP or SCTP"}
	case c.Mode > socket.Raw:
		return &icmp.FieldError{Field: "Mode", Value: c.Mode, Allowed: "Auto, Datagram or Raw"}
	case c.Source.IsValid() && c.Source.Unmap().Is4() != (c.Version == icmp.V4):
		return &icmp.FieldError{Field: "Source", Value: c.Source, Allowed: "an " + c.Version.String() + " address"}
	case c.Ports < 0 || c.Ports > maxPorts:
		return &icmp.FieldError{Field: "Ports", Value: c.Ports, Allowed: "1 to 512, or 0 for 1"}
	case c.FirstPort != 0 && int(c.FirstPort)+max(c.Ports, 1) > 1<<16:
		return &icmp.FieldError{Field: "FirstPort", Value: c.FirstPort, Allowed: "one that leaves room for all of Ports up to 65535"}
	case c.ReceiveBuffer < 0:
		return &icmp.FieldError{Field: "ReceiveBuffer", Value: c.ReceiveBuffer, Allowed: "0 for the default, or a number of bytes"}
	case c.Sockets < 0:
		return &icmp.FieldError{Field: "Sockets", Value: c.Sockets, Allowed: "0 for the default, or a number of sockets"}
	case c.Interface != "" && !exists(c.Interface):
		return &icmp.FieldError{Field: "Interface", Value: c.Interface, Allowed: "the name of an interface of this host"}
	case c.Lifetime < 0:
		return &icmp.FieldError{Field: "Lifetime", Value: c.Lifetime, Allowed: "0 for the default, or a duration"}
	}
	return nil
}

func exists(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}
