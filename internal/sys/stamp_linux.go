package sys

import (
	"os"

	"golang.org/x/sys/unix"
)

// StampSends has the kernel stamp what is sent from now on as the driver gets
// it, and put the stamps into the error queue, without the packets
// (SOF_TIMESTAMPING_OPT_TSONLY) but with the ordinal of the send, from 0 on each
// time that this is turned on. Stamps of what is received stay as they are.
func (s *Socket) StampSends(on bool) error {
	value := 0
	if on {
		value = unix.SOF_TIMESTAMPING_TX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE |
			unix.SOF_TIMESTAMPING_OPT_ID | unix.SOF_TIMESTAMPING_OPT_TSONLY
	}
	return s.set("SO_TIMESTAMPING", unix.SOL_SOCKET, unix.SO_TIMESTAMPING, value)
}

// ClearPending takes the error that an earlier datagram met from the socket, so
// that the next send is not refused for it. Its entry stays in the error queue.
func (s *Socket) ClearPending() error {
	return s.Control(func(fd int) error {
		_, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		return os.NewSyscallError("getsockopt SO_ERROR", err)
	})
}
