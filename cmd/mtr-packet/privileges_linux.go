package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// Of capabilities(7) and prctl(2).
const (
	capNetAdmin = 12
	capNetRaw   = 13

	capabilityVersion3 = 0x20080522
	prSetKeepCaps      = 8
)

type capabilityHeader struct {
	version uint32
	pid     int32
}

type capabilityData struct{ effective, permitted, inheritable uint32 }

// dropPrivileges gives up what probing does not need: all capabilities but
// those for raw sockets and routing marks, and the user that a set-user-ID
// program has been made.
//
// A program that is linked with C cannot change the capabilities of all its
// threads. It goes on with what it has, unless that is another user's.
func dropPrivileges() error {
	err := dropCapabilities()
	if errors.Is(err, errors.ErrUnsupported) {
		if os.Getuid() == os.Geteuid() {
			return nil
		}
		return errors.New("as a set-user-ID program it has to be built with CGO_ENABLED=0")
	}
	return err
}

func dropCapabilities() error {
	header := capabilityHeader{version: capabilityVersion3}
	var now [2]capabilityData
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&now[0])), 0); errno != 0 {
		return fmt.Errorf("capget: %w", errno)
	}
	if os.Getuid() != os.Geteuid() {
		if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_PRCTL, prSetKeepCaps, 1, 0); errno != 0 {
			return fmt.Errorf("prctl: %w", errno)
		}
		if err := syscall.Setuid(os.Getuid()); err != nil {
			return fmt.Errorf("setuid: %w", err)
		}
	}
	const wanted = 1<<capNetAdmin | 1<<capNetRaw
	keep := now[0].permitted & wanted
	next := [2]capabilityData{{effective: keep, permitted: keep}}
	if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&next[0])), 0); errno != 0 {
		return fmt.Errorf("capset: %w", errno)
	}
	return nil
}
