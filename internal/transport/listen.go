package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/netio"
	"github.com/goicmp/icmplib/internal/permission"
	"github.com/goicmp/icmplib/socket"
)

// Config has the options of a Conn.
type Config struct {
	Version  icmp.Version  // V4 or V6
	Protocol icmp.Protocol // UDP, TCP or SCTP

	// Mode is Raw, or Datagram for sockets that need no privilege. The default,
	// Auto, is Raw if the system grants it, because only Raw keeps checksums and
	// sequence numbers, and Datagram otherwise.
	Mode socket.Mode

	// Source, Interface, Mark and DontFragment are as in [socket.Config].
	Source       netip.Addr
	Interface    string
	Mark         uint32
	DontFragment bool

	// FirstPort is the first source port, and Ports the number of consecutive
	// source ports. The Conn holds them: no other process can use them meanwhile.
	// The defaults are a free port and 1. TCP without privileges holds none, and
	// uses any port.
	FirstPort uint16
	Ports     int

	// ReceiveBuffer is the size in bytes of the receive buffer of each socket;
	// the default is 1 MiB.
	ReceiveBuffer int

	// Sockets is the largest number of TCP probes in flight without privileges,
	// each of which is a socket; the default is 256. Beyond it, SendBatch returns an
	// error for which [socket.IsBusy] reports true.
	Sockets int
}

const (
	defaultReceiveBuffer = 1 << 20
	defaultSockets       = 256

	// maxPorts limits the descriptors that hold ports.
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
	}
	return nil
}

func exists(name string) bool {
	_, err := net.InterfaceByName(name)
	return err == nil
}

// Listen opens the sockets for a Config.
//
// Errors are an [*icmp.FieldError] for an invalid option, and otherwise a
// [*socket.OpError]. Its cause is a [*socket.PermissionError] if a privilege is missing,
// and errors.ErrUnsupported for SCTP without privileges and on systems other than Linux.
func Listen(cfg Config) (*Conn, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Conn{cfg: cfg, receiving: netio.NewContextMutex()}
	zone, err := c.zones.Index(cfg.Source.Zone())
	if err != nil {
		return nil, err
	}
	if c.device = zone; cfg.Interface != "" {
		if c.device, err = c.zones.Index(cfg.Interface); err != nil {
			return nil, err
		}
	}
	lc := linkConfig{Config: cfg, zone: zone, device: c.device, zones: &c.zones}
	if err := c.open(lc); err != nil {
		return nil, err
	}
	c.deadline.Apply = c.link.setReadDeadline
	return c, nil
}

// open opens the link in the configured mode, or in Auto in the first mode that works.
func (c *Conn) open(lc linkConfig) error {
	if lc.Mode != socket.Auto {
		return c.openMode(lc, lc.Mode)
	}
	rawErr := c.openMode(lc, socket.Raw)
	if rawErr == nil || !errors.Is(rawErr, os.ErrPermission) {
		return rawErr
	}
	err := c.openMode(lc, socket.Datagram)
	if errors.Is(err, errors.ErrUnsupported) {
		return errors.Join(rawErr, err)
	}
	return err
}

func (c *Conn) openMode(lc linkConfig, mode socket.Mode) (err error) {
	lc.Mode, c.cfg.Mode = mode, mode
	if c.link, err = openLink(lc); err != nil {
		return c.opError("listen", lc.Source, explain(&lc, err))
	}
	return nil
}

// explain adds to the error of sockets that could not be opened how to open them.
func explain(lc *linkConfig, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: %v is not an address of this host: use one that it has, or none", err, lc.Source)
	case errors.Is(err, os.ErrPermission) && lc.Mode == socket.Raw:
		obstacle, cure := permission.Raw()
		return &socket.PermissionError{Obstacle: obstacle, Cure: cure, Err: err}
	case errors.Is(err, os.ErrPermission) && lc.Mark != 0:
		obstacle, cure := permission.Mark(lc.Mark)
		return &socket.PermissionError{Obstacle: obstacle, Cure: cure, Err: err}
	}
	return err
}

// noRoute reports whether connect(2) failed because there is no route to the address,
// or no source address of its family.
func noRoute(err error) bool {
	for _, errno := range []error{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
