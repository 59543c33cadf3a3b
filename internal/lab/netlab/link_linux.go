package netlab

import (
	"os"
	"syscall"
	"unsafe"
)

// ifreq is struct ifreq of netdevice(7), with its flags.
type ifreq struct {
	name  [syscall.IFNAMSIZ]byte
	flags uint16
	_     [22]byte
}

// LinkUp sets an interface up.
func LinkUp(name string) error { return changeFlags(name, syscall.IFF_UP) }

// LinkDown sets an interface down; the routes through it go with that.
func LinkDown(name string) error {
	return withInterface(name, func(fd int, req *ifreq) error {
		if err := ioctl(fd, syscall.SIOCGIFFLAGS, unsafe.Pointer(req)); err != nil {
			return os.NewSyscallError("ioctl SIOCGIFFLAGS", err)
		}
		req.flags &^= syscall.IFF_UP
		return os.NewSyscallError("ioctl SIOCSIFFLAGS", ioctl(fd, syscall.SIOCSIFFLAGS, unsafe.Pointer(req)))
	})
}

// changeFlags sets flags of an interface, beside those that it has.
func changeFlags(name string, flags uint16) error {
	return withInterface(name, func(fd int, req *ifreq) error {
		if err := ioctl(fd, syscall.SIOCGIFFLAGS, unsafe.Pointer(req)); err != nil {
			return os.NewSyscallError("ioctl SIOCGIFFLAGS", err)
		}
		req.flags |= flags
		return os.NewSyscallError("ioctl SIOCSIFFLAGS", ioctl(fd, syscall.SIOCSIFFLAGS, unsafe.Pointer(req)))
	})
}

// withInterface calls f with what ioctl needs to speak of an interface.
func withInterface(name string, f func(fd int, req *ifreq) error) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer syscall.Close(fd)
	var req ifreq
	copy(req.name[:len(req.name)-1], name)
	return f(fd, &req)
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}
