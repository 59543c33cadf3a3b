package icmplib

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/names"
	"github.com/goicmp/icmplib/socket"
)

// Errors of this package. In addition, errors.Is finds [os.ErrPermission], [net.ErrClosed],
// [errors.ErrUnsupported] and the errors of package context; errors.As finds [*icmp.Error],
// which carries the ICMP message, [*socket.OpError], [*socket.PermissionError] and
// [*ConfigError].
var (
	// ErrTimeout: no answer came before the timeout.
	ErrTimeout = errors.New("no answer within the timeout")

	// ErrNameLookup: a name could not be resolved, or cannot be a name.
	ErrNameLookup = names.ErrLookup

	// ErrTimeExceeded: the packet's TTL reached zero at a router.
	ErrTimeExceeded = icmp.ErrTimeExceeded

	// ErrUnreachable: a router or the target reported that the target is unreachable.
	ErrUnreachable = icmp.ErrUnreachable

	// ErrPacketTooBig: the packet was too big for the path, and fragmentation was not
	// allowed.
	ErrPacketTooBig = icmp.ErrPacketTooBig
)

// ConfigError is an option that cannot be used: the field, its value, and the allowed
// values. It is returned before anything is sent.
type ConfigError = icmp.FieldError

// statusError is a Status as an error, for a Result that has no better one.
type statusError Status

func (e statusError) Error() string { return Status(e).String() }

// Is makes errors.Is find the errors that the Status stands for.
func (e statusError) Is(target error) bool {
	switch Status(e) {
	case StatusTTLExpired:
		return target == ErrTimeExceeded
	case StatusUnreachable, StatusNetworkUnreachable, StatusRefused:
		return target == ErrUnreachable
	case StatusPacketTooBig:
		return target == ErrPacketTooBig
	case StatusPermissionDenied:
		return target == fs.ErrPermission
	case StatusInvalidArgument:
		return target == fs.ErrInvalid
	}
	return false
}

// refusals lists the system errors that have their own Status.
var refusals = []struct {
	errno  syscall.Errno
	status Status
}{
	{syscall.ENETUNREACH, StatusNetworkUnreachable},
	{syscall.EHOSTUNREACH, StatusUnreachable},
	{syscall.ENETDOWN, StatusNetworkDown},
	{syscall.ENODEV, StatusNetworkDown},
	{syscall.EHOSTDOWN, StatusHostDown},
	{syscall.EPERM, StatusPermissionDenied},
	{syscall.EACCES, StatusPermissionDenied},
	{syscall.EMSGSIZE, StatusPacketTooBig},
	{syscall.EINVAL, StatusInvalidArgument},
	{syscall.EADDRINUSE, StatusAddressInUse},
	{syscall.EADDRNOTAVAIL, StatusAddressNotAvailable},
}

func refusedStatus(err error) Status {
	if errors.Is(err, socket.ErrInterfaceGone) {
		return StatusNetworkDown // whatever error the system returns
	}
	for _, r := range refusals {
		if errors.Is(err, r.errno) {
			return r.status
		}
	}
	return StatusSendError
}
