// Package permission finds out what on this system stands in the way of a
// socket, and what would remove it.
package permission

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// Send says what denies a packet, where it was the packet that was denied and not the socket
// for it: EPERM of a call that sends is netfilter's, or that of a filter of the control
// group, and no capability makes up for it.
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
