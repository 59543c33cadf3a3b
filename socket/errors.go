package socket

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/goicmp/icmplib/icmp"
)

// ConfigError is an option that cannot be used. It is found before anything is
// sent.
type ConfigError = icmp.FieldError

// ErrBroadcast is the cause when a destination is a broadcast address and
// [ICMPv4.SetBroadcast] was not called.
var ErrBroadcast = errors.New("broadcast is forbidden unless it is allowed: by SetBroadcast(true), Packet.Broadcast or ping --broadcast")

// OpError is an operation of a socket that failed. errors.Is and errors.As see
// the cause, so that os.ErrPermission, net.ErrClosed, errors.ErrUnsupported
// and the system's error numbers can be asked for.
type OpError struct {
	Op   string       // "listen", "send", "receive", "set broadcast" or "join group"
	Mode Mode         // of the socket; Auto while it is not known
	Addr netip.Addr   // what the operation was about; may be the zero Addr
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
	return s + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }
