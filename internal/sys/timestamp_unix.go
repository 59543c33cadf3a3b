//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Timestamp returns the time in the control message of SO_TIMESTAMP, in wall-clock
// nanoseconds, or 0 if there is none. The control message is a timeval on every system that
// has the option.
func Timestamp(control []byte) int64 {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_SOCKET || m.Header.Type != unix.SCM_TIMESTAMP {
			continue
		}
		var tv unix.Timeval
		b := unsafe.Slice((*byte)(unsafe.Pointer(&tv)), unsafe.Sizeof(tv)) // the data need not be aligned
		if copy(b, m.Data) == len(b) {
			return tv.Nano()
		}
	}
	return 0
}
