//go:build !linux

package permission

import "runtime"

// cureCapability gives the privilege that raw sockets need.
const cureCapability = "run the program as root or administrator"

// Datagram says what denies a datagram ICMP socket.
func Datagram() (obstacle, cure string) {
	return "datagram ICMP sockets are not open to this user on " + runtime.GOOS, cureCapability
}

// Raw says what denies a raw socket.
func Raw() (obstacle, cure string) {
	return "raw sockets need root or an administrator on " + runtime.GOOS, cureCapability
}
