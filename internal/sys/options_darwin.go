package sys

import "golang.org/x/sys/unix"

// Options of PacketConn that not every system has; 0: this system lacks it.
const (
	optDontFragment4   = unix.IP_DONTFRAG
	optDontFragment6   = unix.IPV6_DONTFRAG
	optBoundInterface4 = unix.IP_BOUND_IF
	optBoundInterface6 = unix.IPV6_BOUND_IF
)
