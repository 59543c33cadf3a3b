//go:build dragonfly || netbsd || openbsd

package sys

import "golang.org/x/sys/unix"

// Options of PacketConn that not every system has; 0: this system lacks it.
const (
	optDontFragment4   = 0
	optDontFragment6   = unix.IPV6_DONTFRAG
	optBoundInterface4 = 0
	optBoundInterface6 = 0
)
