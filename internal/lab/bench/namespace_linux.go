package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"github.com/goicmp/icmplib/internal/lab/netlab"
)

// stageVariable tells a process what it is for.
const stageVariable = "ICMPLIB_BENCH"

const stageInside = "inside"

// inNamespace runs the program again in a network namespace of its own.
func inNamespace() error {
	runtime.LockOSThread() // the end of the thread that starts it would end the process, too
	cmd := again(stageInside, os.Args[1:]...)
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case errors.As(err, &exit) && exit.Exited():
		os.Exit(exit.ExitCode())
	case errors.As(err, &exit):
		return fmt.Errorf("the process in the namespace has ended: %w", err)
	case err != nil:
		return fmt.Errorf("the system forbids a network namespace: %w", err)
	}
	return nil
}

// again is this program once more, at another stage.
func again(stage string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), stageVariable+"="+stage)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// The addresses of the namespace.
var (
	local4 = netip.MustParsePrefix("127.16.0.0/12")   // a million that answer
	local6 = netip.MustParsePrefix("2001:db8:1::/64") // the same
	silent = netip.MustParsePrefix("198.18.0.0/15")   // of RFC 2544: routed, and thrown away
)

// setUp prepares the namespace, in which nothing is up.
func setUp() error {
	if err := netlab.LinkUp("lo"); err != nil {
		return err
	}
	if err := netlab.AddLocal(local6); err != nil {
		return err
	}
	// A packet that leaves by lo comes in by it, for an address that is nobody's,
	// and a host that does not forward throws it away.
	if err := netlab.AddRoute(silent, netip.Addr{}, "lo"); err != nil {
		return err
	}
	return openPingGroups()
}

// openPingGroups opens datagram ICMP sockets, which a new namespace closes to
// all. In a user namespace only the groups that it maps can be named.
func openPingGroups() error {
	value := "0 0"
	if b, err := os.ReadFile("/proc/self/gid_map"); err == nil && strings.HasSuffix(strings.TrimSpace(string(b)), " 4294967295") {
		value = "0 2147483647"
	}
	return os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte(value), 0)
}

// host returns the i-th address of a prefix.
func host(prefix netip.Prefix, i int) netip.Addr {
	b := prefix.Addr().AsSlice()
	for at := len(b) - 1; i > 0; at-- {
		i += int(b[at])
		b[at] = byte(i)
		i >>= 8
	}
	addr, _ := netip.AddrFromSlice(b)
	return addr
}
