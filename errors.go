package icmplib

import (
	"errors"

	"github.com/goicmp/icmplib/icmp"
)

// Errors of this package. Errors of other kinds are found with errors.Is, too:
// [os.ErrPermission], [net.ErrClosed], [errors.ErrUnsupported] and those of
// package context; and with errors.As: [*icmp.Error], which carries the ICMP
// message, [*socket.OpError], [*socket.PermissionError] and [*ConfigError].
var (
	// ErrTimeout: no answer came before the timeout.
	ErrTimeout = errors.New("no answer within the timeout")

	// ErrNameLookup: a name could not be resolved, or cannot be one.
	ErrNameLookup = errors.New("name lookup failed")

	// ErrTimeExceeded: a router found that the packet's TTL had run out.
	ErrTimeExceeded = icmp.ErrTimeExceeded

	// ErrUnreachable: a router or the target said that the target cannot be
	// reached.
	ErrUnreachable = icmp.ErrUnreachable

	// ErrPacketTooBig: the packet was too big for the path, and not to be
	// fragmented.
	ErrPacketTooBig = icmp.ErrPacketTooBig
)

// ConfigError is an option that cannot be used: which field, the value it has,
// and what is allowed. It is found before anything is sent.
type ConfigError = icmp.FieldError
