package socket

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/permission"
)

// ConfigError reports an invalid option or request, before anything is sent.
type ConfigError = icmp.FieldError

// ErrBroadcast is the cause if a send to a broadcast address fails because
// [ICMPv4.SetBroadcast] has not allowed it.
var ErrBroadcast = errors.New("broadcast is forbidden unless it is allowed: by SetBroadcast(true), Packet.Broadcast or ping --broadcast")

// ErrInterfaceGone is the cause if a send fails because the interface that the socket is
// bound to ([Config].Interface, or the zone of Config.Source) was removed. The socket does
// not use a later interface of the same name: open another socket. (A Prober does so by
// itself.) Linux only; other systems return their own errors.
var ErrInterfaceGone = errors.New("the interface that the socket was bound to was removed")

// OpError reports a failed operation of a socket. errors.Is and errors.As find its cause,
// such as os.ErrPermission, net.ErrClosed, errors.ErrUnsupported or an error number of the
// system.
type OpError struct {
	Op   string       // "listen", "send", "receive", "set broadcast" or "join group"
	Mode Mode         // of the socket; Auto if it is not known
	Addr netip.Addr   // the address that the operation was about; may be the zero Addr
	V    icmp.Version // of the socket
	Err  error        // the cause
}

// Operations of an OpError.
const (
	opListen    = "listen"
	opSend      = "send"
	opReceive   = "receive"
	opBroadcast = "set broadcast"
	opJoin      = "join group"
)

// Error names the operation, the socket, the address and the cause.
func (e *OpError) Error() string {
	s := fmt.Sprintf("%s on %s %s socket", e.Op, e.Mode, e.V)
	if e.Addr.IsValid() {
		s += " " + e.Addr.String()
	}
	return fmt.Sprint(s, ": ", cmp.Or(e.Err, errUnknown))
}

// errUnknown stands for the cause of an OpError that has none.
var errUnknown = errors.New("the cause is unknown")

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

// PermissionError reports why the system denied a socket or the sending of a packet, and
// how to allow it. errors.Is(err, os.ErrPermission) reports true.
type PermissionError struct {
	Obstacle string // the obstacle, as found on this machine
	Cure     string // a command or setting that removes it
	Err      error  // the system's error
}

// Error names the obstacle and the cure.
func (e *PermissionError) Error() string {
	s := fmt.Sprint(cmp.Or(e.Err, os.ErrPermission), ": ", e.Obstacle)
	if e.Cure != "" {
		s += "; to allow it: " + e.Cure
	}
	return s
}

// Unwrap returns the system's error.
func (e *PermissionError) Unwrap() error { return e.Err }

// explainListen adds to the error of a socket that could not be opened how to open it.
func explainListen(mode Mode, cfg *Config, err error) error {
	var explained *PermissionError
	switch {
	case errors.As(err, &explained):
		return err
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: %v is not an address of this host: use one that it has, or none", err, cfg.Source)
	case errors.Is(err, syscall.EADDRINUSE) && cfg.ID != 0:
		return fmt.Errorf("%w: another socket of this host, of either IP version, has the id %d: choose another one, or 0 to have one drawn", err, cfg.ID)
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

// denySend explains that the system did not let a packet out, whatever the privileges. For
// EACCES, see [ErrBroadcast].
func denySend(err error) error {
	obstacle, cure, denied := permission.Send(err)
	if !denied {
		return err
	}
	return &PermissionError{Obstacle: obstacle, Cure: cure, Err: err}
}

// deny explains a missing permission to open a socket.
func deny(mode Mode, err error) error {
	e := &PermissionError{Err: err}
	if mode == Datagram {
		e.Obstacle, e.Cure = permission.Datagram()
	} else {
		e.Obstacle, e.Cure = permission.Raw()
	}
	return e
}
