package netlab

import (
	"os"
	"syscall"
	"unsafe"
)

// tunSetIff is TUNSETIFF of linux/if_tun.h, which package syscall has for some
// architectures only.
const tunSetIff = 0x400454ca

// tunPort is the file behind a TUN device: one read or write is one packet.
type tunPort struct {
	*os.File
	buf [maxPacket]byte
}

// openTUN makes a TUN device, which is gone when the port is closed.
func openTUN(name string) (*tunPort, error) {
	const path = "/dev/net/tun"
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	req := ifreq{flags: syscall.IFF_TUN | syscall.IFF_NO_PI}
	copy(req.name[:len(req.name)-1], name)
	if err := ioctl(fd, tunSetIff, unsafe.Pointer(&req)); err != nil {
		syscall.Close(fd)
		return nil, &os.PathError{Op: "ioctl TUNSETIFF", Path: path, Err: err}
	}
	// Only now: a file without a device cannot be waited for.
	return &tunPort{File: os.NewFile(uintptr(fd), path)}, nil
}

func (p *tunPort) read() ([]byte, error) {
	n, err := p.File.Read(p.buf[:])
	return p.buf[:n], err
}

func (p *tunPort) write(packet []byte) error {
	_, err := p.File.Write(packet)
	return err
}
