package transport

import (
	"errors"
	"syscall"
)

// noRoute reports whether connect(2) failed because there is no way to the address,
// or no address of its family to send from.
func noRoute(err error) bool {
	for _, errno := range []error{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
