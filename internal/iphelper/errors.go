package iphelper

import (
	"errors"
	"syscall"
)

// meanings holds what numbers of Windows' errors and IP statuses mean in the terms
// that programs ask for on every system. Go knows them by numbers that no system
// call returns on Windows.
var meanings = map[uint32]error{
	5:     syscall.EACCES,        // ERROR_ACCESS_DENIED
	8:     syscall.ENOMEM,        // ERROR_NOT_ENOUGH_MEMORY
	50:    errors.ErrUnsupported, // ERROR_NOT_SUPPORTED
	120:   errors.ErrUnsupported, // ERROR_CALL_NOT_IMPLEMENTED
	1231:  syscall.ENETUNREACH,   // ERROR_NETWORK_UNREACHABLE
	1232:  syscall.EHOSTUNREACH,  // ERROR_HOST_UNREACHABLE
	1450:  syscall.ENOBUFS,       // ERROR_NO_SYSTEM_RESOURCES
	10013: syscall.EACCES,        // WSAEACCES
	10035: syscall.EAGAIN,        // WSAEWOULDBLOCK
	10040: syscall.EMSGSIZE,      // WSAEMSGSIZE
	10043: errors.ErrUnsupported, // WSAEPROTONOSUPPORT
	10047: errors.ErrUnsupported, // WSAEAFNOSUPPORT
	10048: syscall.EADDRINUSE,    // WSAEADDRINUSE
	10049: syscall.EADDRNOTAVAIL, // WSAEADDRNOTAVAIL
	10050: syscall.ENETDOWN,      // WSAENETDOWN
	10051: syscall.ENETUNREACH,   // WSAENETUNREACH
	10055: syscall.ENOBUFS,       // WSAENOBUFS
	10064: syscall.EHOSTDOWN,     // WSAEHOSTDOWN
	10065: syscall.EHOSTUNREACH,  // WSAEHOSTUNREACH
	11002: syscall.ENETUNREACH,
	11003: syscall.EHOSTUNREACH,
	11006: syscall.ENOBUFS,
	11009: syscall.EMSGSIZE,

	uint32(Untouched): syscall.ENOBUFS,
}

// IP statuses share their numbers with what Winsock says of looked up names.
const firstStatus, lastStatus = 11000, 11050

// systemError is an error of the system with what it means.
type systemError struct{ said, means error }

func (e *systemError) Error() string   { return e.said.Error() }
func (e *systemError) Unwrap() []error { return []error{e.said, e.means} }

// Explain returns an error of the system for which errors.Is finds what it means:
// os.ErrPermission, syscall.EHOSTUNREACH, errors.ErrUnsupported and the like. Other
// errors, and nil, it returns as they are.
func Explain(err error) error {
	var status Status
	var errno syscall.Errno
	switch {
	case errors.As(err, &status):
	case errors.As(err, &errno) && (errno < firstStatus || errno > lastStatus):
		status = Status(errno)
	default:
		return err
	}
	if means, ok := meanings[uint32(status)]; ok {
		return &systemError{err, means}
	}
	return err
}

// Errno returns the error for a number that GetLastError gave: a [Status] if it is
// one, for which the system has no text, else the system's own.
func Errno(number uint32) error {
	if _, ok := statuses[Status(number)]; ok && number != 0 {
		return Status(number)
	}
	return syscall.Errno(number)
}
