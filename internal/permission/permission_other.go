//go:build !linux && !windows

package permission

import (
	"fmt"
	"runtime"
)

const cureRoot = "run the program as root"

// Datagram explains a denied datagram ICMP socket.
func Datagram() (obstacle, cure string) {
	return "datagram ICMP sockets are not open to this user on " + runtime.GOOS, cureRoot
}

// Raw explains a denied raw socket.
func Raw() (obstacle, cure string) {
	return "raw sockets need root on " + runtime.GOOS, cureRoot
}

// Mark explains a denied routing mark.
func Mark(mark uint32) (obstacle, cure string) {
	return fmt.Sprintf("the routing mark %d needs root on %s", mark, runtime.GOOS), cureRoot
}
