package sys

import (
	"context"
	"syscall"
)

// rawConn gives users access to the descriptor, as a syscall.RawConn.
type rawConn struct{ s *Socket }

// SyscallConn returns access to the socket for other options and calls.
func (s *Socket) SyscallConn() syscall.RawConn { return rawConn{s} }

func (c rawConn) Control(f func(fd uintptr)) error {
	return c.s.Control(func(fd int) error {
		f(uintptr(fd))
		return nil
	})
}

func (c rawConn) Read(f func(fd uintptr) bool) error {
	return c.s.Wait(func(uintptr) bool { return f(uintptr(c.s.fd)) })
}

func (c rawConn) Write(f func(fd uintptr) bool) error {
	for {
		var done bool
		if err := c.Control(func(fd uintptr) { done = f(fd) }); err != nil || done {
			return err
		}
		if err := c.s.WaitWritable(context.Background()); err != nil {
			return err
		}
	}
}
