package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"kernel.org/pub/linux/libs/security/libcap/psx"

	"github.com/goicmp/icmplib/internal/sys"
)

// Of capabilities(7) and prctl(2).
const (
	capabilityVersion3 = 0x20080522
	prSetNoNewPrivs    = 38
)

type capabilityHeader struct {
	version uint32
	pid     int32
}

type capabilityData struct{ effective, permitted, inheritable uint32 }

// reserved is the number of raw sockets per protocol and family that are opened before
// privileges are given up. Probes that differ in source, device or local port need their
// own sockets; those of a protocol above IP also need one of ICMP, and so does the answer
// to check-support. When none is left, sockets without privileges are used.
var reserved = []struct {
	protocol uint8 // 0: ICMP
	sockets  int
}{
	{0, 16},
	{syscall.IPPROTO_UDP, 5},
	{syscall.IPPROTO_TCP, 5},
	{syscall.IPPROTO_SCTP, 5},
}

// dropPrivileges opens what takes privileges, and then gives all of these up for
// good: the user and the group that a set-user-ID or set-group-ID program has been
// made, all capabilities, and what another program could give.
func dropPrivileges() error {
	for _, r := range reserved {
		for _, ipv6 := range []bool{false, true} {
			// Without the right, or the family, there are none: this is no error.
			_ = sys.ReserveRaw(ipv6, r.protocol, r.sockets)
		}
	}
	gid, uid := os.Getgid(), os.Getuid()
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return fmt.Errorf("setresgid: %w", err)
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return fmt.Errorf("setresuid: %w", err)
	}
	// Both calls are about a thread; psx makes them in all threads, those of C
	// included.
	if _, _, errno := psx.Syscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 && errno != syscall.EINVAL {
		return fmt.Errorf("prctl PR_SET_NO_NEW_PRIVS: %w", errno)
	}
	header := capabilityHeader{version: capabilityVersion3}
	var none, left [2]capabilityData
	if _, _, errno := psx.Syscall3(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none[0])), 0); errno != 0 {
		return fmt.Errorf("capset: %w", errno)
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&left[0])), 0); errno != 0 {
		return fmt.Errorf("capget: %w", errno)
	}
	if left != none || os.Geteuid() != uid || os.Getegid() != gid {
		return errors.New("privileges are still there after they were given up")
	}
	return nil
}
