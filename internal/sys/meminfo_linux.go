package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Indices into the words that SO_MEMINFO gives (linux/sock_diag.h).
const (
	memInfoDropsIndex = 8 // SK_MEMINFO_DROPS
	memInfoWords      = 9 // SK_MEMINFO_VARS
)

func memInfoDrops(fd int) (uint32, error) {
	var words [memInfoWords]uint32
	size := uint32(unsafe.Sizeof(words))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&words)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, errno
	}
	return words[memInfoDropsIndex], nil
}
