package socket

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/goicmp/icmplib/internal/permission"
)

// PermissionError says why the system denied a socket, and what would allow it.
// errors.Is(err, os.ErrPermission) holds.
type PermissionError struct {
	Obstacle string // what stands in the way, as found on this machine
	Cure     string // a command or setting that removes it
	Err      error  // what the system said
}

// Error gives the obstacle and the cure.
func (e *PermissionError) Error() string {
	s := e.Err.Error() + ": " + e.Obstacle
	if e.Cure != "" {
		s += "; to allow it: " + e.Cure
	}
	return s
}

// Unwrap returns what the system said.
func (e *PermissionError) Unwrap() error { return e.Err }

// explainListen says of a socket that could not be opened what to do about it.
func explainListen(mode Mode, cfg *Config, err error) error {
	var explained *PermissionError
	switch {
	case errors.As(err, &explained):
		return err
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: %v is not an address of this host: use one that it has, or none", err, cfg.Source)
	case errors.Is(err, os.ErrPermission):
		return deny(mode, err)
	}
	return err
}

// denyMark explains a missing permission to set a routing mark.
func denyMark(mark uint32, err error) error {
	if !errors.Is(err, os.ErrPermission) {
		return err
	}
	obstacle, cure := permission.Mark(mark)
	return &PermissionError{Obstacle: obstacle, Cure: cure, Err: err}
}

// deny explains a missing permission to open a socket at all.
func deny(mode Mode, err error) error {
	e := &PermissionError{Err: err}
	if mode == Datagram {
		e.Obstacle, e.Cure = permission.Datagram()
	} else {
		e.Obstacle, e.Cure = permission.Raw()
	}
	return e
}
