package permission

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
)

func TestWhatDeniesAPacket(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		denied bool
	}{
		{"a send that a rule forbids", os.NewSyscallError("sendmsg", syscall.EPERM), true},
		{"several at once", fmt.Errorf("x: %w", os.NewSyscallError("sendmmsg", syscall.EPERM)), true},
		{"a connection that a filter forbids", os.NewSyscallError("connect", syscall.EPERM), true},
		{"a socket for the packet", os.NewSyscallError("socket", syscall.EPERM), false},
		{"a routing mark of that socket", os.NewSyscallError("setsockopt", syscall.EPERM), false},
		{"a broadcast address, or a prohibited route", os.NewSyscallError("sendmsg", syscall.EACCES), false},
		{"no route", os.NewSyscallError("sendmsg", syscall.ENETUNREACH), false},
		{"another reason", errors.New("x"), false},
	} {
		obstacle, cure, denied := Send(tt.err)
		if denied != tt.denied || (obstacle != "") != denied || (cure != "") != denied {
			t.Errorf("%s: %q, %q, %v", tt.name, obstacle, cure, denied)
		}
	}
}
