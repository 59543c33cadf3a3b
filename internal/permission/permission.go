// Package permission finds the obstacle that keeps this process from a socket, and
// how to remove it.
package permission

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// Send explains the error of a call that sends, and reports whether the system denied the
// packet, not the socket: EPERM comes from netfilter or a filter of the control group, and
// no capability changes that.
func Send(err error) (obstacle, cure string, denied bool) {
	if !errors.Is(err, syscall.EPERM) {
		return "", "", false
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok && !strings.HasPrefix(call.Syscall, "send") && call.Syscall != "connect" {
		return "", "", false
	}
	obstacle, cure = "a firewall rule of this host rejects or drops the packet", "change that rule"
	if runtime.GOOS == "linux" {
		obstacle += ", or a BPF filter of the control group"
		cure += ", which nft list ruleset, iptables-save or ip6tables-save shows"
	}
	return obstacle, cure, true
}
