package sys

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Indices into the words of SO_MEMINFO (linux/sock_diag.h).
const (
	memInfoReceived = 0 // SK_MEMINFO_RMEM_ALLOC
	memInfoBuffer   = 1 // SK_MEMINFO_RCVBUF
	memInfoDrops    = 8 // SK_MEMINFO_DROPS
	memInfoWords    = 9 // SK_MEMINFO_VARS
)

func memInfo(fd int) (words [memInfoWords]uint32, err error) {
	size := uint32(unsafe.Sizeof(words))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&words)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return words, os.NewSyscallError("getsockopt SO_MEMINFO", errno)
	}
	return words, nil
}

// Drops returns how many datagrams and errors the kernel dropped for lack of room in the
// receive buffer.
func (s *Socket) Drops() (drops uint32, err error) {
	err = s.Control(func(fd int) error {
		words, err := memInfo(fd)
		drops = words[memInfoDrops]
		return err
	})
	return drops, err
}

// Backlog returns the part of the receive buffer that is in use, from 0 to 1.
func (s *Socket) Backlog() (part float64, err error) {
	err = s.Control(func(fd int) error {
		words, err := memInfo(fd)
		if buffer := words[memInfoBuffer]; err == nil && buffer > 0 {
			part = min(1, float64(words[memInfoReceived])/float64(buffer))
		}
		return err
	})
	return part, err
}
