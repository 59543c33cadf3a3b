//go:build !linux

package socket

import "runtime"

const cureCapability = "run the program as root or administrator"

func datagramObstacle() (obstacle, cure string) {
	return "datagram ICMP sockets are not open to this user on " + runtime.GOOS, cureCapability
}

func rawObstacle() (obstacle, cure string) {
	return "raw sockets need root or an administrator on " + runtime.GOOS, cureCapability
}
