package transport

import (
	"errors"
	"fmt"
	"github.com/goicmp/icmplib/internal/netio"
	"os"
	"syscall"

	"github.com/goicmp/icmplib/internal/permission"
	"github.com/goicmp/icmplib/socket"
)

// Listen opens the sockets that the Config asks for.
//
// Errors: an [*icmp.FieldError] for an option that cannot be used, otherwise a
// [*socket.OpError]: with a [*socket.PermissionError] as its cause where a
// privilege is missing, with errors.ErrUnsupported for SCTP without
// privileges and for systems other than Linux.
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
	lc := linkConfig{Config: cfg, zone: zone, zones: &c.zones}
	if err := c.open(lc); err != nil {
		return nil, err
	}
	c.deadline.Apply = c.link.setReadDeadline
	return c, nil
}

// open opens the link in the configured mode; in Auto, in the first that works.
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

// explain says of sockets that could not be opened what to do about it.
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
