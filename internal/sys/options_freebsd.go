package sys

import "golang.org/x/sys/unix"

// The options of PacketConn that not every system has; 0: not this one.
const (
	optDontFragment4   = unix.IP_DONTFRAG
	optDontFragment6   = unix.IPV6_DONTFRAG
	optBoundInterface4 = 0
	optBoundInterface6 = 0
)
